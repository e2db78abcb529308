package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.GuestResources;
import podvm.engine.GuestResources.Detail;
import podvm.engine.GuestResources.Setting;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxId;
import podvm.engine.fake.SandboxBuilder;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class SandboxResourcesTest {
    @TempDir Path directory;

    private SandboxRig rig;

    @BeforeEach
    void open() throws Exception {
        rig = new SandboxRig(directory);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void aSandboxIsMeasuredOnBothSides() throws Exception {
        var sandbox = rig.run("web");
        var container = rig.start(sandbox, "server");
        rig.guest().meters.use(container, 42, 1000);
        rig.guest().meters.machineUses(77);

        var stats = rig.table.resources().stats(sandbox, Detail.USUAL);

        assertThat(stats.guest().containers())
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.id()).isEqualTo(container);
                    assertThat(one.group().cpu().usageMicros()).isEqualTo(42);
                });
        assertThat(stats.machine().orElseThrow().cpuNanos()).isEqualTo(77);
    }

    @Test
    void aListLeavesOutWhatCannotAnswer() throws Exception {
        var web = rig.run("web");
        var gone = rig.run("gone");
        rig.table.stop(gone);

        var stats =
                rig.table.resources().stats(List.of(SandboxId.random(), gone, web), Detail.USUAL);

        assertThat(stats.keySet()).containsExactly(web);
    }

    @Test
    void whatHasEndedCannotBeMeasured() throws Exception {
        var sandbox = rig.run("web");
        rig.table.stop(sandbox);

        assertThatThrownBy(() -> rig.table.resources().stats(sandbox, Detail.USUAL))
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONFLICT));
        assertThatThrownBy(() -> rig.table.resources().stats(SandboxId.random(), Detail.USUAL))
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND));
    }

    @Test
    void anotherDaemonMeasuresWhatItHasAdopted() throws Exception {
        var sandbox = rig.run("web");
        var container = rig.start(sandbox, "server");
        rig.guest().meters.use(container, 42, 1000);

        rig.restart();

        assertThat(rig.table.resources().stats(sandbox, Detail.USUAL).guest().containers())
                .hasSize(1);
    }

    private static Resources limits(long quota, long memory) {
        return new Resources(0, quota, 0, memory, 0, 0, "", "", Map.of(), Map.of());
    }

    @Test
    void aChangeReachesTheGuestAndTheNextDaemon() throws Exception {
        var container = rig.start(rig.run("web"), "server");

        rig.table.resources().update(container, limits(50_000, 0));
        rig.table.resources().update(container, limits(0, 1 << 28));
        rig.restart();

        assertThat(rig.guest().meters.changes())
                .extracting(GuestResources.Change::settings)
                .containsExactly(
                        List.of(new Setting("cpu.max", "50000 100000")),
                        List.of(new Setting("memory.max", "268435456")));
        var now = rig.table.container(container).config().resources();
        assertThat(now.cpuQuotaMicros()).isEqualTo(50_000);
        assertThat(now.memoryBytes()).isEqualTo(1 << 28);
    }

    @Test
    void aLimitThatIsTakenAwayIsNone() throws Exception {
        var container = rig.start(rig.run("web"), "server");

        rig.table.resources().update(container, limits(-1, -1));

        assertThat(rig.guest().meters.changes().getFirst().settings())
                .containsExactly(
                        new Setting("cpu.max", "max 100000"), new Setting("memory.max", "max"));
    }

    @Test
    void whatTheMachineDoesNotHaveIsRefusedAndNothingChanges() throws Exception {
        var sandbox = rig.run("web");
        var container = rig.start(sandbox, "server");

        for (var tooMuch : List.of(limits(0, 1L << 50), limits(100_000_000, 0))) {
            refused(() -> rig.table.resources().update(container, tooMuch), Kind.UNSUPPORTED);
            refused(
                    () -> rig.table.resources().update(sandbox, tooMuch, Optional.empty()),
                    Kind.UNSUPPORTED);
        }
        var unknown = new Resources(0, 0, 0, 0, 0, 0, "", "", Map.of("64KB", 1L << 20), Map.of());
        refused(() -> rig.table.resources().update(container, unknown), Kind.UNSUPPORTED);

        assertThat(rig.guest().meters.changes()).isEmpty();
        assertThat(rig.guest().meters.podSettings()).isEmpty();
        assertThat(rig.table.container(container).config().resources()).isEqualTo(Resources.NONE);
    }

    @Test
    void aLimitThatStaysMayBeMoreThanTheMachineHas() throws Exception {
        var wide = new Resources(50_000, 4_000_000, 0, 0, 0, 0, "", "", Map.of(), Map.of());
        var config = SandboxBuilder.container("server").resources(wide).build();
        var container = rig.start(rig.run("web"), config);

        rig.table.resources().update(container, limits(4_000_000, 1 << 28));
        refused(
                () -> rig.table.resources().update(container, limits(3_999_999, 0)),
                Kind.UNSUPPORTED);

        assertThat(rig.guest().meters.changes())
                .singleElement()
                .satisfies(change ->
                        assertThat(change.settings())
                                .containsExactly(
                                        new Setting("cpu.max", "4000000 50000"),
                                        new Setting("memory.max", "268435456")));
    }

    @Test
    void aMachineGrowsWithTheLimitsOfItsContainersTogetherAndGivesVcpusBack() throws Exception {
        var sandbox = rig.run("web");
        rig.guest().growth.room(4, 2048);
        var one = rig.start(sandbox, limited("one", 100_000, 400L << 20));
        var two = rig.start(sandbox, limited("two", 100_000, 200L << 20));
        assertThat(rig.guest().growth.vcpus()).isEqualTo(1);

        rig.table.resources().update(one, limits(150_000, 1000L << 20));

        // 1000 and 200 MiB and the guest's 128 are 688 more than 640, in steps of 128
        assertThat(rig.guest().growth.moreMib()).isEqualTo(768);
        assertThat(rig.guest().growth.vcpus()).isEqualTo(3);

        rig.restart();
        rig.table.resources().update(two, limits(50_000, 0));
        assertThat(rig.guest().growth.vcpus()).isEqualTo(2);
        rig.table.resources().update(one, limits(50_000, 100L << 20));
        assertThat(rig.guest().growth.vcpus()).isEqualTo(1);
        // what the guest does not use goes back by itself
        assertThat(rig.guest().growth.moreMib()).isEqualTo(768);
    }

    private static ContainerConfig limited(String name, long quota, long memory) {
        return SandboxBuilder.container(name)
                .command("server")
                .resources(limits(quota, memory))
                .build();
    }

    @Test
    void vcpusThatAContainerWithoutALimitMayUseStay() throws Exception {
        var sandbox = rig.run("web");
        rig.guest().growth.room(4, 0);
        rig.start(sandbox, "server");
        var one = rig.start(sandbox, limited("one", 100_000, 0));

        rig.table.resources().update(one, limits(300_000, 0));
        rig.table.resources().update(one, limits(100_000, 0));

        assertThat(rig.guest().growth.vcpus()).isEqualTo(3);
    }

    @Test
    void thePodsLimitGrowsItsMachineAndWhatIsAboveTheRoomIsRefused() throws Exception {
        var sandbox = rig.run("web");
        rig.guest().growth.room(2, 256);

        rig.table.resources().update(sandbox, limits(200_000, 700L << 20), Optional.empty());
        assertThat(rig.guest().growth.vcpus()).isEqualTo(2);
        assertThat(rig.guest().growth.moreMib()).isEqualTo(256);
        refused(
                () -> rig.table.resources().update(sandbox, limits(200_001, 0), Optional.empty()),
                Kind.UNSUPPORTED);
        refused(
                () ->
                        rig.table
                                .resources()
                                .update(sandbox, limits(0, 897L << 20), Optional.empty()),
                Kind.UNSUPPORTED);

        rig.table.resources().update(sandbox, limits(100_000, 512L << 20), Optional.empty());
        assertThat(rig.guest().growth.vcpus()).isEqualTo(1);
    }

    private static void refused(ThrowableAssert.ThrowingCallable call, Kind kind) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void whatTheGuestRefusesIsNotTold() throws Exception {
        var container = rig.start(rig.run("web"), "server");
        rig.guest().meters.refuse("memory.max");

        refused(() -> rig.table.resources().update(container, limits(0, 1 << 20)), Kind.INVALID);

        assertThat(rig.table.container(container).config().resources()).isEqualTo(Resources.NONE);
        rig.restart();
        assertThat(rig.table.container(container).config().resources()).isEqualTo(Resources.NONE);
    }

    @Test
    void allContainersTogetherAreLimited() throws Exception {
        var sandbox = rig.run("web");

        rig.table.resources().update(sandbox, limits(30_000, 1 << 26), Optional.empty());

        assertThat(rig.guest().meters.podSettings())
                .containsExactly(
                        new Setting("cpu.max", "30000 100000"),
                        new Setting("memory.max", "67108864"));
    }

    @Test
    void oneThatHasEndedIsChangedInTheRecordAlone() throws Exception {
        var container = rig.start(rig.run("web"), "true");
        rig.await(container, State.EXITED);

        rig.table.resources().update(container, limits(50_000, 0));

        assertThat(rig.guest().meters.changes()).isEmpty();
        assertThat(rig.table.container(container).config().resources().cpuQuotaMicros())
                .isEqualTo(50_000);
    }
}
