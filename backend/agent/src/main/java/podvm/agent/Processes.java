package podvm.agent;

import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.GuestProcess;
import podvm.proto.agent.v1.ListProcessesResponse;
import podvm.proto.agent.v1.ProcessUse;

/**
 * What the guest says of its processes. All of it may be a lie, and none of it steers a terminal.
 */
final class Processes {
    private static final int MOST = 4096;

    private Processes() {}

    static List<GuestProcess> read(ListProcessesResponse response) {
        return response.getProcessesList().stream()
                .limit(MOST)
                .flatMap(process -> read(process).stream())
                .toList();
    }

    private static Optional<GuestProcess> read(ProcessUse process) {
        return ContainerId.of(process.getContainerId())
                .map(container ->
                        new GuestProcess(
                                container,
                                Integer.toUnsignedLong(process.getPid()),
                                Integer.toUnsignedLong(process.getParentPid()),
                                Integer.toUnsignedLong(process.getUid()),
                                state(process.getState()),
                                GuestNumbers.size(process.getCpuMs()),
                                GuestNumbers.size(process.getResidentBytes()),
                                GuestText.clean(process.getCommand())));
    }

    private static String state(String text) {
        return text.matches("[A-Za-z]") ? text : "?";
    }
}
