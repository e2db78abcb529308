package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Machine;
import podvm.engine.Machine.Origin;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.PodEvent;
import podvm.engine.PodId;
import podvm.engine.fake.FakeAgents;
import podvm.engine.fake.FakeGuest;
import podvm.engine.fake.FakeMachines;
import podvm.engine.fake.FakePrograms;

@Timeout(60)
final class TemplatedMachinesTest {
    private static final MachineSize SIZE = new MachineSize(1, 512);
    private static final Duration BOOT = Duration.ofSeconds(2);

    @TempDir Path directory;

    private final List<PodEvent> events = new CopyOnWriteArrayList<>();
    private FakeMachines fakes;
    private TemplatedMachines machines;

    @BeforeEach
    void templatesAreMadeAtOnce() {
        fakes = new FakeMachines(new FakePrograms(), directory);
        fakes.useTemplates();
        machines =
                new TemplatedMachines(
                        fakes, new FakeAgents(fakes), BOOT, Duration.ZERO, events::add);
    }

    @AfterEach
    void closed() {
        machines.close();
    }

    private Machine boot(MachineSize size) throws Exception {
        var spec = new MachineSpec(PodId.random(), size, List.of(), List.of(), Optional.empty());
        return machines.boot(spec, Deadline.after(BOOT));
    }

    private PodEvent event(String name) throws Exception {
        Rig.eventually(() -> events.stream().anyMatch(event -> event.name().equals(name)));
        return events.stream().filter(event -> event.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void whatHadToBootIsCopiedTheNextTime() throws Exception {
        try (var first = boot(SIZE)) {
            assertThat(first.origin()).isInstanceOf(Origin.Booted.class);
            assertThat(event("TemplateMade").text()).contains("1 vCPU").contains("512 MiB");
            assertThat(fakes.open()).containsExactly(first.pod());
            try (var second = boot(SIZE)) {
                assertThat(second.origin()).isEqualTo(new Origin.Cloned());
            }
        }
    }

    @Test
    void machinesOfAnotherSizeBootAndTheEventSaysWhy() throws Exception {
        boot(SIZE).close();
        event("TemplateMade");
        events.clear();
        boot(new MachineSize(2, 512)).close();
        assertThat(event("ColdBoot").text()).isEqualTo("there is none yet");
    }

    @Test
    void aTemplateWhoseCopyDoesNotAnswerIsNotUsed() throws Exception {
        // the pod's own machine and the draft answer, the trial's guest has ended
        fakes.onBoot(guest -> {
            if (fakes.booted().size() == 3) {
                guest.end(FakeMachines.ENDED);
            } else {
                guest.answer();
            }
        });
        boot(SIZE).close();
        assertThat(event("TemplateFailed").severity()).isEqualTo(PodEvent.Severity.WARNING);
        events.clear();
        try (var next = boot(SIZE)) {
            assertThat(next.origin()).isInstanceOf(Origin.Booted.class);
            assertThat(fakes.open()).containsExactly(next.pod());
        }
        assertThat(events).extracting(PodEvent::name).containsExactly("ColdBoot");
    }

    /** With a deadline that no test would wait for. */
    @Test
    void aTrialThatDiesIsNotWaitedFor() throws Exception {
        machines.close();
        var patient =
                new TemplatedMachines(
                        fakes,
                        new FakeAgents(fakes),
                        Duration.ofHours(1),
                        Duration.ZERO,
                        events::add);
        try (patient) {
            fakes.onBoot(guest -> {
                if (fakes.booted().size() == 3) {
                    guest.end(FakeMachines.ENDED);
                } else {
                    guest.answer();
                }
            });
            var spec =
                    new MachineSpec(PodId.random(), SIZE, List.of(), List.of(), Optional.empty());
            patient.boot(spec, Deadline.after(BOOT)).close();
            assertThat(event("TemplateFailed").text()).contains("ended");
        }
    }

    @Test
    void closingGivesUpWhatIsBeingMade() throws Exception {
        var drafting = new CountDownLatch(1);
        fakes.onBoot(guest -> {
            if (fakes.booted().size() == 1) {
                guest.answer();
            } else {
                drafting.countDown();
            }
        });
        boot(SIZE).close();
        drafting.await();
        machines.close();
        assertThat(fakes.open()).isEmpty();
        assertThat(fakes.booted()).noneMatch(FakeGuest::alive);
    }
}
