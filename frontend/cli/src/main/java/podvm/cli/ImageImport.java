package podvm.cli;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import podvm.proto.node.v1.LoadImageRequest;
import podvm.proto.node.v1.LoadImageResponse;
import podvm.proto.node.v1.LoadImageStart;

/** Takes images from an archive. */
final class ImageImport implements Command {
    private static final int CHUNK = 256 << 10;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image",
                "import FILE|-",
                "take images from an OCI or docker archive, or a root file system tar",
                2,
                2,
                Option.value("--name", "NAME", "what to call it; a root file system needs one"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        if (!given.operands().getFirst().equals("import")) {
            throw Failure.usage(
                    "there is no command podvm image " + given.operands().getFirst(),
                    "usage: " + syntax().usage());
        }
        var file = given.operands().get(1);
        if (file.equals("-")) {
            return load(session.stdio().in(), given, session);
        }
        try (var in = Files.newInputStream(Path.of(file))) {
            return load(in, given, session);
        } catch (NoSuchFileException _) {
            throw Failure.of(
                    "there is no file " + file, "name an archive, or - for standard input");
        }
    }

    private static int load(InputStream in, Given given, Session session)
            throws Failure, IOException {
        var start = LoadImageStart.newBuilder().setName(given.value("--name").orElse(""));
        try (var call = session.node().exchange("LoadImage", LoadImageResponse.parser())) {
            var open = call.send(LoadImageRequest.newBuilder().setStart(start).build());
            while (open) {
                var data = in.readNBytes(CHUNK);
                if (data.length == 0) {
                    call.endInput();
                    break;
                }
                var message = LoadImageRequest.newBuilder().setData(ByteString.copyFrom(data));
                open = call.send(message.build());
            }
            for (var answer = call.next(); answer.isPresent(); answer = call.next()) {
                for (var image : answer.get().getImagesList()) {
                    var name = image.getNamesCount() == 0 ? "" : " " + image.getNames(0);
                    session.stdio().print(image.getId() + name);
                }
            }
        }
        return 0;
    }
}
