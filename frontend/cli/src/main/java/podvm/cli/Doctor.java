package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import podvm.proto.node.v1.DoctorRequest;
import podvm.proto.node.v1.DoctorResponse;
import podvm.proto.node.v1.Finding;

/** Checks what PodVM needs. */
final class Doctor implements Command {
    private static final int SOMETHING_MISSING = 1;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "doctor",
                "",
                "check what this node has of what PodVM needs; 1 when something is missing",
                0,
                0,
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var findings = new ArrayList<Finding>();
        findings.add(java());
        try {
            var response =
                    session.node()
                            .ask(
                                    "Doctor",
                                    DoctorRequest.getDefaultInstance(),
                                    DoctorResponse.parser());
            findings.addAll(response.getFindingsList());
        } catch (Failure e) {
            findings.add(daemonMissing(e));
        }
        if (json) {
            session.stdio().print(Json.of(findings));
        } else {
            print(findings, session.stdio());
        }
        var missing = findings.stream().anyMatch(f -> f.getState() == Finding.State.MISSING);
        return missing ? SOMETHING_MISSING : 0;
    }

    private static Finding java() {
        return Finding.newBuilder()
                .setName("java")
                .setState(Finding.State.OK)
                .setVersion(Runtime.version().toString())
                .setDetail(System.getProperty("java.home", ""))
                .build();
    }

    private static Finding daemonMissing(Failure failure) {
        var lines = failure.text().lines().toList();
        return Finding.newBuilder()
                .setName("podvmd")
                .setState(Finding.State.MISSING)
                .setDetail(String.valueOf(failure.getMessage()))
                .setRemedy(lines.size() > 1 ? lines.getLast().strip() : "")
                .build();
    }

    private static void print(List<Finding> findings, Stdio stdio) throws IOException {
        var table = new Table("CHECK", "STATE", "VERSION", "DETAIL");
        for (var finding : findings) {
            table.add(
                    finding.getName(),
                    finding.getState().name(),
                    finding.getVersion().isEmpty() ? "-" : finding.getVersion(),
                    finding.getDetail().lines().findFirst().orElse(""));
        }
        table.print(stdio);
        for (var finding : findings) {
            if (finding.getState() == Finding.State.OK) {
                continue;
            }
            var advice = new ArrayList<>(finding.getDetail().lines().skip(1).toList());
            if (!finding.getRemedy().isEmpty()) {
                advice.add(finding.getRemedy());
            }
            if (!advice.isEmpty()) {
                stdio.print("\n" + finding.getName() + ":");
            }
            for (var line : advice) {
                stdio.print("  " + line.strip());
            }
        }
    }
}
