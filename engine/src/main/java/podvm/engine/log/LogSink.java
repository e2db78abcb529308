package podvm.engine.log;

import podvm.engine.Agent.OutputSink;
import podvm.engine.PodException;

/** Takes the output of one attempt of a container. */
public interface LogSink extends OutputSink, AutoCloseable {
    @Override
    void close() throws PodException;
}
