package podvm.cri;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Base64;
import java.util.Optional;
import podvm.engine.Credentials;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.cri.v1.AuthConfig;

/** Reads the credentials that come with a pull. */
final class Logins {
    private Logins() {}

    /** Empty where none are given: then the node's own are used. */
    static Optional<Credentials> read(AuthConfig auth) throws PodException {
        if (!auth.getRegistryToken().isEmpty()) {
            return Optional.of(new Credentials.RegistryToken(auth.getRegistryToken()));
        }
        if (!auth.getIdentityToken().isEmpty()) {
            return Optional.of(new Credentials.IdentityToken(auth.getIdentityToken()));
        }
        if (!auth.getUsername().isEmpty()) {
            return Optional.of(new Credentials.Password(auth.getUsername(), auth.getPassword()));
        }
        if (!auth.getAuth().isEmpty()) {
            return Optional.of(decode(auth.getAuth()));
        }
        return Optional.empty();
    }

    private static Credentials decode(String auth) throws PodException {
        try {
            var text = new String(Base64.getDecoder().decode(auth.strip()), UTF_8);
            int colon = text.indexOf(':');
            if (colon > 0) {
                // Docker's own files end the password with zero bytes
                var password = text.substring(colon + 1).replaceFirst("\0+$", "");
                return new Credentials.Password(text.substring(0, colon), password);
            }
        } catch (IllegalArgumentException e) {
            throw wrong();
        }
        throw wrong();
    }

    private static PodException wrong() {
        return new PodException(
                Kind.INVALID,
                "auth.auth of the pull is not base64 of user:password",
                "check the pod's image pull secrets");
    }
}
