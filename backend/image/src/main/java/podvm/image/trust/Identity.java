package podvm.image.trust;

/**
 * Which name a signature must have been made for (containers-policy.json(5), "signedIdentity").
 * Names in signatures are written out, a missing tag is none.
 */
sealed interface Identity {
    record MatchExact() implements Identity {}

    record MatchRepoDigestOrExact() implements Identity {}

    record MatchRepository() implements Identity {}

    /**
     * @param reference "registry.example/team/app:1"
     */
    record ExactReference(String reference) implements Identity {}

    record ExactRepository(String repository) implements Identity {}

    /** The image is a mirror's: it was signed under another beginning of its name. */
    record RemapIdentity(String prefix, String signedPrefix) implements Identity {}

    /**
     * @param signed as the signature has it
     */
    default boolean accepts(String signed, SignedImage image) {
        return switch (this) {
            case MatchExact _ -> exact(signed, image.repository(), image);
            case MatchRepoDigestOrExact _ -> repoDigestOrExact(signed, image.repository(), image);
            case MatchRepository _ -> repository(signed).equals(image.repository());
            case ExactReference(var reference) -> signed.equals(reference);
            case ExactRepository(var repository) -> repository(signed).equals(repository);
            case RemapIdentity(var prefix, var signedPrefix) ->
                    repoDigestOrExact(
                            signed,
                            begins(image.repository(), prefix)
                                    ? signedPrefix + image.repository().substring(prefix.length())
                                    : image.repository(),
                            image);
        };
    }

    private static boolean begins(String repository, String prefix) {
        return repository.equals(prefix) || repository.startsWith(prefix + "/");
    }

    private static boolean repoDigestOrExact(String signed, String repository, SignedImage image) {
        return image.tag().isPresent()
                ? exact(signed, repository, image)
                : repository(signed).equals(repository);
    }

    private static boolean exact(String signed, String repository, SignedImage image) {
        return image.tag().isPresent() && signed.equals(repository + ":" + image.tag().get());
    }

    private static String repository(String signed) {
        int at = signed.indexOf('@');
        var named = at < 0 ? signed : signed.substring(0, at);
        int colon = named.lastIndexOf(':');
        return colon > named.lastIndexOf('/') ? named.substring(0, colon) : named;
    }
}
