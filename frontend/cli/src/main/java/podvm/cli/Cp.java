package podvm.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Copies files and directories into a container or out of it. */
final class Cp implements Command {
    private static final String ARCHIVE = "-";

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "cp",
                "POD:PATH PATH|- | PATH|- POD:PATH",
                "copy files into a running container or out of it",
                2,
                2,
                Option.value("-c, --container", "NAME", "else the pod's first"),
                Option.flag("-a, --archive", "keep users' and groups' numbers"));
    }

    /** A place in a pod. */
    record Remote(String pod, String container, String path) {
        /** Empty: a path here, which "./" before it makes of any text. */
        static Optional<Remote> parse(String text, String container) {
            int colon = text.indexOf(':');
            if (colon < 1 || text.startsWith("/") || text.startsWith(".")) {
                return Optional.empty();
            }
            var path = text.substring(colon + 1);
            return Optional.of(
                    new Remote(text.substring(0, colon), container, path.isEmpty() ? "/" : path));
        }
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var container = given.value("--container").orElse("");
        var from = given.operands().get(0);
        var to = given.operands().get(1);
        var source = Remote.parse(from, container);
        var target = Remote.parse(to, container);
        if (source.isPresent() == target.isPresent()) {
            throw Failure.usage(
                    source.isPresent()
                            ? "both sides of the copy are pods: %s and %s".formatted(from, to)
                            : "neither side of the copy is a pod: %s and %s".formatted(from, to),
                    "usage: " + syntax().usage() + "; a path here with a colon begins with ./");
        }
        try (var progress = Transfers.quiet(session.stdio(), "copying")) {
            if (to.equals(ARCHIVE) && source.isPresent()) {
                new ArchiveOut(session).run(source.get());
            } else if (from.equals(ARCHIVE) && target.isPresent()) {
                new ArchiveIn(session, progress, given.has("--archive")).run(target.get());
            } else if (source.isPresent()) {
                new CopyOut(session, progress, given.has("--archive")).run(source.get(), to);
            } else {
                new CopyIn(session, progress, given.has("--archive"))
                        .run(from, Path.of(from), target.get());
            }
        }
        return 0;
    }

    /** What is in a directory is meant, not the directory. */
    static boolean isContents(String path) {
        return path.endsWith("/.") || path.equals(".");
    }

    /** The name that a copy has in another directory. */
    static String name(String path) {
        var bare = path;
        while (bare.endsWith("/") || bare.endsWith("/.")) {
            bare = bare.substring(0, bare.lastIndexOf('/'));
        }
        return bare.substring(bare.lastIndexOf('/') + 1);
    }
}
