package podvm.linux;

/** How a process ended. */
public sealed interface ProcessEnd {
    record Exited(int status) implements ProcessEnd {}

    record Killed(Signal signal) implements ProcessEnd {}

    /** Only its parent learns it, and that is not us. */
    record Unknown() implements ProcessEnd {}
}
