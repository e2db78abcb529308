package podvm.image;

import java.util.Optional;
import java.util.regex.Pattern;
import podvm.engine.Digest;
import podvm.engine.PodException;

/**
 * Where an image is found, short names written out as Docker does: "busybox" is
 * docker.io/library/busybox:latest.
 *
 * @param registry host, with a port where one is given
 * @param tag empty only where there is a digest
 */
record ImageReference(
        String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
    private static final String DOCKER = "docker.io";
    private static final int LONGEST_NAME = 255;

    private static final Pattern HOST =
            Pattern.compile(
                    "([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\\.)*+"
                            + "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(:[0-9]{1,5})?"
                            + "|\\[[0-9a-fA-F:.]+\\](:[0-9]{1,5})?");
    private static final Pattern PATH_PART =
            Pattern.compile("[a-z0-9]++((\\.|__|_|-++)[a-z0-9]++)*+");
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
    private static final Pattern BARE_ID = Pattern.compile("[0-9a-f]{64}");

    static ImageReference parse(String text) throws PodException {
        int at = text.indexOf('@');
        var named = at < 0 ? text : text.substring(0, at);
        Optional<Digest> digest =
                at < 0 ? Optional.empty() : Optional.of(digest(text, text.substring(at + 1)));
        int colon = named.lastIndexOf(':');
        boolean tagged = colon > named.lastIndexOf('/');
        var name = tagged ? named.substring(0, colon) : named;
        Optional<String> tag =
                tagged
                        ? Optional.of(tag(text, named.substring(colon + 1)))
                        : digest.isPresent() ? Optional.empty() : Optional.of("latest");
        if (name.length() > LONGEST_NAME) {
            throw malformed(text, "its name has more than %d letters".formatted(LONGEST_NAME));
        }
        if (BARE_ID.matcher(name).matches()) {
            throw malformed(text, "64 hex digits are an image id, not a name");
        }
        int slash = name.indexOf('/');
        var first = slash < 0 ? "" : name.substring(0, slash);
        boolean hosted = isHost(first);
        var registry = hosted ? registry(text, first) : DOCKER;
        var path = path(text, hosted ? name.substring(slash + 1) : name);
        boolean official = registry.equals(DOCKER) && path.indexOf('/') < 0;
        return new ImageReference(registry, official ? "library/" + path : path, tag, digest);
    }

    /** Without tag and digest. */
    String name() {
        return registry + "/" + repository;
    }

    /** The whole name under which an image is kept; a digest makes a tag mean nothing. */
    String full() {
        return digest.map(this::named).orElseGet(() -> name() + ":" + tag.orElse("latest"));
    }

    /** The name by which this very content can be fetched again. */
    String named(Digest content) {
        return name() + "@" + content;
    }

    /** What the registry is asked for: digest, or else tag. */
    String version() {
        return digest.map(Digest::toString).orElseGet(() -> tag.orElse("latest"));
    }

    private static boolean isHost(String first) {
        return first.indexOf('.') >= 0
                || first.indexOf(':') >= 0
                || first.equals("localhost")
                || first.chars().anyMatch(Character::isUpperCase);
    }

    private static String registry(String text, String host) throws PodException {
        if (!HOST.matcher(host).matches()) {
            throw malformed(text, "'%s' is no host name".formatted(host));
        }
        return host.equals("index.docker.io") ? DOCKER : host;
    }

    private static String path(String text, String path) throws PodException {
        for (var part : path.split("/", -1)) {
            if (!PATH_PART.matcher(part).matches()) {
                throw malformed(
                        text,
                        part.isEmpty()
                                ? "a part of its name is empty"
                                : "'%s' is not made of lower case letters, digits and single . _ -"
                                        .formatted(part));
            }
        }
        return path;
    }

    private static String tag(String text, String tag) throws PodException {
        if (!TAG.matcher(tag).matches()) {
            throw malformed(
                    text, "'%s' is no tag: 1 to 128 letters, digits and . _ -".formatted(tag));
        }
        return tag;
    }

    private static Digest digest(String text, String digest) throws PodException {
        try {
            return Digest.parse(digest);
        } catch (PodException e) {
            throw malformed(text, e.describe());
        }
    }

    private static PodException malformed(String text, String why) {
        var shown = text.length() > 300 ? text.substring(0, 300) + "…" : text;
        return new PodException(
                PodException.Kind.INVALID,
                "not an image reference: '%s': %s".formatted(shown, why),
                "write it as host/name:tag");
    }
}
