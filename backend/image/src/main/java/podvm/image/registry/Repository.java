package podvm.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.CheckedBlob;
import podvm.image.content.ReadFailure;
import podvm.image.content.Sha256;

/** One repository of a registry, for one pull: wherever its content can be had. */
public final class Repository {
    /** Registries take at most that much (OCI distribution specification). */
    private static final int LARGEST_MANIFEST = 4 << 20;

    private static final String MANIFESTS =
            String.join(
                    ", ",
                    "application/vnd.oci.image.index.v1+json",
                    "application/vnd.oci.image.manifest.v1+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json",
                    "application/vnd.docker.distribution.manifest.v2+json");

    private static final Pattern CONTENT_RANGE =
            Pattern.compile("bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\\*)");

    private final Exchanges exchanges;
    private final Distrust distrust;
    private final String registry;
    private final String path;
    private final List<Place> places;

    /** Hosts that did not work in this pull; the others come before them. */
    private final Set<Place> doubtful = ConcurrentHashMap.newKeySet();

    record Place(RegistryHost host, Login login) {}

    /** A manifest or index, with the digest by which it can be asked for. */
    public record Root(byte[] bytes, Digest digest) {}

    private interface Question<T> {
        T ask(Place place) throws PodException, InterruptedException;
    }

    /**
     * @param places mirrors in their order, then the server
     */
    Repository(
            Exchanges exchanges,
            Distrust distrust,
            String registry,
            String path,
            List<Place> places) {
        this.exchanges = exchanges;
        this.distrust = distrust;
        this.registry = registry;
        this.path = path;
        this.places = places;
    }

    /** What a tag leads to now. */
    public Root tagged(String tag, Deadline deadline) throws PodException, InterruptedException {
        var what = "manifest of %s:%s".formatted(name(), tag);
        return first(
                RegistryHost::resolves,
                what,
                place -> root(place, tag, Optional.empty(), what, deadline));
    }

    /** The manifest or index with this digest. */
    public Root root(Digest digest, Deadline deadline) throws PodException, InterruptedException {
        var what = "manifest of %s@%s".formatted(name(), digest);
        return first(
                RegistryHost::pulls,
                what,
                place -> root(place, digest.toString(), Optional.of(digest), what, deadline));
    }

    /**
     * A blob, which fails at its end unless it had this size and digest. It may be closed by
     * another thread than the one that reads.
     */
    public InputStream blob(Digest digest, long size, Deadline deadline)
            throws PodException, InterruptedException {
        var what = "blob %s of %s".formatted(digest, name());
        var source = new BlobSource(digest, size, what, deadline);
        var stream = new BlobStream(source, size, exchanges.tries());
        try {
            stream.open();
        } catch (IOException e) {
            throw ReadFailure.of(e, "read the " + what);
        }
        return new CheckedBlob(stream, digest, size, source::distrustAll);
    }

    /** Remembers who sent parts of a blob, since only its end tells whether they were right. */
    private final class BlobSource implements BlobStream.Source {
        private final Digest digest;
        private final long size;
        private final String what;
        private final Deadline deadline;
        private final Set<Place> senders = ConcurrentHashMap.newKeySet();

        BlobSource(Digest digest, long size, String what, Deadline deadline) {
            this.digest = digest;
            this.size = size;
            this.what = what;
            this.deadline = deadline;
        }

        @Override
        public Answer open(Exchanges.Range rest) throws PodException, InterruptedException {
            return first(
                    RegistryHost::pulls,
                    place -> doubtful.contains(place) || distrust.has(place.host(), digest),
                    what,
                    place -> {
                        var answer = part(place, digest, size, rest, what, deadline);
                        senders.add(place);
                        return answer;
                    });
        }

        @Override
        public void pause(int failures) throws InterruptedException {
            if (failures > 0) {
                Thread.sleep(exchanges.pause(failures));
            }
        }

        void distrustAll() {
            senders.forEach(place -> distrust.add(place.host(), digest));
        }
    }

    /** Asks one place after the other. What the server itself says counts most. */
    private <T> T first(Predicate<RegistryHost> able, String what, Question<T> question)
            throws PodException, InterruptedException {
        return first(able, doubtful::contains, what, question);
    }

    private <T> T first(
            Predicate<RegistryHost> able, Predicate<Place> later, String what, Question<T> question)
            throws PodException, InterruptedException {
        var order = new ArrayList<Place>();
        places.stream().filter(later.negate()).forEach(order::add);
        places.stream().filter(later).forEach(order::add);
        order.removeIf(place -> !able.test(place.host()));
        var failures = new ArrayList<PodException>();
        Optional<PodException> ofServer = Optional.empty();
        for (var place : order) {
            try {
                return question.ask(place);
            } catch (PodException e) {
                if (e.kind() == PodException.Kind.DEADLINE) {
                    throw e;
                }
                if (e.kind() == PodException.Kind.UNAVAILABLE) {
                    doubtful.add(place);
                }
                if (isServer(place)) {
                    ofServer = Optional.of(e);
                } else {
                    failures.add(e);
                }
            }
        }
        throw failure(what, ofServer, failures);
    }

    private PodException failure(
            String what, Optional<PodException> ofServer, List<PodException> ofMirrors) {
        if (ofServer.isPresent() && ofMirrors.isEmpty()) {
            return ofServer.get();
        }
        if (ofServer.isEmpty() && ofMirrors.isEmpty()) {
            return new PodException(
                    PodException.Kind.INVALID,
                    "no host of %s may be asked for the %s".formatted(registry, what),
                    "give one of them in hosts.toml the capabilities pull and resolve");
        }
        var main = ofServer.orElseGet(ofMirrors::removeLast);
        var message = new StringBuilder(main.getMessage());
        ofMirrors.forEach(mirror -> message.append("; before that: ").append(mirror.getMessage()));
        return new PodException(main.kind(), message.toString(), main.remedy(), main);
    }

    private Root root(
            Place place, String version, Optional<Digest> wanted, String what, Deadline deadline)
            throws PodException, InterruptedException {
        try (var answer =
                ask(place, "manifests/" + version, MANIFESTS, Optional.empty(), what, deadline)) {
            if (answer.status() != 200) {
                throw Failures.of(answer, place.host().name(), what);
            }
            var bytes = answer.body().readNBytes(LARGEST_MANIFEST + 1);
            if (bytes.length > LARGEST_MANIFEST) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the %s has more than %d bytes".formatted(what, LARGEST_MANIFEST),
                        "check that it is a container image");
            }
            var actual = Sha256.of(bytes);
            var expected = wanted.isPresent() ? wanted : told(answer);
            if (expected.isPresent() && !expected.get().equals(actual)) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "the %s that %s sends has digest %s, expected %s"
                                .formatted(what, place.host().name(), actual, expected.get()),
                        "try again; the registry or something before it alters content");
            }
            return new Root(bytes, actual);
        } catch (IOException e) {
            throw ReadFailure.of(e, "read the " + what);
        }
    }

    private Answer part(
            Place place,
            Digest digest,
            long size,
            Exchanges.Range rest,
            String what,
            Deadline deadline)
            throws PodException, InterruptedException {
        var range = rest.from() == 0 ? Optional.<Exchanges.Range>empty() : Optional.of(rest);
        var answer = ask(place, "blobs/" + digest, "*/*", range, what, deadline);
        try {
            boolean whole = answer.status() == 200;
            if (!whole && (answer.status() != 206 || range.isEmpty())) {
                throw Failures.of(answer, place.host().name(), what);
            }
            if (whole) {
                checkSize(answer, place, size, what);
            } else {
                checkRange(answer, place, rest.from(), size, what);
            }
            return answer;
        } catch (PodException e) {
            answer.discard();
            throw e;
        }
    }

    private static void checkSize(Answer answer, Place place, long size, String what)
            throws PodException {
        var told = answer.headers().firstValueAsLong("Content-Length");
        if (told.isPresent() && told.getAsLong() != size) {
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "the %s has %d bytes at %s, the manifest says %d"
                            .formatted(what, told.getAsLong(), place.host().name(), size),
                    "try again; the registry or something before it alters content");
        }
    }

    private static void checkRange(Answer answer, Place place, long from, long size, String what)
            throws PodException {
        var range = CONTENT_RANGE.matcher(answer.header("Content-Range").orElse(""));
        boolean right =
                range.matches()
                        && Long.parseLong(range.group(1)) == from
                        && (range.group(2).equals("*") || Long.parseLong(range.group(2)) == size);
        if (!right) {
            throw Failures.unavailable(
                    place.host().name(),
                    "of the %s it sends another part than bytes from %d of %d"
                            .formatted(what, from, size),
                    null);
        }
    }

    private Answer ask(
            Place place,
            String kind,
            String accept,
            Optional<Exchanges.Range> range,
            String what,
            Deadline deadline)
            throws PodException, InterruptedException {
        var host = place.host();
        var request =
                new Exchanges.Request(
                        host,
                        uri(host, kind),
                        accept,
                        host.headers(),
                        Optional.empty(),
                        Optional.empty(),
                        range);
        // another host may do better at once
        int tries = isServer(place) ? exchanges.tries() : 1;
        var answer =
                exchanges.patiently(
                        tries, () -> loggedIn(place, request, what, deadline), deadline);
        if (answer.status() == 401 || answer.status() == 403) {
            var complaint = answer.complaint();
            answer.discard();
            throw place.login().denied(what, complaint, deadline);
        }
        return answer;
    }

    private Answer loggedIn(Place place, Exchanges.Request request, String what, Deadline deadline)
            throws PodException, InterruptedException, Exchanges.Passing {
        var sent = place.login().header(deadline);
        var answer = exchanges.ask(request.with(sent), deadline);
        if (answer.status() != 401) {
            return answer;
        }
        answer.discard();
        var login = place.login().answer(answer.challenges(), sent, what, deadline);
        return exchanges.ask(request.with(Optional.of(login)), deadline);
    }

    /** Mirrors of many registries are told whose content is meant, as containerd tells them. */
    private URI uri(RegistryHost host, String kind) {
        var whose =
                host.isHome(registry)
                        ? ""
                        : "?ns=" + URLEncoder.encode(registry, StandardCharsets.UTF_8);
        return URI.create("%s/%s/%s%s".formatted(host.api(), path, kind, whose));
    }

    private boolean isServer(Place place) {
        return place.equals(places.getLast());
    }

    private static Optional<Digest> told(Answer answer) throws PodException {
        var header = answer.header("Docker-Content-Digest");
        // other hashes are allowed there
        return header.isPresent() && header.get().startsWith("sha256:")
                ? Optional.of(Digest.parse(header.get()))
                : Optional.empty();
    }

    private String name() {
        return registry + "/" + path;
    }
}
