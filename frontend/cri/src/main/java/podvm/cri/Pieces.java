package podvm.cri;

import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A list in answers that are small enough for any caller. */
final class Pieces {
    /** Callers take at least 4 MiB; gRPC's own default. */
    private static final int LARGEST = 1 << 20;

    private Pieces() {}

    static <T extends MessageLite, A> void send(
            List<T> all, Function<List<T>, A> answer, Replies<A> out)
            throws IOException, InterruptedException {
        var piece = new ArrayList<T>();
        int size = 0;
        for (var one : all) {
            if (!piece.isEmpty() && size + one.getSerializedSize() > LARGEST) {
                out.send(answer.apply(List.copyOf(piece)));
                piece.clear();
                size = 0;
            }
            piece.add(one);
            size += one.getSerializedSize();
        }
        if (!piece.isEmpty()) {
            out.send(answer.apply(piece));
        }
    }
}
