package podvm.engine.pod;

import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.OutputSink;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.ContainerId;
import podvm.engine.PodException;

/**
 * Gives a container's output to its log and to whoever is attached; a slow client holds the
 * container back, as a terminal does.
 */
final class OutputHub {
    private final List<ExecOutput> clients = new CopyOnWriteArrayList<>();

    /** Of the current attempt: where the next output for clients begins. One pump at a time. */
    private final Map<OutputStreamKind, Long> shown = new EnumMap<>(OutputStreamKind.class);

    private @Nullable ContainerId current;

    void join(ExecOutput client) {
        clients.add(client);
    }

    void leave(ExecOutput client) {
        clients.remove(client);
    }

    /**
     * @param attempt output that comes again after a lost connection is known by its attempt, and
     *     not given to clients twice
     */
    OutputSink to(OutputSink log, ContainerId attempt, Runnable firstOutput) {
        return new OutputSink() {
            @Override
            public void chunk(
                    OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack)
                    throws PodException {
                if (!attempt.equals(current)) {
                    current = attempt;
                    shown.clear();
                    firstOutput.run();
                }
                log.chunk(stream, offset, data, time, ack);
                long before = shown.getOrDefault(stream, offset);
                int skip = Math.toIntExact(Math.clamp(before - offset, 0, data.length));
                shown.put(stream, Math.max(before, offset + data.length));
                if (skip < data.length) {
                    show(stream, skip == 0 ? data : Arrays.copyOfRange(data, skip, data.length));
                }
            }

            @Override
            public void end(OutputStreamKind stream, Ack ack) throws PodException {
                log.end(stream, ack);
            }
        };
    }

    private void show(OutputStreamKind stream, byte[] data) {
        for (var client : clients) {
            try {
                switch (stream) {
                    case STDOUT -> client.stdout(data);
                    case STDERR -> client.stderr(data);
                }
            } catch (RuntimeException e) {
                // a client that went away must not stop the log, nor with it the container
                leave(client);
            }
        }
    }
}
