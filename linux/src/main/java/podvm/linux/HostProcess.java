package podvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/**
 * A process held by a pidfd, so that a number which the kernel gave to another process is never
 * signalled. Closing gives the handle back and leaves the process as it is.
 */
public final class HostProcess implements AutoCloseable {
    private static final long PIDFD_SEND_SIGNAL = 424;
    private static final long PIDFD_OPEN = 434;
    private static final int P_PIDFD = 3;
    private static final int WEXITED = 4;
    private static final int WNOHANG = 1;
    private static final int CLD_EXITED = 1;
    private static final int SIGINFO_BYTES = 128;
    private static final short POLLIN = 1;

    private final long pid;
    private final Descriptor pidfd;
    private @Nullable ProcessEnd end;

    private HostProcess(long pid, Descriptor pidfd) {
        this.pid = pid;
        this.pidfd = pidfd;
    }

    /**
     * Any process. Whoever opens by number checks afterwards that it is the one that was meant.
     * Fails with NOT_FOUND when it is gone.
     */
    public static HostProcess open(long pid) throws PodException {
        return new HostProcess(pid, pidfd(pid));
    }

    private static Descriptor pidfd(long pid) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var fd = (long) Native.SYSCALL.invokeExact(errno, PIDFD_OPEN, pid, 0L, 0L, 0L);
            if (fd < 0) {
                throw Errno.of(errno).exception("open process", pid);
            }
            return new Descriptor((int) fd);
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    public long pid() {
        return pid;
    }

    public boolean alive() throws PodException {
        return poll().isEmpty();
    }

    /** Looks whether it has ended, without waiting. */
    public synchronized Optional<ProcessEnd> poll() throws PodException {
        if (end == null) {
            end = look();
        }
        return Optional.ofNullable(end);
    }

    /** Waits for the end; fails with DEADLINE. */
    public ProcessEnd await(Deadline deadline) throws PodException, InterruptedException {
        for (var pause = 1L; ; pause = Math.min(pause * 2, 20)) {
            var ended = poll();
            if (ended.isPresent()) {
                return ended.get();
            }
            deadline.check("the end of process " + pid);
            // a blocking wait would hold the carrier of a virtual thread
            Thread.sleep(pause);
        }
    }

    /**
     * Kills it and waits until it is gone, also when our thread is interrupted: who undoes
     * something must not stop half-way. Fails with DEADLINE.
     */
    public void kill(Duration most) throws PodException {
        signal(Signal.KILL);
        var deadline = Deadline.after(most);
        var interrupted = false;
        try {
            while (true) {
                try {
                    await(deadline);
                    return;
                } catch (InterruptedException _) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Succeeds also when the process is gone. */
    public void signal(Signal signal) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var fd = (long) pidfd.number();
            var number = (long) signal.number();
            var done =
                    (long) Native.SYSCALL.invokeExact(errno, PIDFD_SEND_SIGNAL, fd, number, 0L, 0L);
            if (done < 0 && Errno.of(errno).number() != Errno.ESRCH) {
                throw Errno.of(errno).exception("send " + signal + " to process", pid);
            }
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    /** Reaps it where it is our child, so that no zombie is left, and learns how it ended. */
    private @Nullable ProcessEnd look() throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var info = arena.allocate(SIGINFO_BYTES, 8);
            var fd = pidfd.number();
            var flags = WEXITED | WNOHANG;
            if ((int) Native.WAITID.invokeExact(errno, P_PIDFD, fd, info, flags) < 0) {
                if (Errno.of(errno).number() == Errno.ECHILD) {
                    return gone() ? new ProcessEnd.Unknown() : null;
                }
                throw Errno.of(errno).exception("wait for process", pid);
            }
            // siginfo_t on 64-bit Linux: si_code at 8, si_pid at 16, si_status at 24
            if (info.get(ValueLayout.JAVA_INT, 16) == 0) {
                return null;
            }
            var status = info.get(ValueLayout.JAVA_INT, 24);
            return info.get(ValueLayout.JAVA_INT, 8) == CLD_EXITED
                    ? new ProcessEnd.Exited(status)
                    : new ProcessEnd.Killed(new Signal(status));
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    private boolean gone() throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            var poll = arena.allocate(8, 4);
            poll.set(ValueLayout.JAVA_INT, 0, pidfd.number());
            poll.set(ValueLayout.JAVA_SHORT, 4, POLLIN);
            var ready = (int) Native.POLL.invokeExact(errno, poll, 1L, 0);
            if (ready < 0 && Errno.of(errno).number() != Errno.EINTR) {
                throw Errno.of(errno).exception("poll process", pid);
            }
            return ready > 0;
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    @Override
    public void close() {
        pidfd.close();
    }
}
