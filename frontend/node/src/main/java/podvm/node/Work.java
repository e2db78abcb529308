package podvm.node;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import podvm.engine.PodException;

/**
 * A call's work on a virtual thread of its own: gRPC holds a call's events back while its method
 * runs, and a blocking method would hear neither of a client that left nor of one that reads again.
 */
final class Work {
    /** What a call does; an IOException says that the client has gone. */
    @FunctionalInterface
    interface Body<T> {
        void run(Outlet<T> out) throws PodException, InterruptedException, IOException;
    }

    /** Answers with one message. */
    @FunctionalInterface
    interface Answer<T> {
        T get() throws PodException, InterruptedException;
    }

    private Work() {}

    static <T> void answer(String name, StreamObserver<T> observer, Answer<T> answer) {
        stream(name, observer, out -> out.send(answer.get()));
    }

    /** Runs the body; a client that cancels interrupts it. */
    static <T> void stream(String name, StreamObserver<T> observer, Body<T> body) {
        var call = (ServerCallStreamObserver<T>) observer;
        var out = new Outlet<>(call);
        var thread = Thread.ofVirtual().name("node-" + name).unstarted(() -> run(out, body));
        call.setOnCancelHandler(thread::interrupt);
        thread.start();
    }

    private static <T> void run(Outlet<T> out, Body<T> body) {
        try {
            body.run(out);
            out.complete();
        } catch (PodException e) {
            out.fail(Failures.of(e));
        } catch (IOException e) {
            out.fail(Status.CANCELLED.withDescription(e.getMessage()).asRuntimeException());
        } catch (InterruptedException _) {
            out.fail(Status.CANCELLED.withDescription("interrupted").asRuntimeException());
        } catch (RuntimeException | java.lang.Error e) {
            out.fail(
                    Status.INTERNAL
                            .withDescription("podvmd has a defect: " + e)
                            .asRuntimeException());
            throw e;
        }
    }
}
