package podvm.engine;

import java.util.regex.Pattern;

/**
 * A pod sandbox as the kubelet knows it: 64 hex digits, as long as the ids of other runtimes. Its
 * first 32 are the {@link PodId} from which host objects have their names.
 */
public record SandboxId(String text) {
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}");

    public static SandboxId random() {
        return new SandboxId(PodId.randomHex() + PodId.randomHex());
    }

    public static SandboxId parse(String text) throws PodException {
        if (!FORM.matcher(text).matches()) {
            throw new PodException(
                    PodException.Kind.NOT_FOUND,
                    "no such pod sandbox: " + text,
                    "its id has 64 hex digits, as crictl pods --no-trunc shows them");
        }
        return new SandboxId(text);
    }

    public PodId pod() {
        return new PodId(text.substring(0, 32));
    }

    @Override
    public String toString() {
        return text;
    }
}
