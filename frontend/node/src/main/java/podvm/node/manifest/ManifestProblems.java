package podvm.node.manifest;

import java.util.List;

/** The cause of a refused manifest: everything that was found wrong, in the order of its lines. */
public final class ManifestProblems extends Exception {
    private final transient List<Problem> list;

    ManifestProblems(List<Problem> list) {
        super(list.getFirst().message());
        this.list = List.copyOf(list);
    }

    public List<Problem> list() {
        return list;
    }
}
