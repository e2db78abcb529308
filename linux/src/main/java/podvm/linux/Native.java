package podvm.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions in use, one line each, for 64-bit Linux with glibc from 2.34 on. Functions that
 * set errno take a segment to keep it in as their first argument.
 */
final class Native {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBC = LINKER.defaultLookup();

    static final MethodHandle OPEN = variadic("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    static final MethodHandle CLOSE = errno("close", JAVA_INT, JAVA_INT);
    static final MethodHandle FCNTL = variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle MEMFD_CREATE = errno("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle FTRUNCATE = errno("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    static final MethodHandle SOCKET = errno("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle BIND = errno("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle LISTEN = errno("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle CONNECT = errno("connect", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle SENDMSG = errno("sendmsg", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle RECV =
            errno("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    static final MethodHandle POLL = errno("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    static final MethodHandle WAITID =
            errno("waitid", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    static final MethodHandle SETNS = errno("setns", JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle UNSHARE = errno("unshare", JAVA_INT, JAVA_INT);
    static final MethodHandle IOCTL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    static final MethodHandle SCHED_SETAFFINITY =
            errno("sched_setaffinity", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
    static final MethodHandle GETEUID = plain("geteuid", JAVA_INT);
    static final MethodHandle GETEGID = plain("getegid", JAVA_INT);

    /** The library's own wrappers of pidfd calls are younger than the glibc asked for. */
    static final MethodHandle SYSCALL =
            variadic(
                    "syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private Native() {}

    static MethodHandle errno(String name, MemoryLayout result, MemoryLayout... arguments) {
        return bind(name, result, arguments, Linker.Option.captureCallState("errno"));
    }

    static MethodHandle variadic(
            String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
        return bind(
                name,
                result,
                arguments,
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(fixed));
    }

    static MethodHandle plain(String name, MemoryLayout result, MemoryLayout... arguments) {
        return bind(name, result, arguments);
    }

    /** What to throw when a binding is wrong: a bug of ours, never of a caller. */
    static AssertionError broken(Throwable cause) {
        return new AssertionError("a native call does not fit its binding", cause);
    }

    private static MethodHandle bind(
            String name, MemoryLayout result, MemoryLayout[] arguments, Linker.Option... options) {
        MemorySegment address =
                LIBC.find(name)
                        .orElseThrow(() ->
                                new LinkageError(
                                        "the C library has no "
                                                + name
                                                + "; PodVM needs glibc 2.34 or newer"));
        return LINKER.downcallHandle(address, FunctionDescriptor.of(result, arguments), options);
    }
}
