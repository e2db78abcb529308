package podvm.image.trust;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/** The keys that a requirement names: PEM as "cosign generate-key-pair" writes it to cosign.pub. */
record PublicKeys(String place) {
    private static final String BEGIN = "-----BEGIN PUBLIC KEY-----";
    private static final String END = "-----END PUBLIC KEY-----";
    private static final int P256_BITS = 256;

    List<ECPublicKey> read(JsonNode requirement) throws PodException {
        var keys = new ArrayList<ECPublicKey>();
        for (var path : texts(requirement, "keyPath", "keyPaths")) {
            keys.add(key(file(path), path));
        }
        for (var data : texts(requirement, "keyData", "keyDatas")) {
            keys.add(key(decoded(data), "keyData"));
        }
        if (keys.isEmpty()) {
            throw wrong("it names no key", "give keyPath or keyData", null);
        }
        return List.copyOf(keys);
    }

    private static List<String> texts(JsonNode node, String one, String many) {
        var texts = new ArrayList<>(Json.texts(node.path(many)));
        var single = Json.text(node, one);
        if (!single.isEmpty()) {
            texts.add(single);
        }
        return texts;
    }

    private String file(String path) throws PodException {
        try {
            return Files.readString(Path.of(path));
        } catch (IOException e) {
            throw wrong("cannot read the key " + path + ": " + e, "check the path", e);
        }
    }

    private String decoded(String data) throws PodException {
        try {
            return new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw wrong("its keyData is not base64", "base64 -w0 of a PEM file", e);
        }
    }

    private ECPublicKey key(String pem, String source) throws PodException {
        int from = pem.indexOf(BEGIN);
        int to = pem.indexOf(END);
        if (from < 0 || to < from) {
            throw wrong(
                    source + " has no '" + BEGIN + "'",
                    "use a public key in PEM, such as cosign.pub",
                    null);
        }
        try {
            var der =
                    Base64.getMimeDecoder()
                            .decode(pem.substring(from + BEGIN.length(), to).strip());
            var key = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
            if (key instanceof ECPublicKey ec
                    && ec.getParams().getCurve().getField().getFieldSize() == P256_BITS) {
                return ec;
            }
            throw wrong(source + " is not on the curve P-256", "use an ECDSA P-256 key", null);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw wrong(source + " is no ECDSA key: " + e.getMessage(), "use ECDSA P-256", e);
        }
    }

    private PodException wrong(String why, String remedy, @Nullable Throwable cause) {
        return new PodException(
                PodException.Kind.INVALID, "%s: %s".formatted(place, why), remedy, cause);
    }
}
