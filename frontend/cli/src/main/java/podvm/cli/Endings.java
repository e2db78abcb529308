package podvm.cli;

import podvm.proto.node.v1.Pod;

/** Why a pod did not do what it should. */
final class Endings {
    private Endings() {}

    /** Says nothing where the containers' own output and exit codes say it all. */
    static void tell(Pod pod, Stdio stdio) {
        if (!pod.getPhase().equals("Failed")) {
            return;
        }
        if (!pod.getReason().isEmpty() || !pod.getMessage().isEmpty()) {
            stdio.tell(
                    "podvm: pod %s: %s"
                            .formatted(pod.getName(), why(pod.getReason(), pod.getMessage())));
        }
        for (var container : pod.getContainersList()) {
            if (container.getState().equals("terminated") && !container.getMessage().isEmpty()) {
                stdio.tell(
                        "podvm: container %s of pod %s: %s"
                                .formatted(
                                        container.getName(),
                                        pod.getName(),
                                        why(container.getReason(), container.getMessage())));
            }
        }
        pod.getConsole().lines().forEach(line -> stdio.tell("  | " + line));
    }

    private static String why(String reason, String message) {
        return reason.isEmpty() || message.isEmpty() ? reason + message : reason + ": " + message;
    }
}
