package podvm.machine.qemu;

import java.time.Instant;
import java.util.List;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.Descriptor;
import podvm.linux.MemoryFile;

/**
 * A machine that has booted and was stopped: its memory and the state of its devices. Both files
 * are sealed, so that no copy can change what the others see.
 */
final class Template implements AutoCloseable {
    private final MemoryFile memory;
    private final MemoryFile state;
    private final Instant made = Instant.now();
    private long bytes;
    private long clones;
    private boolean closed;

    /** Takes over both files. */
    Template(MemoryFile memory, MemoryFile state) {
        this.memory = memory;
        this.state = state;
    }

    Instant made() {
        return made;
    }

    /** Once nothing in it changes any more. */
    synchronized void measure() throws PodException {
        bytes = memory.bytes() + state.bytes();
    }

    synchronized long bytes() {
        return bytes;
    }

    synchronized long clones() {
        return clones;
    }

    /** For one more copy; it does not need the template any longer than this. */
    synchronized List<Descriptor> open() throws PodException {
        if (closed) {
            throw new PodException(Kind.NOT_FOUND, "the template was removed meanwhile", "");
        }
        var first = memory.reader();
        try {
            var both = List.of(first, state.reader());
            clones++;
            return both;
        } catch (PodException e) {
            first.close();
            throw e;
        }
    }

    /** Copies that run keep what they use of it. */
    @Override
    public synchronized void close() {
        closed = true;
        memory.close();
        state.close();
    }
}
