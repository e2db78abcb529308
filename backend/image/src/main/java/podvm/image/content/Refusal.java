package podvm.image.content;

import java.io.IOException;
import podvm.engine.PodException;

/**
 * Carries a finding through code that may only throw IOException, such as an InputStream; {@link
 * #cause} is what callers of the package get to see.
 */
public final class Refusal extends IOException {
    private static final long serialVersionUID = 1;
    private final PodException cause;

    public Refusal(PodException cause) {
        super(cause.getMessage(), cause);
        this.cause = cause;
    }

    public static Refusal corrupt(String message) {
        return new Refusal(
                new PodException(
                        PodException.Kind.CORRUPT, message, "fetch or build the image again"));
    }

    public PodException finding() {
        return cause;
    }
}
