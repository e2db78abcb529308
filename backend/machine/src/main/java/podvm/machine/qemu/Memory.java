package podvm.machine.qemu;

import java.util.List;
import podvm.engine.PodException;
import podvm.linux.Descriptor;
import podvm.linux.MemoryFile;

/** Where a machine's memory is. */
sealed interface Memory {
    /**
     * What QEMU is handed: nothing, or the memory, and for a copy then the file with all else that
     * there is to know of the machine. The caller closes them.
     */
    List<Descriptor> open() throws PodException;

    /** The machine's own, which nobody else sees. */
    record Own() implements Memory {
        @Override
        public List<Descriptor> open() {
            return List.of();
        }
    }

    /** In a file that becomes a template's. */
    record Shared(MemoryFile memory) implements Memory {
        @Override
        public List<Descriptor> open() throws PodException {
            return List.of(memory.writer());
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
