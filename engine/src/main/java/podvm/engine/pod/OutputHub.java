package podvm.engine.pod;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.OutputSink;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.PodException;

/**
 * Gives a container's output to its log and to whoever is attached; a slow client holds the
 * container back, as a terminal does.
 */
final class OutputHub {
    private final List<ExecOutput> clients = new CopyOnWriteArrayList<>();

    void join(ExecOutput client) {
        clients.add(client);
    }

    void leave(ExecOutput client) {
        clients.remove(client);
    }

    OutputSink to(OutputSink log, Runnable firstOutput) {
        return new OutputSink() {
            private boolean began;

            @Override
            public void chunk(
                    OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack)
                    throws PodException {
                if (!began) {
                    began = true;
                    firstOutput.run();
                }
                log.chunk(stream, offset, data, time, ack);
                for (var client : clients) {
                    switch (stream) {
                        case STDOUT -> client.stdout(data);
                        case STDERR -> client.stderr(data);
                    }
                }
            }

            @Override
            public void end(OutputStreamKind stream, Ack ack) throws PodException {
                log.end(stream, ack);
            }
        };
    }
}
