package podvm.node;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import podvm.engine.PodException;
import podvm.node.manifest.ManifestProblems;
import podvm.proto.node.v1.Error;
import podvm.proto.node.v1.Problem;

/** What a failure is on the wire: a gRPC status, and the whole of it in a trailer. */
final class Failures {
    static final Metadata.Key<byte[]> TRAILER =
            Metadata.Key.of("podvm-error-bin", Metadata.BINARY_BYTE_MARSHALLER);

    private Failures() {}

    static StatusRuntimeException of(PodException failure) {
        var trailers = new Metadata();
        trailers.put(TRAILER, message(failure).toByteArray());
        return status(failure.kind())
                .withDescription(failure.getMessage())
                .asRuntimeException(trailers);
    }

    private static Error message(PodException failure) {
        var message =
                Error.newBuilder()
                        .setKind(failure.kind().name())
                        .setMessage(failure.getMessage())
                        .setRemedy(failure.remedy());
        if (failure.getCause() instanceof ManifestProblems problems) {
            problems.list().forEach(problem -> message.addProblems(message(problem)));
        }
        return message.build();
    }

    private static Problem message(podvm.node.manifest.Problem problem) {
        return Problem.newBuilder()
                .setLine(problem.line())
                .setColumn(problem.column())
                .setField(problem.field())
                .setMessage(problem.message())
                .build();
    }

    private static Status status(PodException.Kind kind) {
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
