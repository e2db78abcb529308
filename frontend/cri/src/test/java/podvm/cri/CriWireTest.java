package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import podvm.proto.cri.v1.CriProto;

/** Our CRI is the one that is published as a Go module. */
class CriWireTest {
    @Test
    void everyNameNumberAndTypeIsThePublishedOne() throws Exception {
        var program = GoTool.build("descriptors");
        var process = new ProcessBuilder(program.toString()).start();
        var published = FileDescriptorSet.parseFrom(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).isZero();

        var theirs = facts(published.getFile(0));
        var ours = facts(CriProto.getDescriptor().toProto());

        assertThat(theirs).hasSizeGreaterThan(700);
        assertThat(ours).isEqualTo(theirs);
    }

    /** All that is seen on the wire, or changes how a message is written or shown, line by line. */
    private static Set<String> facts(FileDescriptorProto file) {
        var facts = new TreeSet<String>();
        facts.add("package " + file.getPackage() + " " + file.getSyntax());
        for (var service : file.getServiceList()) {
            for (var method : service.getMethodList()) {
                facts.add(
                        "rpc %s.%s %s%s -> %s%s"
                                .formatted(
                                        service.getName(),
                                        method.getName(),
                                        method.getClientStreaming() ? "stream " : "",
                                        method.getInputType(),
                                        method.getServerStreaming() ? "stream " : "",
                                        method.getOutputType()));
            }
        }
        file.getEnumTypeList().forEach(type -> add(facts, file.getPackage(), type));
        file.getMessageTypeList().forEach(type -> add(facts, file.getPackage(), type));
        return facts;
    }

    private static void add(Set<String> facts, String scope, EnumDescriptorProto type) {
        for (var value : type.getValueList()) {
            facts.add(
                    "enum %s.%s.%s = %d"
                            .formatted(scope, type.getName(), value.getName(), value.getNumber()));
        }
    }

    private static void add(Set<String> facts, String scope, DescriptorProto type) {
        var name = scope + "." + type.getName();
        facts.add("message " + name + " map=" + type.getOptions().getMapEntry());
        type.getFieldList().forEach(field -> facts.add("field " + name + "." + fact(field)));
        type.getNestedTypeList().forEach(nested -> add(facts, name, nested));
        type.getEnumTypeList().forEach(nested -> add(facts, name, nested));
        for (var range : type.getReservedRangeList()) {
            facts.add("reserved %s %d-%d".formatted(name, range.getStart(), range.getEnd()));
        }
    }

    private static String fact(FieldDescriptorProto field) {
        return "%s = %d %s %s%s oneof=%s optional=%s deprecated=%s redacted=%s packed=%s"
                .formatted(
                        field.getName(),
                        field.getNumber(),
                        field.getLabel(),
                        field.getType(),
                        field.getTypeName(),
                        field.hasOneofIndex(),
                        field.getProto3Optional(),
                        field.getOptions().getDeprecated(),
                        field.getOptions().getDebugRedact(),
                        field.getOptions().hasPacked()
                                ? field.getOptions().getPacked()
                                : "default");
    }
}
