package podvm.linux;

import static podvm.linux.NativeFiles.AT_EMPTY_PATH;
import static podvm.linux.NativeFiles.AT_FDCWD;
import static podvm.linux.NativeFiles.AT_REMOVEDIR;
import static podvm.linux.NativeFiles.AT_SYMLINK_FOLLOW;
import static podvm.linux.NativeFiles.call;
import static podvm.linux.NativeFiles.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import podvm.engine.PodException;

/**
 * A file of any kind, held without being opened for reading (O_PATH): looking at it follows no
 * link, triggers no device and blocks on no pipe. Names are single elements of a path, as bytes.
 */
public final class Place implements AutoCloseable {
    public static final int RENAME_NOREPLACE = 1;
    public static final int RENAME_EXCHANGE = 2;

    private static final long RESOLVE_NO_MAGICLINKS = 2;
    private static final long RESOLVE_NO_SYMLINKS = 4;
    private static final long RESOLVE_BENEATH = 8;
    private static final int MAX_PATH = 4096;

    /** Renames elsewhere can make the kernel unsure whether a path stayed below (openat2(2)). */
    private static final int TRIES = 16;

    private final Descriptor descriptor;

    Place(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** Follows links, as the path is the host's own. */
    public static Place at(Path path) throws ErrnoException {
        var flags = OpenFlags.PATH | OpenFlags.CLOEXEC;
        var number =
                call((arena, errno) ->
                        (int)
                                NativeFiles.OPENAT.invokeExact(
                                        errno,
                                        AT_FDCWD,
                                        arena.allocateFrom(path.toString()),
                                        flags,
                                        0));
        return new Place(new Descriptor((int) number));
    }

    /** The same file once more; the two are closed apart. */
    public Place again() throws ErrnoException {
        try {
            return new Place(descriptor.duplicate(0));
        } catch (PodException e) {
            throw new ErrnoException(ErrnoException.EMFILE);
        }
    }

    /**
     * What lies at a relative path, which must lead through directories alone and stay below this
     * one; a link at its end is not followed.
     */
    public Place beneath(byte[] path) throws ErrnoException {
        var flags = OpenFlags.PATH | OpenFlags.NOFOLLOW | OpenFlags.CLOEXEC;
        return new Place(openBeneath(path, flags, 0));
    }

    private Descriptor openBeneath(byte[] path, int flags, int mode) throws ErrnoException {
        for (var attempt = 1; ; attempt++) {
            try {
                return new Descriptor(
                        (int)
                                call((arena, errno) -> {
                                    // struct open_how
                                    var how = arena.allocate(24, 8);
                                    how.set(
                                            ValueLayout.JAVA_LONG,
                                            0,
                                            Integer.toUnsignedLong(flags));
                                    how.set(ValueLayout.JAVA_LONG, 8, mode);
                                    how.set(
                                            ValueLayout.JAVA_LONG,
                                            16,
                                            RESOLVE_BENEATH
                                                    | RESOLVE_NO_MAGICLINKS
                                                    | RESOLVE_NO_SYMLINKS);
                                    return (long)
                                            Native.SYSCALL.invokeExact(
                                                    errno,
                                                    NativeFiles.OPENAT2,
                                                    (long) descriptor.number(),
                                                    text(arena, path).address(),
                                                    how.address(),
                                                    how.byteSize());
                                }));
            } catch (ErrnoException e) {
                if (e.number() != Errno.EAGAIN || attempt == TRIES) {
                    throw e;
                }
            }
        }
    }

    public FileStat stat() throws ErrnoException {
        return stat(descriptor);
    }

    static FileStat stat(Descriptor descriptor) throws ErrnoException {
        var stat = new FileStat[1];
        call((arena, errno) -> {
            var buffer = arena.allocate(FileStat.BYTES, 8);
            var result =
                    (int)
                            NativeFiles.STATX.invokeExact(
                                    errno,
                                    descriptor.number(),
                                    arena.allocateFrom(""),
                                    AT_EMPTY_PATH,
                                    FileStat.BASIC_AND_BORN,
                                    buffer);
            stat[0] = FileStat.of(buffer);
            return result;
        });
        return stat[0];
    }

    public FileSystemSpace space() throws ErrnoException {
        var space = new FileSystemSpace[1];
        call((arena, errno) -> {
            var buffer = arena.allocate(FileSystemSpace.BYTES, 8);
            var result = (int) NativeFiles.FSTATFS.invokeExact(errno, number(), buffer);
            space[0] = FileSystemSpace.of(buffer);
            return result;
        });
        return space[0];
    }

    /**
     * Opens the file itself, whatever its name leads to by now. Only for files and directories:
     * opening others has effects.
     */
    public OpenFile open(int flags) throws ErrnoException {
        var all = flags | OpenFlags.CLOEXEC | OpenFlags.NOCTTY | OpenFlags.NONBLOCK;
        var number =
                call((arena, errno) ->
                        (int) NativeFiles.OPENAT.invokeExact(errno, AT_FDCWD, self(arena), all, 0));
        return new OpenFile(new Descriptor((int) number));
    }

    /** Makes a file in this directory; fails where the name is taken. */
    public OpenFile create(byte[] name, int flags, int mode) throws ErrnoException {
        var all =
                flags
                        | OpenFlags.CREATE
                        | OpenFlags.EXCLUSIVE
                        | OpenFlags.NOFOLLOW
                        | OpenFlags.CLOEXEC;
        return new OpenFile(openBeneath(name, all, mode));
    }

    public void makeDirectory(byte[] name, int mode) throws ErrnoException {
        call((arena, errno) ->
                (int) NativeFiles.MKDIRAT.invokeExact(errno, number(), text(arena, name), mode));
    }

    /**
     * @param device as makedev(3) packs it; 0 for all but devices
     */
    public void makeNode(byte[] name, int mode, long device) throws ErrnoException {
        call((arena, errno) ->
                (int)
                        NativeFiles.MKNODAT.invokeExact(
                                errno, number(), text(arena, name), mode, device));
    }

    public void makeLink(byte[] name, byte[] target) throws ErrnoException {
        call((arena, errno) ->
                (int)
                        NativeFiles.SYMLINKAT.invokeExact(
                                errno, text(arena, target), number(), text(arena, name)));
    }

    /** Gives this file another name in a directory. */
    public void link(Place directory, byte[] name) throws ErrnoException {
        call((arena, errno) ->
                (int)
                        NativeFiles.LINKAT.invokeExact(
                                errno,
                                AT_FDCWD,
                                self(arena),
                                directory.number(),
                                text(arena, name),
                                AT_SYMLINK_FOLLOW));
    }

    public void unlink(byte[] name) throws ErrnoException {
        remove(name, 0);
    }

    public void removeDirectory(byte[] name) throws ErrnoException {
        remove(name, AT_REMOVEDIR);
    }

    private void remove(byte[] name, int flags) throws ErrnoException {
        call((arena, errno) ->
                (int) NativeFiles.UNLINKAT.invokeExact(errno, number(), text(arena, name), flags));
    }

    /**
     * @param flags 0, {@link #RENAME_NOREPLACE} or {@link #RENAME_EXCHANGE}
     */
    public void rename(byte[] name, Place directory, byte[] newName, int flags)
            throws ErrnoException {
        call((arena, errno) ->
                (int)
                        NativeFiles.RENAMEAT2.invokeExact(
                                errno,
                                number(),
                                text(arena, name),
                                directory.number(),
                                text(arena, newName),
                                flags));
    }

    /** Its name now; of a file that has none any more, no name of it. */
    public Path path() throws ErrnoException {
        var path = new byte[1][];
        call((arena, errno) -> {
            var buffer = arena.allocate(MAX_PATH);
            var length =
                    (long)
                            NativeFiles.READLINKAT.invokeExact(
                                    errno, AT_FDCWD, self(arena), buffer, buffer.byteSize());
            path[0] = NativeFiles.bytes(buffer, Math.max(0, length));
            return length;
        });
        return Path.of(new String(path[0], StandardCharsets.UTF_8));
    }

    /** Where this link leads. */
    public byte[] target() throws ErrnoException {
        var target = new byte[1][];
        call((arena, errno) -> {
            var buffer = arena.allocate(MAX_PATH);
            var length =
                    (long)
                            NativeFiles.READLINKAT.invokeExact(
                                    errno,
                                    number(),
                                    arena.allocateFrom(""),
                                    buffer,
                                    buffer.byteSize());
            target[0] = NativeFiles.bytes(buffer, Math.max(0, length));
            return length;
        });
        return target[0];
    }

    public void chmod(int mode) throws ErrnoException {
        call((arena, errno) -> (int) NativeFiles.CHMOD.invokeExact(errno, self(arena), mode));
    }

    /** -1 leaves an id as it is. */
    public void chown(int uid, int gid) throws ErrnoException {
        call((arena, errno) ->
                (int)
                        NativeFiles.FCHOWNAT.invokeExact(
                                errno, number(), arena.allocateFrom(""), uid, gid, AT_EMPTY_PATH));
    }

    /** Nanoseconds may be {@link #NOW} or {@link #UNCHANGED}. */
    public void times(FileStat.Time accessed, FileStat.Time modified) throws ErrnoException {
        call((arena, errno) -> {
            var times = arena.allocate(32, 8);
            times.set(ValueLayout.JAVA_LONG, 0, accessed.seconds());
            times.set(ValueLayout.JAVA_LONG, 8, accessed.nanos());
            times.set(ValueLayout.JAVA_LONG, 16, modified.seconds());
            times.set(ValueLayout.JAVA_LONG, 24, modified.nanos());
            return (int) NativeFiles.UTIMENSAT.invokeExact(errno, AT_FDCWD, self(arena), times, 0);
        });
    }

    public static final int NOW = 0x3fffffff;
    public static final int UNCHANGED = 0x3ffffffe;

    /** Fails with ENODATA where there is none, and with ERANGE where it is longer. */
    public byte[] attribute(byte[] name, int most) throws ErrnoException {
        return attributes(
                most,
                (arena, errno, buffer, size) ->
                        (long)
                                NativeFiles.GETXATTR.invokeExact(
                                        errno, self(arena), text(arena, name), buffer, size));
    }

    /** Names, each with a zero after it. */
    public byte[] attributeNames(int most) throws ErrnoException {
        return attributes(
                most,
                (arena, errno, buffer, size) ->
                        (long) NativeFiles.LISTXATTR.invokeExact(errno, self(arena), buffer, size));
    }

    @FunctionalInterface
    private interface AttributeCall {
        long make(Arena arena, MemorySegment errno, MemorySegment buffer, long size)
                throws Throwable;
    }

    private static byte[] attributes(int most, AttributeCall read) throws ErrnoException {
        var value = new byte[1][];
        call((arena, errno) -> {
            var buffer = arena.allocate(most);
            var length = read.make(arena, errno, buffer, most);
            value[0] = NativeFiles.bytes(buffer, Math.max(0, length));
            return length;
        });
        return value[0];
    }

    /**
     * @param flags 0, 1 (only where it is not there) or 2 (only where it is)
     */
    public void setAttribute(byte[] name, byte[] value, int flags) throws ErrnoException {
        call((arena, errno) ->
                (int)
                        NativeFiles.SETXATTR.invokeExact(
                                errno,
                                self(arena),
                                text(arena, name),
                                text(arena, value),
                                (long) value.length,
                                flags));
    }

    public void removeAttribute(byte[] name) throws ErrnoException {
        call((arena, errno) ->
                (int) NativeFiles.REMOVEXATTR.invokeExact(errno, self(arena), text(arena, name)));
    }

    int number() {
        return descriptor.number();
    }

    /** The file by its descriptor: calls without a descriptor of their own reach it so. */
    private MemorySegment self(Arena arena) {
        return text(arena, ("/proc/self/fd/" + number()).getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
