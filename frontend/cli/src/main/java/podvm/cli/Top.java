package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.PodProcessesRequest;
import podvm.proto.node.v1.PodProcessesResponse;

/** Lists the processes of a pod. */
final class Top implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "top",
                "POD",
                "list the processes of a running pod",
                1,
                1,
                Option.value("-c, --container", "NAME", "of this container only"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        boolean json = given.json();
        var request =
                PodProcessesRequest.newBuilder()
                        .setPod(given.operands().getFirst())
                        .setContainer(given.value("--container").orElse(""))
                        .build();
        var response = session.node().ask("PodProcesses", request, PodProcessesResponse.parser());
        if (json) {
            session.stdio().print(Json.of(response.getProcessesList()));
            return 0;
        }
        var table =
                new Table("CONTAINER", "PID", "PPID", "UID", "STATE", "CPU", "MEMORY", "COMMAND");
        for (var process : response.getProcessesList()) {
            table.add(
                    process.getContainer(),
                    Long.toString(process.getPid()),
                    Long.toString(process.getParentPid()),
                    Long.toString(process.getUid()),
                    process.getState(),
                    cpu(process.getCpuMs()),
                    Amounts.bytes(process.getResidentBytes()),
                    process.getCommand());
        }
        table.print(session.stdio());
        return 0;
    }

    /** Minutes and seconds, with hundredths. */
    private static String cpu(long millis) {
        return "%d:%02d.%02d".formatted(millis / 60_000, millis / 1000 % 60, millis / 10 % 100);
    }
}
