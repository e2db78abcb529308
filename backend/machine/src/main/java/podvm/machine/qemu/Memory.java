package podvm.machine.qemu;

import java.util.List;
import podvm.engine.PodException;
import podvm.linux.Descriptor;
import podvm.linux.MemoryFile;

/** Where a machine's memory is. */
sealed interface Memory {
    /**
     * What QEMU is handed: nothing, or the memory and the file for all else that there is to know
     * of the machine. The caller closes them.
     */
    List<Descriptor> open() throws PodException;

    /** The machine's own, which nobody else sees. */
    record Own() implements Memory {
        @Override
        public List<Descriptor> open() {
            return List.of();
        }
    }

    /** In a file that becomes a template. */
    record Shared(MemoryFile memory, MemoryFile state) implements Memory {
        @Override
        public List<Descriptor> open() throws PodException {
            var first = memory.writer();
            try {
                return List.of(first, state.writer());
            } catch (PodException e) {
                first.close();
                throw e;
            }
        }
    }

    /** As a template left it; what the machine writes is its own. */
    record Copied(Template template) implements Memory {
        @Override
        public List<Descriptor> open() throws PodException {
            return template.open();
        }
    }
}
