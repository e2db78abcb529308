package podvm.node;

import static podvm.engine.PodException.Kind.INVALID;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import podvm.engine.Agent;
import podvm.engine.PodException;
import podvm.engine.Pods;
import podvm.engine.Pods.Attachment;
import podvm.proto.node.v1.AttachRequest;
import podvm.proto.node.v1.AttachResponse;
import podvm.proto.node.v1.Attached;

/** A client's streams joined to a running container's own. */
final class Attach implements Work.Body<AttachResponse> {
    private final Pods pods;
    private final Inlet<AttachRequest> in;

    Attach(Pods pods, Inlet<AttachRequest> in) {
        this.pods = pods;
        this.in = in;
    }

    @Override
    public void run(Outlet<AttachResponse> out)
            throws PodException, InterruptedException, IOException {
        var first = in.take().filter(AttachRequest::hasStart);
        if (first.isEmpty()) {
            throw new PodException(INVALID, "attach did not begin with its start message", "");
        }
        var start = first.get().getStart();
        var pod = pods.resolve(start.getPod());
        var container = Optional.of(start.getContainer()).filter(name -> !name.isEmpty());
        var told = new CountDownLatch(1);
        try (var attachment = pods.attach(pod, container, output(out, told))) {
            out.send(attached(attachment));
            told.countDown();
            var pump =
                    Thread.ofVirtual()
                            .name("attach-input")
                            .start(() -> pump(attachment, start.getStdin()));
            try {
                out.send(AttachResponse.newBuilder().setExitCode(attachment.await()).build());
            } finally {
                pump.interrupt();
                pump.join();
            }
        } finally {
            told.countDown();
        }
    }

    /** The client reads first what it has joined, so output waits for that. */
    private static Agent.ExecOutput output(Outlet<AttachResponse> out, CountDownLatch told) {
        var streams =
                new Streams<>(
                        out,
                        bytes -> AttachResponse.newBuilder().setStdout(bytes).build(),
                        bytes -> AttachResponse.newBuilder().setStderr(bytes).build());
        return new Agent.ExecOutput() {
            @Override
            public void stdout(byte[] data) {
                awaitTold();
                streams.stdout(data);
            }

            @Override
            public void stderr(byte[] data) {
                awaitTold();
                streams.stderr(data);
            }

            private void awaitTold() {
                try {
                    told.await();
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    private static AttachResponse attached(Attachment attachment) {
        return AttachResponse.newBuilder()
                .setAttached(
                        Attached.newBuilder()
                                .setContainer(attachment.container())
                                .setTerminal(attachment.terminal())
                                .setStdin(attachment.hasStdin()))
                .build();
    }

    private void pump(Attachment attachment, boolean stdin) {
        try {
            for (var message = in.take(); message.isPresent(); message = in.take()) {
                pass(message.get(), attachment);
            }
            if (stdin && attachment.hasStdin()) {
                attachment.closeStdin();
            }
        } catch (PodException _) {
            // the container has ended or takes no input; await() tells the first, Attached the
            // second
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pass(AttachRequest message, Attachment attachment)
            throws PodException, InterruptedException {
        switch (message.getMessageCase()) {
            case STDIN -> attachment.stdin(message.getStdin().toByteArray());
            case CLOSE_STDIN -> attachment.closeStdin();
            case RESIZE ->
                    attachment.resize(
                            message.getResize().getColumns(), message.getResize().getRows());
            case START, MESSAGE_NOT_SET -> {}
        }
    }
}
