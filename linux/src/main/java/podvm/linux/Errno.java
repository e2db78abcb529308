package podvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** The error a call left behind. Numbers are those of all 64-bit Linux architectures in use. */
record Errno(int number) {
    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int ESRCH = 3;
    static final int ECHILD = 10;

    /** Memory for one call's errno, to be handed to its binding. */
    static MemorySegment capture(Arena arena) {
        return ((SegmentAllocator) arena).allocate(Linker.Option.captureStateLayout());
    }

    static Errno of(MemorySegment captured) {
        return new Errno(captured.get(ValueLayout.JAVA_INT, 0));
    }

    /**
     * The exception that tells of this error.
     *
     * @param what the call in words, e.g. "open"
     * @param thing what it was done to
     */
    PodException exception(String what, Object thing) {
        return new PodException(
                kind(), "cannot " + what + " " + thing + ": " + name() + " (" + words() + ")", "");
    }

    String name() {
        return switch (number) {
            case 1 -> "EPERM";
            case 2 -> "ENOENT";
            case ESRCH -> "ESRCH";
            case EINTR -> "EINTR";
            case 5 -> "EIO";
            case 9 -> "EBADF";
            case ECHILD -> "ECHILD";
            case EAGAIN -> "EAGAIN";
            case 12 -> "ENOMEM";
            case 13 -> "EACCES";
            case 16 -> "EBUSY";
            case 17 -> "EEXIST";
            case 20 -> "ENOTDIR";
            case 21 -> "EISDIR";
            case 22 -> "EINVAL";
            case 23 -> "ENFILE";
            case 24 -> "EMFILE";
            case 26 -> "ETXTBSY";
            case 28 -> "ENOSPC";
            case 30 -> "EROFS";
            case 32 -> "EPIPE";
            case 36 -> "ENAMETOOLONG";
            case 38 -> "ENOSYS";
            case 98 -> "EADDRINUSE";
            case 104 -> "ECONNRESET";
            case 111 -> "ECONNREFUSED";
            default -> "errno " + number;
        };
    }

    private String words() {
        return switch (number) {
            case 1 -> "not permitted";
            case 2 -> "no such file or directory";
            case ESRCH -> "no such process";
            case 12 -> "out of memory";
            case 13 -> "permission denied";
            case 16 -> "busy";
            case 17 -> "exists already";
            case 23, 24 -> "too many open files";
            case 28 -> "no space left";
            case 30 -> "read-only file system";
            case 98 -> "address in use";
            case 111 -> "nobody listens";
            default -> "see errno(3)";
        };
    }

    private Kind kind() {
        return switch (number) {
            case 1, 13 -> Kind.DENIED;
            case 2, ESRCH, 20 -> Kind.NOT_FOUND;
            case 12, 23, 24, 28 -> Kind.EXHAUSTED;
            case 17, 98 -> Kind.ALREADY_EXISTS;
            case 38 -> Kind.UNSUPPORTED;
            default -> Kind.UNAVAILABLE;
        };
    }
}
