package podvm.engine.pod;

import java.util.List;
import java.util.stream.Collectors;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodStatus;
import podvm.engine.SandboxId;

/** Finds the pod that a user means. */
final class PodReference {
    private static final int MIN_PREFIX = 3;

    private PodReference() {}

    /**
     * @param pods in the order they were made in
     */
    static PodId find(String reference, List<PodStatus> pods) throws PodException {
        var newestFirst = pods.reversed();
        var byName = newestFirst.stream().filter(pod -> isCalled(pod, reference)).toList();
        var live = byName.stream().filter(pod -> !pod.phase().ended()).toList();
        if (live.size() > 1) {
            throw new PodException(
                    Kind.INVALID,
                    "several pods are called " + reference,
                    "say which: " + candidates(live));
        }
        // an ended pod may share its name with others: the newest is meant
        var named = live.isEmpty() ? byName : live;
        if (!named.isEmpty()) {
            return named.getFirst().id();
        }
        var byId =
                reference.length() < MIN_PREFIX
                        ? List.<PodStatus>of()
                        : newestFirst.stream()
                                .filter(pod -> fullId(pod).startsWith(reference))
                                .toList();
        if (byId.size() > 1) {
            throw new PodException(
                    Kind.INVALID,
                    "several pods' ids begin with " + reference,
                    "give more digits: " + candidates(byId));
        }
        if (byId.isEmpty()) {
            throw new PodException(
                    Kind.NOT_FOUND, "no such pod: " + reference, "podvm ps -a lists them");
        }
        return byId.getFirst().id();
    }

    private static boolean isCalled(PodStatus pod, String reference) {
        return reference.indexOf('/') < 0
                ? pod.spec().name().equals(reference)
                : reference.equals(fullName(pod));
    }

    private static String fullName(PodStatus pod) {
        return pod.spec().namespace() + "/" + pod.spec().name();
    }

    /** As long as other tools know it. */
    private static String fullId(PodStatus pod) {
        return pod.sandbox().map(SandboxId::text).orElse(pod.id().text());
    }

    /** The same name in the same namespace may be a kubelet's and one of podvm run. */
    private static String candidates(List<PodStatus> pods) {
        return pods.stream()
                .map(pod -> {
                    var manager = pod.sandbox().isPresent() ? ", kubelet's" : "";
                    return "%s (%s%s)".formatted(fullName(pod), pod.id().brief(), manager);
                })
                .collect(Collectors.joining(", "));
    }
}
