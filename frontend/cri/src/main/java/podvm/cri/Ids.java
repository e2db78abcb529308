package podvm.cri;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxId;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;

/** Finds what an id means: the kubelet sends whole ones, people what tables show of them. */
final class Ids {
    private static final int WHOLE = 64;

    private final Sandboxes sandboxes;

    Ids(Sandboxes sandboxes) {
        this.sandboxes = sandboxes;
    }

    SandboxId sandbox(String text) throws PodException {
        return findSandbox(text).orElseThrow(() -> missing("pod sandbox", text));
    }

    ContainerId container(String text) throws PodException {
        return findContainer(text).orElseThrow(() -> missing("container", text));
    }

    Optional<SandboxId> findSandbox(String text) throws PodException {
        if (text.length() == WHOLE) {
            return known(() -> sandboxes.status(SandboxId.parse(text)).id());
        }
        return find("pod sandbox", text, sandboxes.list(), SandboxStatus::id, SandboxId::text);
    }

    Optional<ContainerId> findContainer(String text) throws PodException {
        if (text.length() == WHOLE) {
            return known(() -> sandboxes.container(ContainerId.parseLong(text)).id());
        }
        return find(
                "container", text, sandboxes.containers(), SandboxContainer::id, ContainerId::text);
    }

    private interface LookUp<I> {
        I id() throws PodException;
    }

    /** A whole id, which needs no look at the others. */
    private static <I> Optional<I> known(LookUp<I> lookUp) throws PodException {
        try {
            return Optional.of(lookUp.id());
        } catch (PodException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static <T, I> Optional<I> find(
            String what, String text, List<T> all, Function<T, I> id, Function<I, String> idText)
            throws PodException {
        if (text.isEmpty()) {
            throw new PodException(Kind.INVALID, "the id of the " + what + " is empty", "");
        }
        var matches =
                all.stream()
                        .map(id)
                        .filter(one -> idText.apply(one).startsWith(text))
                        .limit(2)
                        .toList();
        if (matches.size() > 1) {
            throw new PodException(
                    Kind.INVALID,
                    "more than one " + what + " has an id that begins with " + text,
                    "use more of its digits");
        }
        return matches.stream().findFirst();
    }

    private static PodException missing(String what, String text) {
        return new PodException(Kind.NOT_FOUND, "no such " + what + ": " + text, "");
    }
}
