package podvm.cri;

import podvm.cri.streaming.Destination;
import podvm.engine.Agent;
import podvm.engine.PodException;

/** A new process in a container, for the streaming server. */
record ExecProcess(Agent.ExecSession session) implements Destination.Session {
    @Override
    public void stdin(byte[] data) throws PodException, InterruptedException {
        session.stdin(data);
    }

    @Override
    public void closeStdin() throws PodException {
        session.closeStdin();
    }

    @Override
    public void resize(int columns, int rows) throws PodException {
        session.resize(columns, rows);
    }

    @Override
    public Agent.ExecResult await() throws PodException, InterruptedException {
        return session.await();
    }

    @Override
    public void close() {
        session.close();
    }
}
