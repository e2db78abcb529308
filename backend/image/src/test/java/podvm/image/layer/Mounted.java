package podvm.image.layer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import podvm.image.Tool;

/** Mounts that a test made, undone in the reverse order. */
public final class Mounted implements AutoCloseable {
    private final Deque<Path> mounts = new ArrayDeque<>();

    /** Why a kernel cannot be asked here; empty where it can. */
    public static Optional<String> obstacle() throws Exception {
        if (!"root".equals(System.getProperty("user.name"))) {
            return Optional.of("only root can mount");
        }
        var known = Files.readString(Path.of("/proc/filesystems"));
        if (!known.contains("erofs")) {
            return Optional.of("this kernel has no erofs");
        }
        return Files.exists(Path.of("/dev/loop-control"))
                ? Optional.empty()
                : Optional.of("there are no loop devices");
    }

    public Path erofs(Path image, Path at) throws Exception {
        return mount(at, "-t", "erofs", "-o", "loop,ro", image.toString());
    }

    public Path overlay(String lowest, Path at) throws Exception {
        return mount(at, "-t", "overlay", "-o", "ro,lowerdir=" + lowest, "overlay");
    }

    private Path mount(Path at, String... words) throws Exception {
        Files.createDirectory(at);
        var command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(words));
        command.add(at.toString());
        Tool.run(command.toArray(String[]::new));
        mounts.push(at);
        return at;
    }

    @Override
    public void close() throws IOException {
        while (!mounts.isEmpty()) {
            try {
                Tool.run("umount", mounts.pop().toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while unmounting", e);
            }
        }
    }
}
