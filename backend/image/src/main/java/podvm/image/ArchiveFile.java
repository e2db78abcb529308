package podvm.image;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.image.layer.TarReader;

/** A tar file whose members can be read in any order. Closing it deletes it. */
final class ArchiveFile implements AutoCloseable {
    static final String DOCKER = "manifest.json";
    private static final int MOST_MEMBERS = 100_000;

    private record Member(long offset, long bytes, String link) {}

    private final Path file;
    private final Map<String, Member> members = new HashMap<>();

    /** Takes the file over. */
    ArchiveFile(Path file) throws IOException {
        this.file = file;
        try (var in = new BufferedInputStream(Channels.newInputStream(open(0)), 1 << 16)) {
            var tar = new TarReader(in);
            for (var entry = tar.next();
                    entry != null && members.size() < MOST_MEMBERS;
                    entry = tar.next()) {
                members.put(
                        normal(new String(entry.path(), StandardCharsets.UTF_8)),
                        new Member(
                                tar.position(),
                                entry.stored(),
                                new String(entry.link(), StandardCharsets.UTF_8)));
            }
        }
    }

    /** Newer "docker save" writes an OCI layout as well; only this has whole names. */
    boolean isDocker() {
        return has(DOCKER);
    }

    boolean has(String name) {
        return members.containsKey(name);
    }

    /** Bytes of a member, links followed. */
    Optional<Long> size(String name) {
        return Optional.ofNullable(members.get(target(name))).map(Member::bytes);
    }

    InputStream open(String name) throws IOException, PodException {
        var member = members.get(target(name));
        if (member == null) {
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "the archive has no " + name,
                    "make the archive again");
        }
        return new Bounded(
                new BufferedInputStream(Channels.newInputStream(open(member.offset)), 1 << 16),
                member.bytes);
    }

    byte[] read(String name, int largest) throws IOException, PodException {
        try (var in = open(name)) {
            var bytes = in.readNBytes(largest + 1);
            if (bytes.length > largest) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "%s of the archive has more than %d bytes".formatted(name, largest),
                        "make the archive again");
            }
            return bytes;
        }
    }

    InputStream openWhole() throws IOException {
        return Channels.newInputStream(open(0));
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(file);
    }

    /** Some archives store a layer that occurs twice as a link to the first. */
    private String target(String name) {
        var link = Optional.ofNullable(members.get(name)).map(Member::link).orElse("");
        if (link.isEmpty()) {
            return name;
        }
        int slash = name.lastIndexOf('/');
        var beside = normal(name.substring(0, slash + 1) + link);
        return members.containsKey(beside) ? beside : normal(link);
    }

    private static String normal(String name) {
        var path = Path.of("/").resolve(name.replace("\0", "")).normalize().toString();
        return path.substring(1);
    }

    private FileChannel open(long offset) throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ).position(offset);
    }
}
