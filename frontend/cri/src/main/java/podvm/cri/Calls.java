package podvm.cri;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import podvm.engine.PodException;

/**
 * A call's work on a thread of its own: gRPC holds a call's events back while its method runs, and
 * the work of a caller that gave up is to be ended.
 */
final class Calls {
    /** What one verb does. */
    @FunctionalInterface
    interface Verb<A> {
        A answer() throws PodException, InterruptedException;
    }

    /** What a verb does that answers with many messages. */
    @FunctionalInterface
    interface StreamVerb<A> {
        void answer(Replies<A> out) throws PodException, InterruptedException, IOException;
    }

    private static final int LONGEST = 2000;

    private Calls() {}

    /** What only looks at memory, on the thread that the call has come with. */
    static <A> void now(StreamObserver<A> observer, Verb<A> verb) {
        try {
            observer.onNext(verb.answer());
            observer.onCompleted();
        } catch (PodException e) {
            observer.onError(status(e).asRuntimeException());
        } catch (InterruptedException _) {
            observer.onError(Status.CANCELLED.asRuntimeException());
        }
    }

    static <A> void answer(String name, StreamObserver<A> observer, Verb<A> verb) {
        stream(name, observer, out -> out.send(verb.answer()));
    }

    static <A> void stream(String name, StreamObserver<A> observer, StreamVerb<A> verb) {
        var call = (ServerCallStreamObserver<A>) observer;
        var out = new Replies<>(call);
        var thread = Thread.ofVirtual().name("cri-" + name).unstarted(() -> run(verb, out));
        call.setOnCancelHandler(thread::interrupt);
        thread.start();
    }

    private static <A> void run(StreamVerb<A> verb, Replies<A> out) {
        try {
            verb.answer(out);
            out.complete();
        } catch (PodException e) {
            out.fail(status(e));
        } catch (IOException e) {
            out.fail(Status.CANCELLED.withDescription(e.getMessage()));
        } catch (InterruptedException _) {
            out.fail(Status.CANCELLED.withDescription("the caller gave up"));
        } catch (RuntimeException | Error e) {
            out.fail(Status.INTERNAL.withDescription("podvmd has a defect: " + e));
            throw e;
        }
    }

    /** Descriptions travel as headers, which end the whole connection where they are too long. */
    private static String bounded(String description) {
        return description.length() <= LONGEST
                ? description
                : description.substring(0, LONGEST) + "...";
    }

    private static Status status(PodException e) {
        return code(e.kind()).withDescription(bounded(e.describe()));
    }

    private static Status code(PodException.Kind kind) {
        return switch (kind) {
            case INVALID -> Status.INVALID_ARGUMENT;
            case NOT_FOUND -> Status.NOT_FOUND;
            case ALREADY_EXISTS -> Status.ALREADY_EXISTS;
            case CONFLICT -> Status.FAILED_PRECONDITION;
            case DENIED -> Status.PERMISSION_DENIED;
            case EXHAUSTED -> Status.RESOURCE_EXHAUSTED;
            case UNAVAILABLE -> Status.UNAVAILABLE;
            case DEADLINE -> Status.DEADLINE_EXCEEDED;
            case UNSUPPORTED -> Status.UNIMPLEMENTED;
            case MACHINE -> Status.ABORTED;
            case CORRUPT -> Status.DATA_LOSS;
        };
    }
}
