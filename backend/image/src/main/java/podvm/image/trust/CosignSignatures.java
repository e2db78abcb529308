package podvm.image.trust;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/**
 * Signatures as cosign stores them: the tag sha256-DIGEST.sig of the image's repository leads to a
 * manifest whose layers are signed statements (cosign's SIGNATURE_SPEC.md).
 */
final class CosignSignatures {
    private static final String PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json";
    private static final String SIGNATURE = "dev.cosignproject.cosign/signature";

    /** An attacker may add as many as he likes. */
    private static final int MOST = 50;

    private static final int LARGEST_PAYLOAD = 64 << 10;

    private final SignatureSource source;
    private final Deadline deadline;

    CosignSignatures(SignatureSource source, Deadline deadline) {
        this.source = source;
        this.deadline = deadline;
    }

    /** Empty: one of the signatures fulfils the requirement; else why none does. */
    List<String> objections(SignedImage image, Requirement.Signed requirement)
            throws PodException, InterruptedException {
        var objections = new ArrayList<String>();
        for (var digest : image.digests()) {
            var tag = "sha256-" + digest.hex() + ".sig";
            var manifest = source.manifest(tag, deadline);
            if (manifest.isEmpty()) {
                objections.add("%s has no signature of %s".formatted(image.repository(), digest));
                continue;
            }
            int seen = 0;
            for (var layer : Json.parse(manifest.get(), tag).path("layers")) {
                if (Json.text(layer, "mediaType").equals(PAYLOAD) && seen++ < MOST) {
                    var objection = objection(layer, image, digest, requirement);
                    if (objection.isEmpty()) {
                        return List.of();
                    }
                    objections.add(objection);
                }
            }
            if (seen == 0) {
                objections.add(tag + " holds no signature");
            }
        }
        return objections;
    }

    /** Empty where it fulfils the requirement. */
    private String objection(
            JsonNode layer, SignedImage image, Digest digest, Requirement.Signed requirement)
            throws PodException, InterruptedException {
        var encoded = Json.text(layer.path("annotations"), SIGNATURE);
        long size = layer.path("size").asLong(-1);
        if (size < 0 || size > LARGEST_PAYLOAD) {
            return "a signed statement is too long, or of no length";
        }
        var payload = source.blob(Digest.parse(Json.text(layer, "digest")), size, deadline);
        if (requirement.keys().stream().noneMatch(key -> verifies(key, payload, encoded))) {
            return "a signature is not by "
                    + (requirement.keys().size() > 1 ? "any" : "the")
                    + " key of the policy";
        }
        // believed from here on: it is signed
        var critical = Json.parse(payload, "signed statement").path("critical");
        var signedDigest = Json.text(critical.path("image"), "docker-manifest-digest");
        if (!signedDigest.equals(digest.toString())) {
            return "a signature is for %s".formatted(signedDigest);
        }
        var name = Json.text(critical.path("identity"), "docker-reference");
        return requirement.identity().accepts(name, image)
                ? ""
                : "a signature is for the name '%s'".formatted(name);
    }

    private static boolean verifies(ECPublicKey key, byte[] payload, String encoded) {
        try {
            var signature = Signature.getInstance("SHA256withECDSA");
            signature.initVerify(key);
            signature.update(payload);
            return signature.verify(
                    Base64.getDecoder().decode(encoded.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            // what is no signature at all
            return false;
        }
    }
}
