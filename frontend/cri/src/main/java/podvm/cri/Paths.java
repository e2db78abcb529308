package podvm.cri;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Paths of the node, as messages spell them. */
final class Paths {
    private Paths() {}

    static Path absolute(String text) throws PodException {
        var path = any(text);
        if (!path.isAbsolute()) {
            throw new PodException(Kind.INVALID, "not an absolute path: " + text, "");
        }
        return path;
    }

    static Path any(String text) throws PodException {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw new PodException(
                    Kind.INVALID, "not a path: " + e.getReason() + " in '" + text + "'", "", e);
        }
    }
}
