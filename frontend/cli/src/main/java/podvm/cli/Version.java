package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.VersionRequest;
import podvm.proto.node.v1.VersionResponse;

/** Says what runs here. */
final class Version implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "version", "", "print the versions of podvm and podvmd", 0, 0, Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        if (!json) {
            session.stdio().print("podvm    " + own());
            session.stdio().flush();
        }
        var daemon =
                session.node()
                        .ask(
                                "Version",
                                VersionRequest.getDefaultInstance(),
                                VersionResponse.parser());
        if (json) {
            session.stdio().print(Json.of(daemon));
            return 0;
        }
        session.stdio().print("podvmd   " + daemon.getVersion());
        session.stdio()
                .print(
                        "         process %d, up %s, %s resident, Java %s"
                                .formatted(
                                        daemon.getPid(),
                                        Amounts.age(daemon.getStartedUnixNs()),
                                        Amounts.bytes(daemon.getRssBytes()),
                                        daemon.getJavaVersion()));
        session.stdio()
                .print(
                        "         accelerator %s, state in %s"
                                .formatted(daemon.getAccelerator(), daemon.getStateDirectory()));
        return 0;
    }

    /** From the jar's manifest. */
    private static String own() {
        var version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
