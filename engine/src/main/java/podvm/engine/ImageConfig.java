package podvm.engine;

import java.util.List;
import java.util.Map;

/**
 * What an image says about running it.
 *
 * @param user empty: root; else "name", "uid", "name:group", "uid:gid"
 * @param stopSignal empty: SIGTERM; else "SIGINT", "INT" or a number
 */
public record ImageConfig(
        List<String> entrypoint,
        List<String> cmd,
        List<String> env,
        String user,
        String workingDir,
        String stopSignal,
        Map<String, String> labels) {}
