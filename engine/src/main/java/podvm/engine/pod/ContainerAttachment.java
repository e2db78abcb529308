package podvm.engine.pod;

import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.InputWriter;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.Attachment;

/** A client that watches, and perhaps types into, one attempt to run a container. */
final class ContainerAttachment implements Attachment {
    private final GuestContainer container;
    private final ContainerId attempt;
    private final GuestLink link;
    private final Ending ending;
    private final ExecOutput output;
    private @Nullable InputWriter input;

    /** How the attempt ends. */
    @FunctionalInterface
    interface Ending {
        /** Returns its exit code. */
        int await() throws PodException, InterruptedException;
    }

    ContainerAttachment(
            GuestContainer container,
            ContainerId attempt,
            GuestLink link,
            Ending ending,
            ExecOutput output) {
        this.container = container;
        this.attempt = attempt;
        this.link = link;
        this.ending = ending;
        this.output = output;
        container.output.join(output);
    }

    @Override
    public String container() {
        return container.name();
    }

    @Override
    public boolean terminal() {
        return container.terminal();
    }

    @Override
    public boolean hasStdin() {
        return container.hasStdin();
    }

    @Override
    public void stdin(byte[] data) throws PodException, InterruptedException {
        if (!hasStdin()) {
            throw new PodException(
                    Kind.CONFLICT,
                    "container " + container() + " has no stdin",
                    "set stdin: true in its manifest");
        }
        if (input == null) {
            input = link.agent().openInput(attempt);
        }
        input.write(data, 0, data.length);
    }

    @Override
    public void closeStdin() throws PodException {
        if (input == null && hasStdin()) {
            input = link.agent().openInput(attempt);
        }
        closeInput();
    }

    private void closeInput() throws PodException {
        if (input != null) {
            input.close();
            input = null;
        }
    }

    @Override
    public void resize(int columns, int rows) throws PodException, InterruptedException {
        link.agent().resize(attempt, columns, rows);
    }

    @Override
    public int await() throws PodException, InterruptedException {
        return ending.await();
    }

    @Override
    public void close() {
        container.output.leave(output);
        try {
            closeInput();
        } catch (PodException e) {
            // the container has ended, or its machine has: nobody is left to read
        }
    }
}
