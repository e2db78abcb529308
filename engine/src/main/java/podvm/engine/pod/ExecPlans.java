package podvm.engine.pod;

import java.util.List;
import java.util.Optional;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.ExecSpec;

/** What the guest is told of a process that is to run beside a container's own. */
final class ExecPlans {
    private ExecPlans() {}

    /**
     * @param remedy for who asks for no command
     */
    static ProcessPlan of(ExecSpec spec, String remedy) throws PodException {
        if (spec.args().isEmpty()) {
            throw new PodException(Kind.INVALID, "no command to execute", remedy);
        }
        return new ProcessPlan(
                spec.args(),
                spec.env(),
                spec.workingDir(),
                spec.user(),
                Optional.empty(),
                List.of(),
                false,
                spec.terminal(),
                spec.columns(),
                spec.rows(),
                0,
                List.of());
    }
}
