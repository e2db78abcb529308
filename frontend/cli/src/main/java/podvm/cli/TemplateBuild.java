package podvm.cli;

import java.io.IOException;
import java.util.List;
import podvm.proto.node.v1.BuildTemplateRequest;
import podvm.proto.node.v1.Template;

/** Makes a template before a pod asks for it. */
final class TemplateBuild implements Command {
    private static final long MIB = 1 << 20;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "template build",
                "",
                "make what machines of such pods start as copies of, also in place of an older one",
                0,
                0,
                Option.value(
                        "--cpu-millis", "N", "CPU limits of a pod's containers together, if any"),
                Option.value(
                        "--memory-mib",
                        "N",
                        "memory limits of a pod's containers together, if any"),
                Option.value(
                        "--network", "KIND", "user (as given) or cni: what the pods are joined to"),
                Option.value(
                        "--namespace", "NAME", "whose pods, where namespaces share no templates"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var request =
                BuildTemplateRequest.newBuilder()
                        .setCpuMillis(atLeastOne(given, "--cpu-millis"))
                        .setMemoryBytes(atLeastOne(given, "--memory-mib") * MIB)
                        .setNetwork(given.value("--network").orElse("user"))
                        .setNamespace(given.value("--namespace").orElse("default"))
                        .build();
        var template = session.node().ask("BuildTemplate", request, Template.parser());
        if (json) {
            session.stdio().print(Json.of(template));
        } else {
            TemplateLs.print(session.stdio(), List.of(template));
        }
        return 0;
    }

    /** 0: it is not given. */
    private static long atLeastOne(Given given, String option) throws Failure {
        var number = given.number(option);
        if (number.isPresent() && number.get() == 0) {
            throw Failure.usage(
                    "option " + option + " needs a number from 1 on", "leave it out for no limit");
        }
        return number.orElse(0);
    }
}
