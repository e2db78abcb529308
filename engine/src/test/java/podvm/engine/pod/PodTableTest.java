package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.limits;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.PodBuilder.withMounts;
import static podvm.engine.fake.PodBuilder.withResources;
import static podvm.engine.fake.PodBuilder.withStdin;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.ContainerSpec.MountSpec;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodStatus;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;

@Timeout(40)
final class PodTableTest {
    @TempDir Path directory;
    private Rig rig;

    @BeforeEach
    void openTheTable() throws Exception {
        rig = new Rig(directory);
    }

    @AfterEach
    void closeTheTable() {
        rig.close();
    }

    private static void assertFails(Kind kind, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void twoLivingPodsCannotShareANameInANamespace() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        assertFails(Kind.ALREADY_EXISTS, () -> rig.run(pod("web").run("server").build()));
        var other = rig.run(pod("web").in("elsewhere").run("server").build());
        assertThat(rig.pods.list()).extracting(PodStatus::id).containsExactly(id, other);
        rig.pods.stop(id, Optional.empty());
        assertThat(rig.run(pod("web").run("true").build())).isNotEqualTo(id);
    }

    @Test
    void aPodIsFoundByNameNamespaceIdAndPrefix() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        assertThat(rig.pods.resolve("web")).isEqualTo(id);
        assertThat(rig.pods.resolve("default/web")).isEqualTo(id);
        assertThat(rig.pods.resolve(id.text())).isEqualTo(id);
        assertThat(rig.pods.resolve(id.text().substring(0, 3))).isEqualTo(id);
        assertFails(Kind.NOT_FOUND, () -> rig.pods.resolve(id.text().substring(0, 2)));
        assertFails(Kind.NOT_FOUND, () -> rig.pods.resolve("other/web"));
        assertFails(Kind.NOT_FOUND, () -> rig.pods.status(PodId.random()));
    }

    @Test
    void aNameInTwoNamespacesMustBeSaidInFull() throws Exception {
        rig.run(pod("web").run("server").build());
        var other = rig.run(pod("web").in("b").run("server").build());
        assertThatThrownBy(() -> rig.pods.resolve("web"))
                .hasMessageContaining("several pods are called web");
        assertThat(rig.pods.resolve("b/web")).isEqualTo(other);
    }

    @Test
    void amongEndedPodsOfOneNameTheNewestIsMeantAndALivingOneBeforeThem() throws Exception {
        var first = rig.run(pod("job").run("true").build());
        rig.awaitEnd(first);
        var second = rig.run(pod("job").run("true").build());
        rig.awaitEnd(second);
        assertThat(rig.pods.resolve("job")).isEqualTo(second);
        var third = rig.run(pod("job").run("server").build());
        assertThat(rig.pods.resolve("job")).isEqualTo(third);
    }

    @Test
    void aRunningPodIsRemovedOnlyByForce() throws Exception {
        var id = rig.run(pod("web").run("deaf").build());
        rig.awaitRunning(id, "deaf");
        assertFails(Kind.CONFLICT, () -> rig.pods.remove(id, false));
        rig.pods.remove(id, true);
        assertThat(rig.pods.list()).isEmpty();
        assertThat(rig.node.journals.readAll()).isEmpty();
        assertThat(Files.exists(rig.node.journals.logs(id))).isFalse();
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void olderEndedPodsAreForgotten() throws Exception {
        PodId first = rig.run(pod("job-first").run("true").build());
        rig.awaitEnd(first);
        var living = rig.run(pod("web").run("server").build());
        for (int i = 0; i < 12; i++) {
            rig.awaitEnd(rig.run(pod("job-" + i).run("true").build()));
        }
        assertFails(Kind.NOT_FOUND, () -> rig.pods.status(first));
        assertThat(rig.pods.status(living).phase().ended()).isFalse();
        assertThat(rig.node.journals.readAll())
                .hasSizeLessThanOrEqualTo(Rig.SETTINGS.endedPodsKept() + 2);
    }

    @Test
    void aPodThatIsTooLargeIsRefusedWithNothingMade() throws Exception {
        var huge = withResources(container("true"), limits(null, 1L << 50));
        assertFails(Kind.EXHAUSTED, () -> rig.run(pod("job").run(huge).build()));
        assertThat(rig.node.journals.readAll()).isEmpty();
        assertThat(rig.pods.list()).isEmpty();
    }

    @Test
    void aPodThatMountsAVolumeItDoesNotHaveIsRefused() {
        var lost = withMounts(container("true"), new MountSpec("data", "/data", false, ""));
        assertThatThrownBy(() -> rig.run(pod("job").run(lost).build()))
                .hasMessageContaining("mounts volume data");
        assertThat(rig.pods.list()).isEmpty();
    }

    @Test
    void aPodThatCannotBeJournalledIsRefusedWithNothingMade() {
        rig.node.journals.diskIsFull(true);
        assertFails(Kind.EXHAUSTED, () -> rig.run(pod("job").run("true").build()));
        assertThat(rig.pods.list()).isEmpty();
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aProcessRunsInARunningContainerOnly() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        rig.awaitRunning(id, "server");
        var output = new Output();
        try (var session = rig.pods.exec(id, Optional.empty(), exec("echo", "hi"), output)) {
            assertThat(session.await().exitCode()).isZero();
        }
        assertThat(output.text()).isEqualTo("hi\n");
        assertFails(
                Kind.NOT_FOUND,
                () -> rig.pods.exec(id, Optional.of("nobody"), exec("echo"), output));
        assertFails(Kind.INVALID, () -> rig.pods.exec(id, Optional.empty(), exec(), output));
        rig.pods.stop(id, Optional.empty());
        assertFails(Kind.CONFLICT, () -> rig.pods.exec(id, Optional.empty(), exec("a"), output));
    }

    @Test
    void whoIsAttachedHearsAndIsHeardUntilTheContainerEnds() throws Exception {
        rig.node.programs.put(
                "parrot",
                process -> {
                    for (var word = process.read(); !word.isEmpty(); word = process.read()) {
                        process.println(word);
                    }
                    return 4;
                });
        var id = rig.run(pod("web").run(withStdin(container("parrot"))).build());
        rig.awaitRunning(id, "parrot");
        var output = new Output();
        try (var attachment = rig.pods.attach(id, Optional.empty(), output)) {
            attachment.stdin("polly".getBytes());
            Rig.eventually(() -> output.text().equals("polly\n"));
            attachment.closeStdin();
            assertThat(attachment.await()).isEqualTo(4);
        }
        assertThat(rig.log(id, "parrot")).containsExactly("polly");
    }

    @Test
    void aClientThatFailsDoesNotStopTheLog() throws Exception {
        rig.node.programs.put(
                "talker",
                process -> {
                    var _ = process.nextSignal();
                    process.println("one");
                    return process.println("two");
                });
        var id = rig.run(pod("web").run("talker").build());
        rig.awaitRunning(id, "talker");
        ExecOutput broken =
                new ExecOutput() {
                    @Override
                    public void stdout(byte[] data) {
                        throw new IllegalStateException("the client is gone");
                    }

                    @Override
                    public void stderr(byte[] data) {}
                };
        try (var _ = rig.pods.attach(id, Optional.empty(), broken)) {
            rig.pods.stop(id, Optional.empty());
        }
        assertThat(rig.log(id, "talker")).containsExactly("one", "two");
    }

    @Test
    void whoIsAttachedHearsNothingTwiceAfterALostConnection() throws Exception {
        rig.node.programs.put(
                "prompt",
                process -> {
                    process.print("no newline");
                    var _ = process.nextSignal();
                    return process.println(" and on");
                });
        var id = rig.run(pod("web").run("prompt").build());
        var output = new Output();
        rig.awaitRunning(id, "prompt");
        try (var _ = rig.pods.attach(id, Optional.empty(), output)) {
            Rig.eventually(() ->
                    rig.pods.status(id).timeline().stream()
                            .anyMatch(at -> at.name().equals("container.output prompt")));
            rig.guest().disconnectAll();
            Rig.eventually(() -> rig.guest().connections() == 1);
            rig.pods.stop(id, Optional.empty());
        }
        assertThat("no newline and on\n").endsWith(output.text());
        assertThat(rig.log(id, "prompt")).containsExactly("no newline and on");
    }

    @Test
    void aFollowerOfAPodSeesAllAttemptsAndEndsWithIt() throws Exception {
        var tries = new java.util.concurrent.atomic.AtomicInteger();
        rig.node.programs.put(
                "flaky",
                process -> {
                    process.println("try " + tries.get());
                    return tries.getAndIncrement() < 2 ? 1 : 0;
                });
        var id =
                rig.run(
                        pod("job")
                                .restart(podvm.engine.PodSpec.RestartPolicy.ON_FAILURE)
                                .run("flaky")
                                .build());
        var lines = new CopyOnWriteArrayList<String>();
        rig.pods.logs(
                id,
                Optional.empty(),
                new LogQuery(Follow.YES, Optional.empty(), Optional.empty()),
                line -> lines.add(new String(line.text())));
        assertThat(lines).containsExactly("try 0", "try 1", "try 2");
        assertThat(rig.pods.status(id).phase().ended() || rig.awaitEnd(id) != null).isTrue();
    }

    @Test
    void manyPodsAtOnceAllEndAndLeaveNothing() throws Exception {
        var ids = new java.util.ArrayList<PodId>();
        for (int i = 0; i < 50; i++) {
            ids.add(rig.run(pod("job-" + i).init("true").run("echo", "hi").build()));
        }
        for (var id : ids) {
            try {
                assertThat(rig.awaitEnd(id).phase()).isEqualTo(PodStatus.Phase.SUCCEEDED);
            } catch (PodException e) {
                // forgotten already, as an older ended pod
                assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
            }
        }
        Rig.eventually(() -> !rig.pods.busy());
        assertThat(rig.node.open()).isEmpty();
    }

    private static ExecSpec exec(String... args) {
        return new ExecSpec(List.of(args), List.of(), "", "", false, false, 80, 24);
    }

    private static final class Output implements ExecOutput {
        private final StringBuffer text = new StringBuffer();

        @Override
        public void stdout(byte[] data) {
            text.append(new String(data));
        }

        @Override
        public void stderr(byte[] data) {
            text.append(new String(data));
        }

        String text() {
            return text.toString();
        }
    }
}
