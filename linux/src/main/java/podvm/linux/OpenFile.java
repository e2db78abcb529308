package podvm.linux;

import static podvm.linux.NativeFiles.call;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import podvm.engine.PodException;

/** An open file or directory, read and written at places that the caller names. */
public final class OpenFile implements AutoCloseable {
    private static final int SEEK_SET = 0;

    private final Descriptor descriptor;

    OpenFile(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    public FileStat stat() throws ErrnoException {
        return Place.stat(descriptor);
    }

    /** The same file as a place; the two are closed apart. */
    public Place place() throws ErrnoException {
        try {
            return new Place(descriptor.duplicate(0));
        } catch (PodException e) {
            throw new ErrnoException(ErrnoException.EMFILE);
        }
    }

    /**
     * Reads up to {@code size} bytes.
     *
     * @param room bytes left free before them in the result
     */
    public byte[] read(long offset, int size, int room) throws ErrnoException {
        var result = new byte[1][];
        call((arena, errno) -> {
            var buffer = arena.allocate(Math.max(1, size));
            var got =
                    (long)
                            NativeFiles.PREAD.invokeExact(
                                    errno, number(), buffer, (long) size, offset);
            var bytes = new byte[room + (int) Math.max(0, got)];
            MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, bytes, room, bytes.length - room);
            result[0] = bytes;
            return got;
        });
        return result[0];
    }

    /** Returns how many bytes were written. */
    public int write(ByteBuffer data, long offset) throws ErrnoException {
        return (int)
                call((arena, errno) -> {
                    var size = (long) data.remaining();
                    var buffer = arena.allocate(Math.max(1, size));
                    buffer.copyFrom(MemorySegment.ofBuffer(data));
                    return (long)
                            NativeFiles.PWRITE.invokeExact(errno, number(), buffer, size, offset);
                });
    }

    public void sync(boolean dataOnly) throws ErrnoException {
        call((_, errno) ->
                dataOnly
                        ? (int) NativeFiles.FDATASYNC.invokeExact(errno, number())
                        : (int) NativeFiles.FSYNC.invokeExact(errno, number()));
    }

    public void truncate(long size) throws ErrnoException {
        call((_, errno) -> (int) NativeFiles.FTRUNCATE.invokeExact(errno, number(), size));
    }

    public void allocate(int mode, long offset, long length) throws ErrnoException {
        call((_, errno) ->
                (int) NativeFiles.FALLOCATE.invokeExact(errno, number(), mode, offset, length));
    }

    /** As lseek(2); for finding data and holes. */
    public long seek(long offset, int whence) throws ErrnoException {
        return call((_, errno) ->
                (long) NativeFiles.LSEEK.invokeExact(errno, number(), offset, whence));
    }

    /** Copies within the kernel; returns how many bytes. */
    public long copyTo(OpenFile target, long from, long to, long length) throws ErrnoException {
        return call((arena, errno) -> {
            var offsets = arena.allocate(16, 8);
            offsets.set(ValueLayout.JAVA_LONG, 0, from);
            offsets.set(ValueLayout.JAVA_LONG, 8, to);
            return (long)
                    NativeFiles.COPY_FILE_RANGE.invokeExact(
                            errno,
                            number(),
                            offsets.asSlice(0, 8),
                            target.number(),
                            offsets.asSlice(8, 8),
                            length,
                            0);
        });
    }

    /**
     * An entry of a directory.
     *
     * @param next where to go on after it
     * @param type as d_type of dirent.h
     */
    public record Entry(long inode, long next, int type, byte[] name) {}

    /**
     * Some entries of this directory from a place on, in the order of the file system; none at its
     * end. Not for two threads at once.
     *
     * @param bytes what the kernel may fill with them
     */
    public List<Entry> entries(long from, int bytes) throws ErrnoException {
        seek(from, SEEK_SET);
        var entries = new ArrayList<Entry>();
        call((arena, errno) -> {
            var buffer = arena.allocate(bytes, 8);
            var size =
                    (long) NativeFiles.GETDENTS.invokeExact(errno, number(), buffer, (long) bytes);
            for (long at = 0; at < size; ) {
                var length = Short.toUnsignedInt(buffer.get(ValueLayout.JAVA_SHORT, at + 16));
                entries.add(entry(buffer.asSlice(at, length)));
                at += length;
            }
            return size;
        });
        return entries;
    }

    /** struct linux_dirent64: inode, next offset, length, type, name with a zero. */
    private static Entry entry(MemorySegment dirent) {
        var name = dirent.asSlice(19).toArray(ValueLayout.JAVA_BYTE);
        var end = 0;
        while (end < name.length && name[end] != 0) {
            end++;
        }
        return new Entry(
                dirent.get(ValueLayout.JAVA_LONG, 0),
                dirent.get(ValueLayout.JAVA_LONG, 8),
                Byte.toUnsignedInt(dirent.get(ValueLayout.JAVA_BYTE, 18)),
                Arrays.copyOf(name, end));
    }

    private int number() {
        return descriptor.number();
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
