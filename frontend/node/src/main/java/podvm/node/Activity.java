package podvm.node;

import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import java.time.Duration;

/** How busy the API is: what a daemon asks that goes away when nobody needs it. */
public final class Activity {
    private int open;
    private long last = System.nanoTime();

    /** Calls that have not ended. */
    public synchronized int openCalls() {
        return open;
    }

    /** Since the last call's end; zero while one is open. */
    public synchronized Duration idle() {
        return open > 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - last);
    }

    private synchronized void change(int by) {
        open += by;
        last = System.nanoTime();
    }

    ServerStreamTracer.Factory tracers() {
        return new ServerStreamTracer.Factory() {
            @Override
            public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                change(1);
                return new ServerStreamTracer() {
                    @Override
                    public void streamClosed(Status status) {
                        change(-1);
                    }
                };
            }
        };
    }
}
