package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import podvm.cri.Fields.Fate;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.proto.cri.v1.ContainerConfig;
import podvm.proto.cri.v1.CreateContainerRequest;
import podvm.proto.cri.v1.CriProto;
import podvm.proto.cri.v1.IDMapping;
import podvm.proto.cri.v1.LinuxContainerResources;
import podvm.proto.cri.v1.MountPropagation;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.RunPodSandboxRequest;
import podvm.proto.cri.v1.SecurityProfile.ProfileType;
import podvm.proto.cri.v1.Signal;
import podvm.proto.cri.v1.SupplementalGroupsPolicy;
import podvm.proto.cri.v1.UserNamespace;

/** No field is ignored in silence: each one is set, and something must come of it. */
class FieldsTest {
    private static final Path PROFILE = profile();

    private static Path profile() {
        try {
            var file = Files.createTempFile("seccomp", ".json");
            file.toFile().deleteOnExit();
            return Files.writeString(file, "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final ContainerId TARGET = ContainerId.randomLong();

    private final List<String> notes = new ArrayList<>();
    private final Fields fields = new Fields(notes::add);

    @Test
    void theTableHasEveryFieldThatACallerCanSetAndNoOther() {
        var expected = new TreeSet<String>();
        for (var service : CriProto.getDescriptor().getServices()) {
            service.getMethods().forEach(method -> collect(method.getInputType(), expected));
        }
        var inTable = new TreeSet<>(fields.rules().keySet());
        inTable.removeIf(name -> name.split("\\.").length == 3);

        assertThat(inTable).isEqualTo(expected);
    }

    private void collect(Descriptor type, Set<String> all) {
        for (var field : type.getFields()) {
            var name = type.getName() + "." + field.getName();
            if (all.add(name)
                    && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                    && !field.isMapField()
                    && fields.rules().get(name) != null
                    && fields.rules().get(name).fate() == Fate.HONOURED) {
                collect(field.getMessageType(), all);
            }
        }
    }

    @Test
    void theReferenceShowsTheTableAsItIs() throws Exception {
        var page = Files.readString(Path.of("../../docs/reference/cri.md"));
        for (var entry : fields.rules().entrySet()) {
            var rule = entry.getValue();
            if (rule.fate() != Fate.HONOURED) {
                assertThat(page)
                        .contains(
                                "| `%s` | %s | %s |"
                                        .formatted(
                                                entry.getKey(),
                                                rule.fate().name().toLowerCase(Locale.ROOT),
                                                rule.reason()));
            }
        }
    }

    @Test
    void aFieldOfALaterVersionIsNoted() throws Exception {
        var unknown =
                UnknownFieldSet.newBuilder()
                        .addField(
                                99,
                                UnknownFieldSet.Field.newBuilder()
                                        .addLengthDelimited(ByteString.copyFromUtf8("new"))
                                        .build())
                        .build();

        fields.check(sandbox().setUnknownFields(unknown).build());

        assertThat(notes).anyMatch(note -> note.contains("#99"));
    }

    @Test
    void aNoteComesOnce() throws Exception {
        var request = sandbox();
        request.getConfigBuilder().getLinuxBuilder().getResourcesBuilder().setOomScoreAdj(1);
        fields.check(request.build());
        fields.check(request.build());

        assertThat(notes).hasSize(1);
    }

    @TestFactory
    Stream<DynamicTest> somethingComesOfEachFieldOfASandbox() {
        return tests(sandbox().build(), message -> read((RunPodSandboxRequest) message));
    }

    @TestFactory
    Stream<DynamicTest> somethingComesOfEachFieldOfAContainer() {
        return tests(container().build(), message -> read((CreateContainerRequest) message));
    }

    private interface Reader {
        Object read(Message message) throws Exception;
    }

    private static Object read(RunPodSandboxRequest request) throws PodException {
        return SandboxSpecs.read(request, Set.of("", "podvm"));
    }

    private static Object read(CreateContainerRequest request) throws PodException {
        return List.of(
                UserNamespaces.read(
                        "",
                        request.getConfig().getLinux().getSecurityContext().getNamespaceOptions()),
                ContainerConfigs.read(
                        request.getConfig(),
                        Optional.of(Path.of("/var/log/pods/a")),
                        id -> id.equals("target") ? TARGET : new ContainerId(id)));
    }

    private Stream<DynamicTest> tests(Message base, Reader reader) {
        var tests = new ArrayList<DynamicTest>();
        walk(base, List.of(), base, reader, tests);
        return tests.stream();
    }

    /** Each leaf below a message is changed alone, in a copy of the whole request. */
    private void walk(
            Message root,
            List<FieldDescriptor> path,
            Message here,
            Reader reader,
            List<DynamicTest> tests) {
        for (var field : here.getDescriptorForType().getFields()) {
            var whole = new ArrayList<>(path);
            whole.add(field);
            var rule = rule(whole);
            boolean below =
                    field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                            && !field.isMapField()
                            && rule.fate() == Fate.HONOURED;
            if (below) {
                var sub =
                        field.isRepeated()
                                ? (Message) here.getRepeatedField(field, 0)
                                : (Message) here.getField(field);
                walk(root, whole, sub, reader, tests);
            } else if (!name(whole).equals("pod_sandbox_id")) {
                tests.add(
                        DynamicTest.dynamicTest(
                                name(whole), () -> check(root, whole, rule, reader)));
            }
        }
    }

    private Fields.Rule rule(List<FieldDescriptor> path) {
        var field = path.getLast();
        var own = field.getContainingType().getName() + "." + field.getName();
        if (path.size() > 1) {
            var parent = path.get(path.size() - 2);
            var placed =
                    fields.rules()
                            .get(
                                    parent.getContainingType().getName()
                                            + "."
                                            + parent.getName()
                                            + "."
                                            + field.getName());
            if (placed != null) {
                return placed;
            }
        }
        return fields.rules().get(own);
    }

    private static String name(List<FieldDescriptor> path) {
        return String.join(".", path.stream().map(FieldDescriptor::getName).toList());
    }

    private static void check(
            Message root, List<FieldDescriptor> path, Fields.Rule rule, Reader reader)
            throws Exception {
        var heard = new ArrayList<String>();
        var fields = new Fields(heard::add);
        var changed = change(root, path);
        var name = name(path);
        switch (rule.fate()) {
            case REFUSED ->
                    assertThatThrownBy(() -> fields.check(changed))
                            .isInstanceOf(PodException.class)
                            .hasMessageContaining(name);
            case NOTED -> {
                fields.check(changed);
                assertThat(heard).anyMatch(note -> note.contains(name));
            }
            case REPEATED -> {
                fields.check(changed);
                assertThat(heard).isEmpty();
                assertThat(rule.reason()).isNotEmpty();
            }
            case HONOURED -> {
                fields.check(changed);
                assertThat(outcome(reader, changed)).isNotEqualTo(reader.read(root));
            }
        }
    }

    /** What was read; or why not, where what was set cannot be had: that is no silence. */
    private static Object outcome(Reader reader, Message message) throws Exception {
        try {
            return reader.read(message);
        } catch (PodException e) {
            return e.getMessage();
        }
    }

    private static Message change(Message message, List<FieldDescriptor> path) {
        var builder = message.toBuilder();
        var field = path.getFirst();
        if (path.size() > 1) {
            var rest = path.subList(1, path.size());
            if (field.isRepeated()) {
                var changed = change((Message) message.getRepeatedField(field, 0), rest);
                return builder.setRepeatedField(field, 0, changed).build();
            }
            return builder.setField(field, change((Message) message.getField(field), rest)).build();
        }
        if (field.isMapField()) {
            var entry = builder.newBuilderForField(field);
            var type = field.getMessageType();
            entry.setField(type.findFieldByName("key"), "key");
            var value = type.findFieldByName("value");
            entry.setField(value, other(value, ""));
            return builder.addRepeatedField(field, entry.build()).build();
        }
        if (field.isRepeated()) {
            return builder.addRepeatedField(field, some(builder, field)).build();
        }
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            return builder.setField(field, some(builder, field)).build();
        }
        return builder.setField(field, other(field, message.getField(field))).build();
    }

    /** A message that says something. */
    private static Object some(Message.Builder parent, FieldDescriptor field) {
        if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
            return other(field, "");
        }
        var builder = parent.newBuilderForField(field);
        var first = builder.getDescriptorForType().getFields().getFirst();
        if (first.isRepeated()) {
            builder.addRepeatedField(first, some(builder, first));
        } else if (first.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            builder.setField(first, some(builder, first));
        } else {
            builder.setField(first, other(first, builder.getField(first)));
        }
        return builder.build();
    }

    private static Object other(FieldDescriptor field, Object now) {
        return switch (field.getJavaType()) {
            case STRING -> field.getName().equals("value") ? now + "1" : now + "x";
            case BOOLEAN -> !(Boolean) now;
            case INT -> now instanceof Integer number ? number + 1 : 1;
            case LONG -> now instanceof Long number ? number + 1000 : 1000L;
            case ENUM -> {
                var values = field.getEnumType().getValues();
                int at =
                        now instanceof com.google.protobuf.Descriptors.EnumValueDescriptor value
                                ? value.getIndex()
                                : 0;
                yield values.get((at + 1) % values.size());
            }
            case FLOAT, DOUBLE, BYTE_STRING, MESSAGE -> throw new IllegalStateException("" + field);
        };
    }

    private static UserNamespace.Builder users() {
        var mapping = IDMapping.newBuilder().setHostId(1000).setLength(65_536);
        return UserNamespace.newBuilder()
                .setMode(NamespaceMode.POD)
                .addUids(mapping)
                .addGids(mapping);
    }

    /** A request in which all is said, so that any one change shows. */
    private static RunPodSandboxRequest.Builder sandbox() {
        var request = RunPodSandboxRequest.newBuilder().setRuntimeHandler("");
        var config = request.getConfigBuilder();
        config.getMetadataBuilder().setName("web").setUid("u").setNamespace("default");
        config.setHostname("web").setLogDirectory("/var/log/pods/a");
        config.getDnsConfigBuilder()
                .addServers("10.0.0.10")
                .addSearches("cluster.local")
                .addOptions("ndots:5");
        config.addPortMappingsBuilder().setContainerPort(80).setHostPort(8080).setHostIp("1.2.3.4");
        var linux = config.getLinuxBuilder();
        linux.getSecurityContextBuilder()
                .getNamespaceOptionsBuilder()
                .setPid(NamespaceMode.CONTAINER)
                .setUsernsOptions(users());
        linux.setCgroupParent("/kubepods/pod1");
        linux.getOverheadBuilder().setMemoryLimitInBytes(1 << 20);
        linux.getResourcesBuilder()
                .setCpuPeriod(100_000)
                .setCpuQuota(50_000_000)
                .setMemoryLimitInBytes(1 << 30)
                .addHugepageLimitsBuilder()
                .setPageSize("2MB")
                .setLimit(4 << 20);
        return request;
    }

    private static CreateContainerRequest.Builder container() {
        var request = CreateContainerRequest.newBuilder().setPodSandboxId("p");
        ContainerConfig.Builder config = request.getConfigBuilder();
        config.getMetadataBuilder().setName("main").setAttempt(1);
        config.getImageBuilder().setImage("sha256:ab").setUserSpecifiedImage("box:1");
        config.addCommand("sh").addArgs("-c").setWorkingDir("/");
        config.addEnvsBuilder().setKey("A").setValue("b");
        config.addMountsBuilder()
                .setContainerPath("/data")
                .setHostPath("/srv")
                .setReadonly(true)
                .setPropagation(MountPropagation.PROPAGATION_PRIVATE);
        config.addDevicesBuilder()
                .setHostPath("/dev/a")
                .setContainerPath("/dev/b")
                .setPermissions("r");
        config.setLogPath("main/0.log").setStopSignal(Signal.SIGINT);
        var linux = config.getLinuxBuilder();
        linux.setResources(
                LinuxContainerResources.newBuilder()
                        .setCpuPeriod(100_000)
                        .setCpuQuota(50_000)
                        .putAllUnified(Map.of("pids.max", "10")));
        linux.getResourcesBuilder().addHugepageLimitsBuilder().setPageSize("2MB").setLimit(1);
        var security = linux.getSecurityContextBuilder();
        security.getCapabilitiesBuilder()
                .addAddCapabilities("NET_ADMIN")
                .addDropCapabilities("CHOWN")
                .addAddAmbientCapabilities("KILL");
        security.getNamespaceOptionsBuilder()
                .setPid(NamespaceMode.TARGET)
                .setTargetId("target")
                .setUsernsOptions(users());
        security.getSelinuxOptionsBuilder().setUser("u").setRole("r").setType("t").setLevel("s0");
        security.getRunAsUserBuilder().setValue(1000);
        security.getRunAsGroupBuilder().setValue(1001);
        security.addSupplementalGroups(7)
                .setSupplementalGroupsPolicy(SupplementalGroupsPolicy.Merge)
                .addMaskedPaths("/proc/kcore")
                .addReadonlyPaths("/proc/sys");
        security.getSeccompBuilder()
                .setProfileType(ProfileType.Localhost)
                .setLocalhostRef(PROFILE.toString());
        security.getApparmorBuilder()
                .setProfileType(ProfileType.Localhost)
                .setLocalhostRef("profile");
        return request;
    }
}
