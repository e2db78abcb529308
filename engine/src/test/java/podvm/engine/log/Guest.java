package podvm.engine.log;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.OutputSink;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.PodException;

/** A container's output as a guest keeps it: until it is acknowledged, in the chunks it came in. */
final class Guest implements Ack {
    record Chunk(OutputStreamKind stream, long offset, byte[] data, Instant time) {}

    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    final List<Chunk> chunks = new ArrayList<>();
    final Map<OutputStreamKind, Long> acknowledged = new EnumMap<>(OutputStreamKind.class);
    private final Map<OutputStreamKind, Long> written = new EnumMap<>(OutputStreamKind.class);

    Guest write(OutputStreamKind stream, byte[] data) {
        long offset = written.getOrDefault(stream, 0L);
        chunks.add(new Chunk(stream, offset, data, BEGIN.plusNanos(chunks.size() * 1000L)));
        written.put(stream, offset + data.length);
        return this;
    }

    Guest write(String text) {
        return write(OutputStreamKind.STDOUT, text.getBytes(ISO_8859_1));
    }

    /** Both streams, lines short and long, binary bytes, cut anywhere. */
    static Guest random(Random random, int chunkCount, int longest) {
        var guest = new Guest();
        for (int i = 0; i < chunkCount; i++) {
            var data = new byte[1 + random.nextInt(random.nextInt(5) == 0 ? longest : 30)];
            random.nextBytes(data);
            for (int j = 0; j < data.length; j++) {
                if (data[j] == '\n' || (data[j] & 7) == 0 && data.length < 100) {
                    data[j] = (byte) (random.nextInt(3) == 0 ? '\n' : 'x');
                }
            }
            guest.write(OutputStreamKind.values()[random.nextInt(2)], data);
        }
        return guest;
    }

    @Override
    public void upTo(OutputStreamKind stream, long offset) {
        acknowledged.merge(stream, offset, Math::max);
    }

    /** Sends what is not acknowledged; a chunk that was acknowledged in part without that part. */
    void send(OutputSink sink, Ack ack) throws PodException {
        var from = new EnumMap<OutputStreamKind, Long>(OutputStreamKind.class);
        from.putAll(acknowledged);
        for (var chunk : chunks) {
            long start = Math.max(chunk.offset, from.getOrDefault(chunk.stream, 0L));
            if (start < chunk.offset + chunk.data.length) {
                var rest =
                        Arrays.copyOfRange(
                                chunk.data, (int) (start - chunk.offset), chunk.data.length);
                sink.chunk(chunk.stream, start, rest, chunk.time, ack);
            }
        }
        for (var stream : OutputStreamKind.values()) {
            sink.end(stream, ack);
        }
    }

    byte[] all(OutputStreamKind stream) {
        var bytes = new ByteArrayOutputStream();
        chunks.stream()
                .filter(chunk -> chunk.stream == stream)
                .forEach(chunk -> bytes.writeBytes(chunk.data));
        return bytes.toByteArray();
    }
}
