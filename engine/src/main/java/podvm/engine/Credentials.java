package podvm.engine;

/** How a user is known to a registry. Their texts never show a secret. */
public sealed interface Credentials {
    record Anonymous() implements Credentials {}

    record Password(String user, String password) implements Credentials {
        @Override
        public String toString() {
            return "user " + user;
        }
    }

    /** Buys tokens at the registry's token service (OAuth 2: a refresh token). */
    record IdentityToken(String token) implements Credentials {
        @Override
        public String toString() {
            return "an identity token";
        }
    }

    /** Is shown to the registry as it is. */
    record RegistryToken(String token) implements Credentials {
        @Override
        public String toString() {
            return "a registry token";
        }
    }
}
