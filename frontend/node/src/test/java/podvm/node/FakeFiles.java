package podvm.node;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerFiles;
import podvm.engine.PodException;

/** Files in memory: what was written last is read, whatever the path. */
public final class FakeFiles implements ContainerFiles {
    private final List<Piece> pieces = new ArrayList<>();
    private Optional<Target> target = Optional.empty();

    public static Entry entry(String path, Entry.Kind kind, String link) {
        return new Entry(path, kind, 0640, 0, 0, Instant.EPOCH, 0, link);
    }

    public synchronized void put(Piece piece) {
        pieces.add(piece);
    }

    public synchronized List<Piece> pieces() {
        return List.copyOf(pieces);
    }

    public synchronized Optional<Target> target() {
        return target;
    }

    @Override
    public void read(String path, Sink sink) throws PodException {
        if (path.equals("/none")) {
            throw new PodException(PodException.Kind.NOT_FOUND, "cannot read /none", "");
        }
        try {
            for (var piece : pieces()) {
                sink.piece(piece);
            }
        } catch (IOException e) {
            // as the port says: quietly
        }
    }

    @Override
    public void write(Target into, Source source) throws PodException, InterruptedException {
        synchronized (this) {
            target = Optional.of(into);
            pieces.clear();
        }
        for (var next = source.next(); next.isPresent(); next = source.next()) {
            put(next.get());
        }
    }
}
