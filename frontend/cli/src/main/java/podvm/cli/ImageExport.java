package podvm.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import podvm.proto.node.v1.ExportImageRequest;
import podvm.proto.node.v1.ExportImageResponse;
import podvm.proto.node.v1.ImageExported;

/** Writes an image as an archive that other tools read. */
final class ImageExport implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image export",
                "IMAGE FILE|-",
                "write an image as an OCI layout in a tar",
                2,
                2,
                Option.flag("--gzip", "pack its layers"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var request =
                ExportImageRequest.newBuilder()
                        .setImage(given.operands().getFirst())
                        .setGzip(given.has("--gzip"))
                        .build();
        var file = given.operands().get(1);
        if (file.equals("-")) {
            if (session.stdio().outIsTerminal()) {
                throw Failure.usage(
                        "an archive is nothing for a terminal",
                        "name a file, or send standard output elsewhere");
            }
            tell(write(request, session.stdio().out(), session), session);
            return 0;
        }
        var exported = toFile(request, Path.of(file).toAbsolutePath(), session);
        if (json) {
            session.stdio().print(Json.of(exported));
            return 0;
        }
        session.stdio().print(exported.getExportedId());
        tell(exported, session);
        return 0;
    }

    /** Under another name until it is whole. */
    private static ImageExported toFile(ExportImageRequest request, Path file, Session session)
            throws Failure, IOException {
        var draft =
                file.resolveSibling(
                        "." + file.getFileName() + ".podvm-" + ProcessHandle.current().pid());
        try {
            ImageExported exported;
            try (var out = Files.newOutputStream(draft)) {
                exported = write(request, out, session);
            }
            move(draft, file);
            return exported;
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    private static void move(Path draft, Path file) throws IOException {
        try {
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException _) {
            Files.move(draft, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static ImageExported write(
            ExportImageRequest request, OutputStream out, Session session)
            throws Failure, IOException {
        var exported = ImageExported.getDefaultInstance();
        try (var progress = Transfers.quiet(session.stdio(), "exporting");
                var events =
                        session.node().stream(
                                "ExportImage", request, ExportImageResponse.parser())) {
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                switch (event.get().getMessageCase()) {
                    case PROGRESS -> progress.at(event.get().getProgress());
                    case DATA -> event.get().getData().writeTo(out);
                    case EXPORTED -> exported = event.get().getExported();
                    case MESSAGE_NOT_SET -> throw Node.nonsense("ExportImage");
                }
            }
        }
        if (exported.getId().isEmpty()) {
            throw Node.nonsense("ExportImage");
        }
        out.flush();
        return exported;
    }

    /** Whoever compares ids must know. */
    private static void tell(ImageExported exported, Session session) {
        if (!exported.getId().equals(exported.getExportedId())) {
            session.stdio()
                    .tell(
                            "the image's id is %s in the archive, %s here: its layers were packed anew"
                                    .formatted(
                                            ImageLs.brief(exported.getExportedId()),
                                            ImageLs.brief(exported.getId())));
        }
    }
}
