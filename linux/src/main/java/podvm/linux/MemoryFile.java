package podvm.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import podvm.engine.PodException;

/**
 * A file without a name, in memory (memfd_create(2)): it ends with the last process that has it
 * open or mapped, so that nobody need remove it.
 */
public final class MemoryFile implements AutoCloseable {
    /** Of statx(2), whatever the file system's are. */
    private static final long STAT_BLOCK = 512;

    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_SEAL_SEAL = 1;
    private static final int F_SEAL_SHRINK = 2;
    private static final int F_SEAL_GROW = 4;
    private static final int F_SEAL_WRITE = 8;

    private final String name;
    private final Descriptor descriptor;

    private MemoryFile(String name, Descriptor descriptor) {
        this.name = name;
        this.descriptor = descriptor;
    }

    /**
     * @param name shown in /proc, for people
     * @param bytes its size; memory is taken only where something is written
     */
    public static MemoryFile create(String name, long bytes) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var text = arena.allocateFrom(name);
            var flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
            var number = (int) Native.MEMFD_CREATE.invokeExact(errno, text, flags);
            if (number < 0) {
                throw Errno.of(errno).exception("create", "memory file " + name);
            }
            var file = new MemoryFile(name, new Descriptor(number));
            if ((int) Native.FTRUNCATE.invokeExact(errno, number, bytes) != 0) {
                file.close();
                throw Errno.of(errno).exception("size", "memory file " + name);
            }
            return file;
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    /** The file opened once more, read from its beginning; the caller closes it. */
    public Descriptor reader() throws PodException {
        return Descriptor.readOnly(path());
    }

    /** Likewise, to be written. */
    public Descriptor writer() throws PodException {
        return Descriptor.readWrite(path());
    }

    /** Memory that it takes; of a file that others write it is a moment's. */
    public long bytes() throws PodException {
        try {
            return Place.stat(descriptor).blocks() * STAT_BLOCK;
        } catch (ErrnoException e) {
            throw new PodException(
                    PodException.Kind.UNAVAILABLE,
                    "cannot measure memory file " + name + ": " + e.getMessage(),
                    "",
                    e);
        }
    }

    private Path path() {
        return Path.of("/proc/self/fd/" + descriptor.number());
    }

    /**
     * From now on nobody changes it, whatever the rights of his descriptor; mapping it privately
     * stays possible. Fails while somebody has it mapped for writing.
     */
    public void seal() throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
            var done =
                    (int) Native.FCNTL.invokeExact(errno, descriptor.number(), F_ADD_SEALS, seals);
            if (done != 0) {
                throw Errno.of(errno).exception("seal", "memory file " + name);
            }
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
