package podvm.cri;

import java.util.List;
import java.util.Map;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxStatus;
import podvm.proto.cri.v1.ContainerFilter;
import podvm.proto.cri.v1.PodSandboxFilter;

/** What lists are asked to leave out; all that is said must match. */
final class Filters {
    private Filters() {}

    static List<SandboxStatus> sandboxes(List<SandboxStatus> all, PodSandboxFilter filter) {
        return all.stream()
                .filter(one -> one.id().text().startsWith(filter.getId()))
                .filter(one ->
                        !filter.hasState()
                                || SandboxMessages.state(one) == filter.getState().getState())
                .filter(one -> match(one.spec().labels(), filter.getLabelSelectorMap()))
                .toList();
    }

    static List<SandboxContainer> containers(List<SandboxContainer> all, ContainerFilter filter) {
        return all.stream()
                .filter(one -> one.id().text().startsWith(filter.getId()))
                .filter(one -> one.sandbox().text().startsWith(filter.getPodSandboxId()))
                .filter(one ->
                        !filter.hasState()
                                || ContainerMessages.state(one) == filter.getState().getState())
                .filter(one -> match(one.config().labels(), filter.getLabelSelectorMap()))
                .toList();
    }

    private static boolean match(Map<String, String> labels, Map<String, String> wanted) {
        return labels.entrySet().containsAll(wanted.entrySet());
    }
}
