package podvm.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Bindings for file trees, apart because only the first share needs them. */
final class NativeFiles {
    static final int AT_FDCWD = -100;
    static final int AT_SYMLINK_NOFOLLOW = 0x100;
    static final int AT_REMOVEDIR = 0x200;
    static final int AT_SYMLINK_FOLLOW = 0x400;
    static final int AT_EMPTY_PATH = 0x1000;

    /** Of unified system call numbers, which all architectures share from 424 on. */
    static final long OPENAT2 = 437;

    static final long OPEN_TREE = 428;
    static final long MOUNT_SETATTR = 442;

    static final MethodHandle OPENAT = openat();
    static final MethodHandle STATX =
            Native.errno("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
    static final MethodHandle FSTATFS = Native.errno("fstatfs", JAVA_INT, JAVA_INT, ADDRESS);
    static final MethodHandle PREAD =
            Native.errno("pread", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    static final MethodHandle PWRITE =
            Native.errno("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    static final MethodHandle LSEEK =
            Native.errno("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
    static final MethodHandle GETDENTS =
            Native.errno("getdents64", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    static final MethodHandle FSYNC = Native.errno("fsync", JAVA_INT, JAVA_INT);
    static final MethodHandle FDATASYNC = Native.errno("fdatasync", JAVA_INT, JAVA_INT);
    static final MethodHandle FTRUNCATE = Native.errno("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    static final MethodHandle FALLOCATE =
            Native.errno("fallocate", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle COPY_FILE_RANGE =
            Native.errno(
                    "copy_file_range",
                    JAVA_LONG,
                    JAVA_INT,
                    ADDRESS,
                    JAVA_INT,
                    ADDRESS,
                    JAVA_LONG,
                    JAVA_INT);
    static final MethodHandle CHMOD = Native.errno("chmod", JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle FCHOWNAT =
            Native.errno("fchownat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle UTIMENSAT =
            Native.errno("utimensat", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    static final MethodHandle READLINKAT =
            Native.errno("readlinkat", JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle SYMLINKAT =
            Native.errno("symlinkat", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
    static final MethodHandle MKDIRAT =
            Native.errno("mkdirat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle MKNODAT =
            Native.errno("mknodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
    static final MethodHandle LINKAT =
            Native.errno("linkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle UNLINKAT =
            Native.errno("unlinkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle RENAMEAT2 =
            Native.errno("renameat2", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle GETXATTR =
            Native.errno("getxattr", JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle SETXATTR =
            Native.errno("setxattr", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT);
    static final MethodHandle LISTXATTR =
            Native.errno("listxattr", JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
    static final MethodHandle REMOVEXATTR = Native.errno("removexattr", JAVA_INT, ADDRESS, ADDRESS);

    private NativeFiles() {}

    private static MethodHandle openat() {
        return Native.variadic("openat", 3, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    }

    /** One native call: its memory and where it leaves its error. */
    @FunctionalInterface
    interface Call {
        long make(Arena arena, MemorySegment errno) throws Throwable;
    }

    /** Makes a call until no signal interrupts it; negative results are errors. */
    static long call(Call call) throws ErrnoException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            while (true) {
                var result = call.make(arena, errno);
                if (result >= 0) {
                    return result;
                }
                var failure = Errno.of(errno).number();
                if (failure != Errno.EINTR) {
                    throw new ErrnoException(failure);
                }
            }
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    /** Bytes with a zero after them, as C wants names. */
    static MemorySegment text(Arena arena, byte[] bytes) {
        var segment = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    static byte[] bytes(MemorySegment segment, long length) {
        return segment.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
}
