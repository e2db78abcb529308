package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static podvm.engine.fake.SandboxBuilder.container;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.Processes;
import podvm.engine.Agent.Propagation;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.GroupsPolicy;
import podvm.engine.ContainerConfig.Mount;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.ContainerConfig.PidNamespace;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerConfig.Seccomp;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.ContainerConfig.User;
import podvm.engine.ContainerId;
import podvm.engine.ImageConfig;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.fake.FakeImages;
import podvm.engine.fake.SandboxBuilder;
import podvm.engine.seccomp.SeccompProfile;

final class ConfigPlansTest {
    private static final ImageConfig IMAGE =
            new ImageConfig(
                    List.of("/entry"),
                    List.of("cmd"),
                    List.of("A=image", "B=image"),
                    "app:staff",
                    "/srv",
                    "",
                    Map.of());

    private static ContainerPlan plan(SandboxBuilder container) throws Exception {
        return ConfigPlans.of(
                ContainerId.randomLong(),
                container.build(),
                new FakeImages().put("image", IMAGE),
                Optional.empty(),
                new Shown());
    }

    private static final class Shown implements ConfigPlans.Outside {
        @Override
        public MountPlan plan(Mount mount) {
            var source = new podvm.engine.Agent.MountSource.Share("h", Propagation.NONE);
            return new MountPlan(mount.containerPath(), source, mount.readOnly(), "");
        }

        @Override
        public MountPlan plan(ContainerConfig.Device device) {
            var source = new podvm.engine.Agent.MountSource.DeviceFile("D");
            return new MountPlan(device.containerPath(), source, false, "");
        }
    }

    private static SandboxBuilder main() {
        return container("main");
    }

    private static Security security(User user, Seccomp seccomp, String apparmor, String selinux) {
        return new Security(
                false,
                user,
                List.of(5),
                GroupsPolicy.STRICT,
                Set.of("NET_ADMIN"),
                Set.of("ALL"),
                Set.of("KILL"),
                true,
                true,
                List.of(),
                List.of("/proc/sys"),
                seccomp,
                apparmor,
                selinux);
    }

    @Test
    void whatIsLeftEmptyIsTheImages() throws Exception {
        var plan = plan(main().command());
        assertThat(plan.process().args()).containsExactly("/entry", "cmd");
        assertThat(plan.process().user()).isEqualTo("app:staff");
        assertThat(plan.process().workingDir()).isEqualTo("/srv");
        assertThat(plan.process().env()).containsExactly("A=image", "B=image");
        assertThat(plan.security().guarded()).isEmpty();
        assertThat(plan.processes()).isEqualTo(new Processes.Own());
        assertThat(plan(main()).process().args()).containsExactly("main");
    }

    @Test
    void securityIsPassedOnAsItIs() throws Exception {
        var user = new User(Optional.of(7), Optional.of(8), "");
        var all = security(user, new Seccomp.Unconfined(), "unconfined", "");
        var plan = plan(main().security(all));
        assertThat(plan.process().user()).isEqualTo("7");
        assertThat(plan.process().gid()).contains(8);
        assertThat(plan.process().supplementalGids()).containsExactly(5);
        assertThat(plan.process().strictGroups()).isTrue();
        assertThat(plan.readOnlyRoot()).isTrue();
        assertThat(plan.security().capabilities())
                .containsExactlyInAnyOrder("CAP_NET_ADMIN", "CAP_KILL");
        assertThat(plan.security().ambient()).containsExactly("CAP_KILL");
        assertThat(plan.security().noNewPrivileges()).isTrue();
        assertThat(plan.security().calls()).isEqualTo(new Agent.SystemCalls.All());
        assertThat(plan.security().guarded().orElseThrow().masked()).isEmpty();
        assertThat(plan.security().guarded().orElseThrow().readOnly()).containsExactly("/proc/sys");
    }

    @Test
    void aProfileOfTheNodeBecomesAProgramForTheGuest() throws Exception {
        var profile = new SeccompProfile(SeccompProfile.Action.ALLOW, List.of(), List.of());
        var filtered = security(User.IMAGES, new Seccomp.Localhost(profile), "unconfined", "");
        assertThat(plan(main().security(filtered)).security().calls())
                .isInstanceOfSatisfying(
                        Agent.SystemCalls.Filtered.class,
                        calls -> assertThat(calls.program()).isNotEmpty());
    }

    @Test
    void whoseProcessesItSeesIsPassedOn() throws Exception {
        var other = ContainerId.randomLong();
        assertThat(plan(main().pids(new PidNamespace.Pod())).processes())
                .isEqualTo(new Processes.OfPod());
        assertThat(plan(main().pids(new PidNamespace.Target(other))).processes())
                .isEqualTo(new Processes.Of(other));
    }

    @Test
    void resourcesOfCgroupV1BecomeThoseOfCgroupV2() throws Exception {
        var resources =
                new Resources(
                        100_000,
                        50_000,
                        1024,
                        1 << 20,
                        1 << 20,
                        -997,
                        "",
                        "",
                        Map.of("2MB", 0L),
                        Map.of(
                                "memory.oom.group", "1",
                                "memory.min", "4096",
                                "memory.swap.max", "0"));
        var plan = plan(main().resources(resources));
        assertThat(plan.limits().cpuQuotaMicros()).isEqualTo(50_000);
        assertThat(plan.limits().cpuPeriodMicros()).isEqualTo(100_000);
        assertThat(plan.limits().cpuWeight()).isEqualTo(39);
        assertThat(plan.limits().memoryMaxBytes()).isEqualTo(1 << 20);
        assertThat(plan.limits().memoryMinBytes()).isEqualTo(4096);
        assertThat(plan.process().oomScoreAdj()).isEqualTo(-997);
        assertThat(plan(main()).limits().cpuWeight()).isZero();
    }

    @Test
    void anUnlimitedQuotaIsNone() throws Exception {
        var resources = new Resources(100_000, -1, 2, 0, 0, 0, "", "", Map.of(), Map.of());
        assertThat(plan(main().resources(resources)).limits().cpuQuotaMicros()).isZero();
        assertThat(plan(main().resources(resources)).limits().cpuPeriodMicros()).isZero();
    }

    @Test
    void everythingThatCannotBeHonouredIsToldAtOnceByItsName() {
        var config =
                main().mount(
                                mount(
                                        new MountSource.HostPath(Path.of("/var/lib")),
                                        Mount.Propagation.BIDIRECTIONAL),
                                mount(
                                        new MountSource.ImageFiles("tools", Optional.empty()),
                                        Mount.Propagation.HOST_TO_CONTAINER),
                                mount(
                                        new MountSource.EmptyDir("e"),
                                        Mount.Propagation.BIDIRECTIONAL))
                        .device(new ContainerConfig.Device("/dev/kvm", "/dev/kvm", "rwm"))
                        .security(
                                security(
                                        User.IMAGES,
                                        new Seccomp.RuntimeDefault(),
                                        "runtime/default",
                                        "s0"))
                        .resources(
                                new Resources(
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        0,
                                        "0-1",
                                        "0",
                                        Map.of("64KB", 1L, "2MB", 1L),
                                        Map.of("memory.high", "1", "memory.oom.group", "0")));
        var e = catchThrowableOfType(PodException.class, () -> plan(config));
        assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED);
        assertThat(e.getMessage())
                .contains("container main")
                .contains("mounts.propagation (Bidirectional at /m")
                .contains("mounts.propagation (/m), mounts.propagation (/m)")
                .contains("apparmor (runtime/default)")
                .contains("selinux_options (s0)")
                .doesNotContain("cpuset")
                .contains("hugepage_limits (64KB")
                .contains("unified (memory.high=1)")
                .contains("unified (memory.oom.group=0)");
    }

    private static Mount mount(MountSource source, Mount.Propagation propagation) {
        return new Mount("/m", source, "", false, false, propagation, false);
    }

    @Test
    void contradictionsAreRefused() {
        var both = new User(Optional.of(1), Optional.empty(), "app");
        var groupAlone = new User(Optional.empty(), Optional.of(1), "");
        var seccomp = new Seccomp.RuntimeDefault();
        assertThatThrownBy(() -> plan(main().security(security(both, seccomp, "", ""))))
                .hasMessageContaining("both a user's number and a name");
        assertThatThrownBy(() -> plan(main().security(security(groupAlone, seccomp, "", ""))))
                .hasMessageContaining("run_as_group without a user");
        assertThatThrownBy(() -> plan(main().log(Path.of("relative"))))
                .hasMessageContaining("log path");
        assertThatThrownBy(() -> plan(main().stopSignal("NONSENSE")))
                .hasMessageContaining("NONSENSE");
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "1024, 39", "262144, 10000", "1, 1"})
    void sharesBecomeWeights(long shares, int weight) {
        assertThat(CpuWeight.ofShares(shares)).isEqualTo(weight);
    }
}
