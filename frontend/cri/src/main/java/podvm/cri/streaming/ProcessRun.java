package podvm.cri.streaming;

import java.io.IOException;
import podvm.engine.Agent;
import podvm.engine.PodException;

/** A client joined to a process, from its opening to the last word. */
final class ProcessRun {
    private final Destination.Process destination;
    private final Client client;
    private final Thread thread;

    ProcessRun(Destination.Process destination, Client client) {
        this.destination = destination;
        this.client = client;
        this.thread = Thread.ofVirtual().name("stream").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** The client has left: the session is closed. */
    void cancel() {
        thread.interrupt();
    }

    private void run() {
        try {
            client.finish(result());
        } catch (IOException _) {
            client.drop();
        } catch (InterruptedException _) {
            client.drop();
        } finally {
            client.stdin().discard();
            client.resizes().discard();
        }
    }

    private byte[] result() throws InterruptedException {
        try (var session = destination.opener().open(new Output())) {
            var input = pump("stdin", () -> passInput(session));
            var sizes = pump("resize", () -> passSizes(session));
            try {
                return ExitStatus.of(session.await());
            } finally {
                end(input);
                end(sizes);
            }
        } catch (PodException e) {
            return ExitStatus.of(e);
        }
    }

    private interface Pump {
        void run() throws PodException, InterruptedException;
    }

    private static Thread pump(String name, Pump pump) {
        return Thread.ofVirtual()
                .name("stream-" + name)
                .start(() -> {
                    try {
                        pump.run();
                    } catch (PodException _) {
                        // the process has ended, or takes no more; await() tells
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    private static void end(Thread pump) throws InterruptedException {
        pump.interrupt();
        pump.join();
    }

    private void passInput(Destination.Session session) throws PodException, InterruptedException {
        if (!destination.streams().stdin()) {
            return;
        }
        try {
            for (var data = client.stdin().take(); data.isPresent(); data = client.stdin().take()) {
                session.stdin(data.get());
            }
            session.closeStdin();
        } finally {
            client.stdin().discard();
        }
    }

    private void passSizes(Destination.Session session) throws PodException, InterruptedException {
        var sizes = new TerminalSizes();
        for (var data = client.resizes().take(); data.isPresent(); data = client.resizes().take()) {
            for (var size : sizes.read(data.get())) {
                session.resize(size.columns(), size.rows());
            }
        }
    }

    /** Calls come from the session's thread; a client that has left takes nothing and ends it. */
    private final class Output implements Agent.ExecOutput {
        private interface Send {
            void data(byte[] data) throws IOException, InterruptedException;
        }

        @Override
        public void stdout(byte[] data) {
            pass(destination.streams().stdout(), data, client::stdout);
        }

        @Override
        public void stderr(byte[] data) {
            pass(destination.streams().stderr(), data, client::stderr);
        }

        private void pass(boolean wanted, byte[] data, Send send) {
            if (!wanted) {
                return;
            }
            try {
                send.data(data);
            } catch (IOException _) {
                cancel();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
