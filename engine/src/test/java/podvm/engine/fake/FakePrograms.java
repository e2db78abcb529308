package podvm.engine.fake;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The programs that all guests have, by the first word of a command, with a count of how often each
 * ran and how many ran at the same time.
 */
public final class FakePrograms {
    private final Map<String, Program> programs = new ConcurrentHashMap<>();
    private final Map<String, Count> counts = new ConcurrentHashMap<>();

    private record Count(int runs, int now, int mostAtOnce) {
        Count begun() {
            return new Count(runs + 1, now + 1, Math.max(mostAtOnce, now + 1));
        }

        Count ended() {
            return new Count(runs, now - 1, mostAtOnce);
        }
    }

    public FakePrograms() {
        put("true", _ -> 0);
        put("false", _ -> 1);
        put("echo", process -> process.println(String.join(" ", process.argsAfterName())));
        put("server", FakeProcess::untilSignalled);
        put("deaf", FakeProcess::untilKilled);
    }

    public FakePrograms put(String name, Program program) {
        programs.put(name, program);
        return this;
    }

    Optional<Program> find(String name) {
        return Optional.ofNullable(programs.get(name));
    }

    void begun(String name) {
        counts.merge(name, new Count(1, 1, 1), (old, _) -> old.begun());
    }

    void ended(String name) {
        counts.computeIfPresent(name, (_, old) -> old.ended());
    }

    public int runs(String name) {
        return count(name).runs();
    }

    public int runningNow(String name) {
        return count(name).now();
    }

    /** More than 1 means that a container ran twice at the same time. */
    public int mostAtOnce(String name) {
        return count(name).mostAtOnce();
    }

    private Count count(String name) {
        return counts.getOrDefault(name, new Count(0, 0, 0));
    }
}
