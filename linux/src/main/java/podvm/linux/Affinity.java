package podvm.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.Collections;
import podvm.engine.PodException;

/** Which CPUs a thread may run on (sched_setaffinity(2)). */
public final class Affinity {
    private Affinity() {}

    /**
     * Binds one thread of any process. One that has ended is bound already.
     *
     * @param cpus at least one
     */
    public static void set(long thread, Collection<Integer> cpus) throws PodException {
        try (var arena = Arena.ofConfined()) {
            var errno = Errno.capture(arena);
            // whole words, of which the kernel takes more or fewer than it needs itself
            var bytes = (Collections.max(cpus) / 64 + 1) * 8L;
            var mask = arena.allocate(bytes, 8);
            for (var cpu : cpus) {
                var at = cpu / 8;
                var old = mask.get(ValueLayout.JAVA_BYTE, at);
                mask.set(ValueLayout.JAVA_BYTE, at, (byte) (old | 1 << cpu % 8));
            }
            if ((int) Native.SCHED_SETAFFINITY.invokeExact(errno, (int) thread, bytes, mask) < 0
                    && Errno.of(errno).number() != Errno.ESRCH) {
                throw Errno.of(errno).exception("choose CPUs for thread", thread);
            }
        } catch (PodException e) {
            throw e;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }
}
