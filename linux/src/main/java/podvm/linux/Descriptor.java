package podvm.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import podvm.engine.PodException;

/** An open file descriptor; not inherited by children unless a {@link Command} names it. */
public final class Descriptor implements AutoCloseable {
    private static final int O_RDONLY = 0;
    private static final int O_WRONLY = 1;
    private static final int O_RDWR = 2;
    private static final int O_CREAT = 0100;
    private static final int O_APPEND = 02000;
    private static final int O_CLOEXEC = 02000000;
    private static final int OWNER_ONLY = 0600;
    private static final int F_DUPFD_CLOEXEC = 1030;

    private final int number;
    private final AtomicBoolean closed = new AtomicBoolean();

    Descriptor(int number) {
        this.number = number;
    }

    public static Descriptor readOnly(Path file) throws PodException {
        return open(file, O_RDONLY);
    }

    public static Descriptor readWrite(Path file) throws PodException {
        return open(file, O_RDWR);
    }

    /** Creates the file, readable by its owner alone, where it does not exist. */
    public static Descriptor append(Path file) throws PodException {
        return open(file, O_WRONLY | O_CREAT | O_APPEND);
    }

    private static Descriptor open(Path file, int flags) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var path = arena.allocateFrom(file.toString());
            var number = (int) Native.OPEN.invokeExact(errno, path, flags | O_CLOEXEC, OWNER_ONLY);
            if (number < 0) {
                throw Errno.of(errno).exception("open", file);
            }
            return new Descriptor(number);
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    /** A second descriptor of the same open file, numbered {@code least} or higher. */
    Descriptor duplicate(int least) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var copy = (int) Native.FCNTL.invokeExact(errno, number, F_DUPFD_CLOEXEC, least);
            if (copy < 0) {
                throw Errno.of(errno).exception("duplicate", "descriptor " + number);
            }
            return new Descriptor(copy);
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    int number() {
        return number;
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try (var arena = Arena.ofConfined()) {
            // Linux has released the number whatever close returns
            var _ = (int) Native.CLOSE.invokeExact(Errno.capture(arena), number);
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }
}
