package podvm.agent;

import java.util.List;
import java.util.Optional;
import podvm.engine.Agent.ProcessPlan;

/** Plans with nothing special in them. */
final class Plans {
    private Plans() {}

    static ProcessPlan process(String... args) {
        return new ProcessPlan(
                List.of(args),
                List.of(),
                "",
                "",
                Optional.empty(),
                List.of(),
                false,
                false,
                0,
                0,
                0,
                List.of());
    }
}
