package podvm.cri;

import java.util.Optional;
import podvm.cri.streaming.Destination;
import podvm.engine.Agent;
import podvm.engine.PodException;
import podvm.engine.Pods.Attachment;

/** A container's own streams, for the streaming server. */
record AttachedProcess(Attachment attachment) implements Destination.Session {
    @Override
    public void stdin(byte[] data) throws PodException, InterruptedException {
        attachment.stdin(data);
    }

    @Override
    public void closeStdin() throws PodException {
        if (attachment.hasStdin()) {
            attachment.closeStdin();
        }
    }

    @Override
    public void resize(int columns, int rows) throws PodException, InterruptedException {
        attachment.resize(columns, rows);
    }

    /** Success whatever the exit code: who attached asks for it in the container's status. */
    @Override
    public Agent.ExecResult await() throws PodException, InterruptedException {
        attachment.await();
        return new Agent.ExecResult(0, Optional.empty());
    }

    @Override
    public void close() {
        attachment.close();
    }
}
