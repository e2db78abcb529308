package podvm.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import podvm.cli.wire.CallFailure;
import podvm.proto.node.v1.Error;
import podvm.proto.node.v1.Problem;

/** What the daemon refuses, in words. */
final class Refusals {
    private Refusals() {}

    static Failure failure(CallFailure refusal) {
        if (refusal.status() == CallFailure.UNIMPLEMENTED && refusal.details().length == 0) {
            return Failure.of(
                    "podvmd does not know this call: " + refusal.getMessage(),
                    "it is of another version; stop it, and podvm starts its own");
        }
        try {
            var error = Error.parseFrom(refusal.details());
            if (!error.getMessage().isEmpty()) {
                return Failure.of(message(error), error.getRemedy());
            }
        } catch (InvalidProtocolBufferException _) {
            // the message alone must do
        }
        return Failure.of(String.valueOf(refusal.getMessage()), "");
    }

    private static String message(Error error) {
        var text = new StringBuilder(error.getMessage());
        for (var problem : error.getProblemsList()) {
            text.append("\n  ").append(line(problem));
        }
        return text.toString();
    }

    private static String line(Problem problem) {
        var where = "line " + problem.getLine() + ", column " + problem.getColumn() + ": ";
        var field = problem.getField().isEmpty() ? "" : problem.getField() + ": ";
        return where + field + problem.getMessage();
    }
}
