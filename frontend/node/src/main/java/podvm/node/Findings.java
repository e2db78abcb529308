package podvm.node;

import java.util.List;
import podvm.engine.Finding;
import podvm.proto.node.v1.DoctorResponse;

/** Prerequisites as the wire has them. */
final class Findings {
    private Findings() {}

    static DoctorResponse message(List<Finding> findings) {
        var response = DoctorResponse.newBuilder();
        findings.forEach(finding -> response.addFindings(message(finding)));
        return response.build();
    }

    private static podvm.proto.node.v1.Finding message(Finding finding) {
        return podvm.proto.node.v1.Finding.newBuilder()
                .setName(finding.name())
                .setState(
                        switch (finding.state()) {
                            case OK -> podvm.proto.node.v1.Finding.State.OK;
                            case WARNING -> podvm.proto.node.v1.Finding.State.WARNING;
                            case MISSING -> podvm.proto.node.v1.Finding.State.MISSING;
                        })
                .setVersion(finding.version())
                .setDetail(finding.detail())
                .setRemedy(finding.remedy())
                .build();
    }
}
