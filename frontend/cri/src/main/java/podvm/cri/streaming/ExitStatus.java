package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import podvm.engine.Agent;
import podvm.engine.PodException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a process ended, as a Kubernetes Status object: what the error stream carries since version 4
 * of its protocol.
 */
final class ExitStatus {
    private static final JsonMapper JSON = new JsonMapper();

    private ExitStatus() {}

    static byte[] of(Agent.ExecResult result) {
        if (result.failure().isPresent()) {
            return failure(result.failure().get());
        }
        if (result.exitCode() == 0) {
            return bytes(status("Success"));
        }
        var status = status("Failure");
        status.put("reason", "NonZeroExitCode");
        status.put("message", "the command ended with exit code " + result.exitCode());
        var cause = status.putObject("details").putArray("causes").addObject();
        cause.put("reason", "ExitCode");
        cause.put("message", Integer.toString(result.exitCode()));
        return bytes(status);
    }

    static byte[] of(PodException failure) {
        return failure(failure.describe());
    }

    private static byte[] failure(String message) {
        var status = status("Failure");
        status.put("reason", "InternalError");
        status.put("message", message);
        status.put("code", 500);
        return bytes(status);
    }

    private static ObjectNode status(String word) {
        var status = JsonNodeFactory.instance.objectNode();
        status.put("kind", "Status");
        status.put("apiVersion", "v1");
        status.putObject("metadata");
        status.put("status", word);
        return status;
    }

    private static byte[] bytes(ObjectNode status) {
        return JSON.writeValueAsString(status).getBytes(UTF_8);
    }
}
