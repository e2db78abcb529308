package podvm.image.trust;

import java.security.interfaces.ECPublicKey;
import java.util.List;

/** What a policy asks of an image (containers-policy.json(5), "Policy Requirements"). */
sealed interface Requirement {
    record AcceptAnything() implements Requirement {}

    record Reject() implements Requirement {}

    /**
     * @param keys of which one must have signed
     */
    record Signed(List<ECPublicKey> keys, Identity identity) implements Requirement {}
}
