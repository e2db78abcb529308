package podvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * A network namespace, known by a file that holds it.
 *
 * @param file such as /run/netns/NAME
 */
public record NetworkNamespace(Path file) {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final Path CLONE_DEVICE = Path.of("/dev/net/tun");
    // linux/if_tun.h
    private static final long TUNSETIFF = 0x400454caL;
    private static final short TAP_WITH_OFFLOADS = 0x0002 | 0x1000 | 0x4000; // TAP, NO_PI, VNET_HDR
    private static final int IFREQ_BYTES = 40;
    private static final int LONGEST_NAME = 15;

    /** A descriptor of a tap device in it; the device is made where it is not there yet. */
    public Descriptor openTap(String device) throws PodException {
        if (device.length() > LONGEST_NAME) {
            throw new PodException(
                    Kind.INVALID, "network device " + device + " has more than 15 letters", "");
        }
        return elsewhere(
                "tap-" + device,
                () -> {
                    enter();
                    return tap(device);
                });
    }

    /**
     * A tap device in a namespace that has nothing else and no name: whatever is sent to it is
     * lost. Both go when the descriptor is closed.
     */
    public static Descriptor lonelyTap() throws PodException {
        return elsewhere(
                "lonely-tap",
                () -> {
                    leave();
                    return tap("podvm0");
                });
    }

    private static Descriptor elsewhere(String name, Callable<Descriptor> opening)
            throws PodException {
        // A thread of its own that ends here: no other code may ever run in the namespace, and
        // what a thread starts lazily, such as the reaper of processes, would stay there.
        var opened = new FutureTask<>(opening);
        var thread = Thread.ofPlatform().name(name).start(opened);
        var interrupted = false;
        try {
            while (true) {
                try {
                    thread.join();
                    return result(opened);
                } catch (InterruptedException _) {
                    // it takes microseconds, and the descriptor must not be lost
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Descriptor result(FutureTask<Descriptor> opened)
            throws PodException, InterruptedException {
        try {
            return opened.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case PodException failure -> throw failure;
                case RuntimeException bug -> throw bug;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    private void enter() throws PodException {
        try (var namespace = Descriptor.readOnly(file);
                var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            if ((int) Native.SETNS.invokeExact(errno, namespace.number(), CLONE_NEWNET) < 0) {
                throw Errno.of(errno).exception("enter network namespace", file);
            }
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    private static void leave() throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            if ((int) Native.UNSHARE.invokeExact(errno, CLONE_NEWNET) < 0) {
                throw Errno.of(errno)
                        .exception("make a network namespace for", Path.of("a template"));
            }
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    private static Descriptor tap(String device) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var tap = Descriptor.readWrite(CLONE_DEVICE);
            var request = arena.allocate(IFREQ_BYTES, 8);
            request.setString(0, device, StandardCharsets.US_ASCII);
            request.set(ValueLayout.JAVA_SHORT, 16, TAP_WITH_OFFLOADS);
            if ((int) Native.IOCTL.invokeExact(errno, tap.number(), TUNSETIFF, request) < 0) {
                tap.close();
                throw Errno.of(errno).exception("open tap " + device + " with", CLONE_DEVICE);
            }
            return tap;
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }
}
