package podvm.cli;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import podvm.proto.node.v1.Image;
import podvm.proto.node.v1.LoadImageRequest;
import podvm.proto.node.v1.LoadImageResponse;
import podvm.proto.node.v1.LoadImageStart;

/** Takes images from an archive. */
final class ImageImport implements Command {
    private static final int CHUNK = 256 << 10;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image import",
                "FILE|-",
                "take images from an OCI or docker archive, or a root file system tar",
                1,
                1,
                Option.value("--name", "NAME", "what to call it; a root file system needs one"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var file = given.operands().getFirst();
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
        var json = given.json();
        var start = LoadImageStart.newBuilder().setName(given.value("--name").orElse(""));
        var images = new ArrayList<Image>();
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
                images.addAll(answer.get().getImagesList());
            }
        }
        if (json) {
            session.stdio().print(Json.of(images));
            return 0;
        }
        for (var image : images) {
            var name = image.getNamesCount() == 0 ? "" : " " + image.getNames(0);
            session.stdio().print(image.getId() + name);
        }
        return 0;
    }
}
