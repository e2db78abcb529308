package podvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * A Unix stream socket for what the JDK's cannot do: be handed to another process, listening or as
 * the carrier of a descriptor.
 */
public final class UnixSocket implements AutoCloseable {
    /** Longest path of a Unix socket: sun_path has 108 bytes, the last is zero (unix(7)). */
    public static final int MAX_PATH_BYTES = 107;

    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_CLOEXEC = 02000000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int SUN_PATH = 2;
    private static final int BACKLOG = 8;

    private final Descriptor descriptor;
    private final Path path;

    private UnixSocket(Descriptor descriptor, Path path) {
        this.descriptor = descriptor;
        this.path = path;
    }

    /** A socket that listens at a path where nothing is yet. */
    public static Descriptor listen(Path path) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var socket = open(path, arena, Native.BIND, "bind");
            if ((int) Native.LISTEN.invokeExact(errno, socket.number(), BACKLOG) < 0) {
                socket.close();
                throw Errno.of(errno).exception("listen at", path);
            }
            return socket;
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    public static UnixSocket connect(Path path) throws PodException {
        try (var arena = Arena.ofConfined()) {
            return new UnixSocket(open(path, arena, Native.CONNECT, "connect to"), path);
        }
    }

    private static Descriptor open(Path path, Arena arena, MethodHandle join, String what)
            throws PodException {
        var errno = Errno.capture(arena);
        try {
            var address = address(path, arena);
            var number =
                    (int) Native.SOCKET.invokeExact(errno, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (number < 0) {
                throw Errno.of(errno).exception("make a socket for", path);
            }
            var socket = new Descriptor(number);
            if ((int) join.invokeExact(errno, number, address, (int) address.byteSize()) < 0) {
                socket.close();
                throw Errno.of(errno).exception(what, path);
            }
            return socket;
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    public void send(byte[] bytes) throws PodException {
        send(bytes, MemorySegment.NULL);
    }

    /** Sends bytes and, with the first of them, a descriptor. */
    public void send(byte[] bytes, Descriptor passenger) throws PodException {
        try (var arena = Arena.ofConfined()) {
            // struct cmsghdr: length, level, type, then the number
            var control = arena.allocate(24, 8);
            control.set(ValueLayout.JAVA_LONG, 0, 20);
            control.set(ValueLayout.JAVA_INT, 8, SOL_SOCKET);
            control.set(ValueLayout.JAVA_INT, 12, SCM_RIGHTS);
            control.set(ValueLayout.JAVA_INT, 16, passenger.number());
            send(bytes, control);
        }
    }

    private void send(byte[] bytes, MemorySegment control) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var message = message(arena, bytes, control);
            var sent = (long) Native.SENDMSG.invokeExact(errno, number(), message, MSG_NOSIGNAL);
            if (sent < 0) {
                throw Errno.of(errno).exception("send to", path);
            }
            if (sent < bytes.length) {
                throw new PodException(Kind.UNAVAILABLE, path + " took a part of a message", "");
            }
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    /**
     * Waits for bytes.
     *
     * @return how many; 0 at the end of the stream
     */
    public int receive(byte[] into, Deadline deadline) throws PodException, InterruptedException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var buffer = arena.allocate(into.length);
            while (true) {
                var size = (long) into.length;
                var got =
                        (long) Native.RECV.invokeExact(errno, number(), buffer, size, MSG_DONTWAIT);
                if (got >= 0) {
                    MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, into, 0, (int) got);
                    return (int) got;
                }
                var failure = Errno.of(errno);
                if (failure.number() != Errno.EAGAIN && failure.number() != Errno.EINTR) {
                    throw failure.exception("read from", path);
                }
                deadline.check("an answer from " + path);
                // a blocking call would hold the carrier of a virtual thread
                Thread.sleep(0, 200_000);
            }
        } catch (PodException | InterruptedException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    private int number() {
        return descriptor.number();
    }

    private static MemorySegment address(Path path, Arena arena) throws PodException {
        var bytes = path.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_PATH_BYTES) {
            throw new PodException(
                    Kind.INVALID,
                    "socket path "
                            + path
                            + " has "
                            + bytes.length
                            + " bytes, Linux allows "
                            + MAX_PATH_BYTES,
                    "choose a shorter run directory");
        }
        var address = arena.allocate(SUN_PATH + bytes.length + 1L, 2);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(bytes, 0, address, ValueLayout.JAVA_BYTE, SUN_PATH, bytes.length);
        return address;
    }

    /** struct msghdr with one buffer, as laid out on 64-bit Linux. */
    private static MemorySegment message(Arena arena, byte[] bytes, MemorySegment control) {
        var vector = arena.allocate(16, 8);
        vector.set(ValueLayout.ADDRESS, 0, arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        vector.set(ValueLayout.JAVA_LONG, 8, bytes.length);
        var message = arena.allocate(56, 8);
        message.set(ValueLayout.ADDRESS, 16, vector);
        message.set(ValueLayout.JAVA_LONG, 24, 1);
        message.set(ValueLayout.ADDRESS, 32, control);
        message.set(ValueLayout.JAVA_LONG, 40, control.byteSize());
        return message;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
