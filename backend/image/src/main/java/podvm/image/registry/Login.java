package podvm.image.registry;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/** Proves to one server, for one repository, who asks; it remembers what the server wanted. */
final class Login {
    private final RegistryHost host;
    private final String repository;
    private final Lookup lookup;
    private final Tokens tokens;
    private final Tokens.Service service;

    private volatile @Nullable Credentials credentials;
    private volatile @Nullable Challenge wanted;

    /** Looks for credentials, once the server asks for some. */
    interface Lookup {
        Credentials find(Deadline deadline) throws PodException, InterruptedException;
    }

    Login(
            RegistryHost host,
            String repository,
            Lookup lookup,
            Tokens tokens,
            Tokens.Service service) {
        this.host = host;
        this.repository = repository;
        this.lookup = lookup;
        this.tokens = tokens;
        this.service = service;
    }

    /** What to send with a request, as far as the server has told before what it wants. */
    Optional<String> header(Deadline deadline) throws PodException, InterruptedException {
        var known = wanted;
        return known == null ? Optional.empty() : Optional.of(header(known, null, deadline));
    }

    /**
     * What to send after a request was refused.
     *
     * @param sent with that request
     */
    String answer(List<Challenge> challenges, Optional<String> sent, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var chosen = choose(challenges, what, deadline);
        var fresh = header(chosen, sent.orElse(null), deadline);
        wanted = chosen;
        return fresh;
    }

    /** Tells who was refused. */
    PodException denied(String what, String reason, Deadline deadline)
            throws PodException, InterruptedException {
        var who = credentials(deadline);
        boolean anonymous = who instanceof Credentials.Anonymous;
        return new PodException(
                PodException.Kind.DENIED,
                "%s denies the %s to %s%s"
                        .formatted(
                                host.name(),
                                what,
                                anonymous ? "anonymous users" : who,
                                reason.isEmpty() ? "" : ": " + reason),
                anonymous
                        ? "check the name; for a private image log in, as with 'docker login %s'"
                                .formatted(host.name())
                        : "check the name, the password and what the user may read");
    }

    private Challenge choose(List<Challenge> challenges, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var bearer = first(challenges, "bearer");
        if (bearer.isPresent()) {
            return bearer.get();
        }
        var basic = first(challenges, "basic");
        if (basic.isPresent() && credentials(deadline) instanceof Credentials.Password) {
            return basic.get();
        }
        if (basic.isPresent() || challenges.isEmpty()) {
            throw denied(what, "", deadline);
        }
        throw new PodException(
                PodException.Kind.UNSUPPORTED,
                "%s wants a login by %s"
                        .formatted(
                                host.name(),
                                challenges.stream()
                                        .map(challenge -> Messages.shown(challenge.scheme()))
                                        .collect(Collectors.joining(" or "))),
                "use a registry that takes passwords or tokens");
    }

    private static Optional<Challenge> first(List<Challenge> challenges, String scheme) {
        return challenges.stream()
                .filter(challenge -> challenge.scheme().equals(scheme))
                .findFirst();
    }

    private String header(Challenge challenge, @Nullable String refused, Deadline deadline)
            throws PodException, InterruptedException {
        return switch (credentials(deadline)) {
            case Credentials.RegistryToken(var token) -> "Bearer " + token;
            case Credentials.Password password when challenge.scheme().equals("basic") ->
                    basic(password);
            case Credentials who -> "Bearer " + token(challenge, who, refused, deadline);
        };
    }

    private String token(
            Challenge challenge, Credentials who, @Nullable String refused, Deadline deadline)
            throws PodException, InterruptedException {
        var scope = challenge.parameter("scope");
        var grant =
                new Tokens.Grant(
                        realm(challenge),
                        challenge.parameter("service"),
                        scope.isEmpty() ? "repository:" + repository + ":pull" : scope,
                        who);
        var text = refused == null ? null : refused.replaceFirst("^Bearer ", "");
        return tokens.get(grant, text, service, deadline).text();
    }

    private URI realm(Challenge challenge) throws PodException {
        var text = challenge.parameter("realm");
        try {
            var realm = URI.create(text);
            if (Origins.mayLead(host.api(), realm)) {
                return realm;
            }
        } catch (IllegalArgumentException e) {
            throw badRealm(text);
        }
        throw badRealm(text);
    }

    private PodException badRealm(String realm) {
        return new PodException(
                PodException.Kind.UNAVAILABLE,
                "%s sends its users for tokens to '%s', which is not HTTPS"
                        .formatted(host.name(), Messages.shown(realm)),
                "tell whoever runs the registry");
    }

    static String basic(Credentials.Password password) {
        var login = password.user() + ":" + password.password();
        return "Basic "
                + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    }

    private synchronized Credentials credentials(Deadline deadline)
            throws PodException, InterruptedException {
        var known = credentials;
        if (known == null) {
            known = lookup.find(deadline);
            credentials = known;
        }
        return known;
    }
}
