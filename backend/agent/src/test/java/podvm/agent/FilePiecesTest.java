package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import podvm.engine.ContainerFiles.Data;
import podvm.engine.ContainerFiles.Entry;
import podvm.proto.agent.v1.FileEntry;
import podvm.proto.agent.v1.FilePiece;

class FilePiecesTest {
    private static FilePiece entry(String path, FileEntry.Kind kind, String target) {
        return FilePiece.newBuilder()
                .setEntry(FileEntry.newBuilder().setPath(path).setKind(kind).setTarget(target))
                .build();
    }

    @Test
    void whatIsWrittenIsReadTheSame() {
        var entry =
                new Entry(
                        "a/b",
                        Entry.Kind.SYMLINK,
                        0777,
                        1,
                        2,
                        Instant.parse("1969-01-01T00:00:00.5Z"),
                        3,
                        "/etc");
        assertThat(FilePieces.read(FilePieces.write(entry).getFirst())).contains(entry);
    }

    @Test
    void largeDataAreSentInPieces() {
        var pieces = FilePieces.write(new Data(new byte[100_000]));
        assertThat(pieces).hasSize(4);
        assertThat(pieces.stream().map(FilePiece::getData).mapToInt(ByteString::size).sum())
                .isEqualTo(100_000);
        assertThat(FilePieces.write(new Data(new byte[0]))).isEmpty();
    }

    @Test
    void aGuestsPathsLeadNowhereElse() {
        for (var bad :
                List.of(
                        "..",
                        "../x",
                        "a/../b",
                        "/a",
                        "a//b",
                        "a/",
                        ".",
                        "a\0b",
                        "a".repeat(5000))) {
            assertThat(FilePieces.read(entry(bad, FileEntry.Kind.FILE, ""))).as(bad).isEmpty();
            assertThat(FilePieces.read(entry("l", FileEntry.Kind.HARD_LINK, bad)))
                    .as(bad)
                    .isEmpty();
        }
        assertThat(FilePieces.read(entry("l", FileEntry.Kind.SYMLINK, "../.."))).isPresent();
        assertThat(FilePieces.read(FilePiece.getDefaultInstance())).isEmpty();
    }
}
