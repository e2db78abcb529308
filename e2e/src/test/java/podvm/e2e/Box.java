package podvm.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The image that most tests run: busybox, a few users, and a probe of system calls. */
final class Box {
    static final String IMAGE = "localhost/box:1";

    private static final Path ROOTFS = make();

    private Box() {}

    /** A root file system tar, made once per run. */
    static Path rootfs() {
        return ROOTFS;
    }

    /** What is in it, to be put into archives of other kinds. */
    static byte[] layer() throws IOException {
        return Files.readAllBytes(ROOTFS);
    }

    private static Path make() {
        try {
            var work = Distribution.here().work();
            var tar = new Tar();
            for (var folder :
                    List.of("bin", "dev", "etc", "home", "proc", "root", "sys", "usr", "var")) {
                tar.folder(folder, 0755);
            }
            tar.folder("tmp", 01777).folder("home/app", 0755);
            tar.file(
                    "etc/passwd",
                    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n");
            tar.file("etc/group", "root:x:0:\nstaff:x:1001:\naudio:x:1002:app\n");
            tar.file("bin/busybox", 0755, Files.readAllBytes(busybox()));
            for (var applet : Host.command(busybox().toString(), "--list").split("\n")) {
                if (!applet.equals("busybox")) {
                    tar.link("bin/" + applet, "busybox");
                }
            }
            tar.file("not-executable", "#!/bin/sh\n");
            var probe = probe(work);
            if (probe.isPresent()) {
                tar.file("bin/probe", 0755, Files.readAllBytes(probe.get()));
            }
            return Files.write(work.resolve("rootfs.tar"), tar.end());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the test image", e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    static Path busybox() {
        var cache = System.getenv("PODVM_CACHE");
        var home =
                cache != null
                        ? Path.of(cache)
                        : Path.of(System.getProperty("user.home"), ".cache/podvm");
        return Stream.of(
                        home.resolve("busybox/busybox"),
                        Path.of("/bin/busybox"),
                        Path.of("/usr/bin/busybox"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalStateException("no static busybox: run setup/run test"));
    }

    static boolean hasProbe() {
        return Files.isExecutable(Distribution.here().work().resolve("probe"));
    }

    /** Calls that no busybox applet makes; only where there is a C compiler. */
    private static Optional<Path> probe(Path work) throws IOException, InterruptedException {
        if (!Host.has("gcc")) {
            return Optional.empty();
        }
        var source = work.resolve("probe.c");
        try (var text = Box.class.getResourceAsStream("/probe.c")) {
            Files.write(source, text.readAllBytes());
        }
        var program = work.resolve("probe");
        Host.command("gcc", "-static", "-O1", "-o", program.toString(), source.toString());
        return Optional.of(program);
    }
}
