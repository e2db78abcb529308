package podvm.engine.fake;

/** What a container of a fake guest runs. */
@FunctionalInterface
public interface Program {
    /** Returns the exit code; interrupted when it is killed. */
    int run(FakeProcess process) throws InterruptedException;
}
