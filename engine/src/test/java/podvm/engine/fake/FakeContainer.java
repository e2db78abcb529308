package podvm.engine.fake;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.Agent.OutputStreamKind;

/** A container in a fake guest. All of it is guarded by the guest. */
final class FakeContainer {
    private static final int KILL = 9;

    /** Output that the daemon has not acknowledged. */
    record Chunk(OutputStreamKind stream, long offset, byte[] data, Instant time) {
        long end() {
            return offset + data.length;
        }

        Chunk from(long position) {
            int skip = Math.toIntExact(position - offset);
            return new Chunk(
                    stream, position, java.util.Arrays.copyOfRange(data, skip, data.length), time);
        }
    }

    final ContainerPlan plan;
    final FakeProcess process;
    final Deque<Chunk> unacknowledged = new ArrayDeque<>();
    private final Map<OutputStreamKind, Long> written = new EnumMap<>(OutputStreamKind.class);
    private final FakeGuest guest;
    ContainerReport.Phase phase = ContainerReport.Phase.CREATED;
    boolean outputOpen = true;
    private int exitCode;
    private int signal;
    private Instant started = Instant.EPOCH;
    private Instant exited = Instant.EPOCH;
    private @Nullable Thread thread;

    FakeContainer(FakeGuest guest, ContainerPlan plan) {
        this.guest = guest;
        this.plan = plan;
        this.process = new FakeProcess(plan.process(), this::write);
    }

    String name() {
        return plan.process().args().getFirst();
    }

    Optional<String> start() {
        var program = guest.programs().find(name());
        started = guest.now();
        if (program.isEmpty()) {
            exit(127, 0);
            return Optional.of(name() + ": not found");
        }
        phase = ContainerReport.Phase.RUNNING;
        guest.programs().begun(name());
        guest.changed(report());
        thread = Thread.ofVirtual().name("program-" + name()).start(() -> run(program.get()));
        return Optional.empty();
    }

    private void run(Program program) {
        try {
            int code = program.run(process);
            synchronized (guest) {
                exit(code, 0);
            }
        } catch (InterruptedException e) {
            synchronized (guest) {
                exit(128 + KILL, KILL);
            }
        }
    }

    private void exit(int code, int number) {
        if (phase == ContainerReport.Phase.EXITED) {
            return;
        }
        if (phase == ContainerReport.Phase.RUNNING) {
            guest.programs().ended(name());
        }
        phase = ContainerReport.Phase.EXITED;
        exitCode = code;
        signal = number;
        exited = guest.now();
        outputOpen = guest.outputStaysOpen();
        guest.changed(report());
    }

    void signal(int number) {
        if (number == KILL) {
            kill();
        } else {
            process.signal(number);
        }
    }

    void kill() {
        exit(128 + KILL, KILL);
        var running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    private void write(OutputStreamKind stream, byte[] data) {
        synchronized (guest) {
            if (phase == ContainerReport.Phase.EXITED || data.length == 0) {
                return;
            }
            long offset = written.getOrDefault(stream, 0L);
            unacknowledged.add(new Chunk(stream, offset, data, guest.now()));
            written.put(stream, offset + data.length);
            guest.notifyAll();
        }
    }

    void acknowledge(OutputStreamKind stream, long offset) {
        var rest = new ArrayDeque<Chunk>();
        for (var chunk : unacknowledged) {
            if (chunk.stream() != stream || chunk.offset() >= offset) {
                rest.add(chunk);
            } else if (chunk.end() > offset) {
                rest.add(chunk.from(offset));
            }
        }
        unacknowledged.clear();
        unacknowledged.addAll(rest);
        guest.notifyAll();
    }

    long written(OutputStreamKind stream) {
        return written.getOrDefault(stream, 0L);
    }

    ContainerReport report() {
        return new ContainerReport(plan.id(), phase, exitCode, signal, false, started, exited);
    }
}
