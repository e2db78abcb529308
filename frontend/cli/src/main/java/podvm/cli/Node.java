package podvm.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import podvm.cli.wire.Call;
import podvm.cli.wire.CallFailure;

/** The daemon, asked by its API; started where it is the user's own and does not run. */
final class Node {
    private static final String SERVICE = "podvm.node.v1.Node/";

    private final Place place;

    Node(Place place) {
        this.place = place;
    }

    Place place() {
        return place;
    }

    /** One request, one answer. */
    <T> T ask(String method, MessageLite request, Parser<T> parser) throws Failure {
        try {
            return parser.parseFrom(ask(method, request.toByteArray()));
        } catch (InvalidProtocolBufferException _) {
            throw nonsense(method);
        }
    }

    /** The same for those who encode messages themselves. */
    byte[] ask(String method, byte[] request) throws Failure {
        try (var call = open(method)) {
            call.sendLast(request);
            var answer = call.receive();
            if (answer.isEmpty()) {
                throw nonsense(method);
            }
            return answer.get();
        } catch (CallFailure e) {
            throw Refusals.failure(e);
        } catch (IOException e) {
            throw lost(method, e);
        }
    }

    /** One request, many answers. */
    <T> Exchange<T> stream(String method, MessageLite request, Parser<T> parser) throws Failure {
        var exchange = this.<T>exchange(method, parser);
        exchange.sendLast(request);
        return exchange;
    }

    /** Many requests and answers. */
    <T> Exchange<T> exchange(String method, Parser<T> parser) throws Failure {
        try {
            return new Exchange<>(this, method, open(method), parser);
        } catch (IOException e) {
            throw lost(method, e);
        }
    }

    private Call open(String method) throws Failure, IOException {
        place.check();
        var call = connect(method);
        if (call.isPresent()) {
            return call.get();
        }
        if (!place.own()) {
            throw Failure.of(
                    "no daemon answers at " + place.socket(), "start it, or name another --host");
        }
        new DaemonStart(place).run();
        return Call.open(place.socket(), SERVICE + method);
    }

    private Optional<Call> connect(String method) {
        if (!Files.exists(place.socket())) {
            return Optional.empty();
        }
        try {
            return Optional.of(Call.open(place.socket(), SERVICE + method));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    static Failure nonsense(String method) {
        return Failure.of(
                "podvmd answered " + method + " with nonsense",
                "check that podvm and podvmd are of one version: podvm version");
    }

    Failure lost(String method, IOException cause) {
        return Failure.of(
                "podvmd did not answer " + method + ": " + cause.getMessage(),
                "see " + place.run().resolve(DaemonStart.LOG));
    }
}
