package podvm.network.cni;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import tools.jackson.databind.node.ObjectNode;

/** What a plugin says when it fails, as an error: code, message and details. */
final class PluginFailure {
    private static final int LONGEST = 2000;

    private PluginFailure() {}

    static PodException of(Program.Output output, Optional<ObjectNode> said) {
        if (said.isEmpty() || !said.get().has("code")) {
            var text = new String(output.text(), StandardCharsets.UTF_8).strip();
            var words = output.complaint().isEmpty() ? text : output.complaint();
            return new PodException(
                    Kind.UNAVAILABLE,
                    "it ended with status "
                            + output.status()
                            + (words.isEmpty() ? " and said nothing" : " and said: " + cut(words)),
                    "");
        }
        var code = said.get().path("code").asInt(0);
        var message = new StringBuilder("code ").append(code);
        message.append(": ").append(cut(said.get().path("msg").asString("no message")));
        var details = said.get().path("details").asString("");
        if (!details.isEmpty()) {
            message.append("; ").append(cut(details));
        }
        return new PodException(kind(code), message.toString(), remedy(code));
    }

    /** The codes are those of the specification, section 5, "Error". */
    private static Kind kind(int code) {
        return switch (code) {
            case 1, 2 -> Kind.UNSUPPORTED;
            case 4, 6, 7 -> Kind.INVALID;
            default -> Kind.UNAVAILABLE;
        };
    }

    private static String remedy(int code) {
        return switch (code) {
            case 1, 2, 6, 7 -> "correct the network's configuration";
            case 11 -> "try again later";
            case 50, 51 -> "look after the network add-on: it says it cannot serve now";
            default -> "";
        };
    }

    private static String cut(String text) {
        return text.length() > LONGEST ? text.substring(0, LONGEST) + "..." : text;
    }
}
