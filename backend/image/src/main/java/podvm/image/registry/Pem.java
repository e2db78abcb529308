package podvm.image.registry;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import podvm.engine.PodException;

/** Reads certificates and private keys from PEM (RFC 7468). */
final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

    /** "version 0, rsaEncryption" of a PKCS #8 key (RFC 5208, RFC 8017). */
    private static final byte[] RSA =
            HexFormat.of().parseHex("020100300d06092a864886f70d0101010500");

    /** Of more than 100,000 bits nobody has one. */
    private static final int LARGEST_RSA_KEY = 60_000;

    private Pem() {}

    static List<X509Certificate> certificates(byte[] pem, Path file) throws PodException {
        var found = new ArrayList<X509Certificate>();
        var blocks = BLOCK.matcher(new String(pem, StandardCharsets.ISO_8859_1));
        try {
            while (blocks.find()) {
                if (blocks.group(1).equals("CERTIFICATE")) {
                    var der = new ByteArrayInputStream(decoded(blocks.group(2)));
                    var certificates = CertificateFactory.getInstance("X.509");
                    found.add((X509Certificate) certificates.generateCertificate(der));
                }
            }
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw unusable(file, "is no certificate: " + e.getMessage(), "write it anew");
        }
        if (found.isEmpty()) {
            throw unusable(file, "holds no certificate", "convert it to PEM");
        }
        return found;
    }

    static PrivateKey key(byte[] pem, Path file) throws PodException {
        var blocks = BLOCK.matcher(new String(pem, StandardCharsets.ISO_8859_1));
        while (blocks.find()) {
            var kind = blocks.group(1);
            if (kind.equals("PRIVATE KEY")) {
                return key(decoded(blocks.group(2)), List.of("RSA", "EC", "Ed25519"), file);
            }
            if (kind.equals("RSA PRIVATE KEY")
                    && decoded(blocks.group(2)).length < LARGEST_RSA_KEY) {
                return key(pkcs8(decoded(blocks.group(2))), List.of("RSA"), file);
            }
            if (kind.endsWith("PRIVATE KEY")) {
                throw unusable(
                        file,
                        "holds an '%s', which is not read".formatted(kind),
                        "convert it with 'openssl pkcs8 -topk8 -nocrypt'");
            }
        }
        throw unusable(file, "holds no private key", "convert it to PEM");
    }

    private static PrivateKey key(byte[] der, List<String> algorithms, Path file)
            throws PodException {
        for (var algorithm : algorithms) {
            var key = key(der, algorithm);
            if (key.isPresent()) {
                return key.get();
            }
        }
        throw unusable(file, "holds a key that is none of " + algorithms, "use such a key");
    }

    private static Optional<PrivateKey> key(byte[] der, String algorithm) {
        try {
            var factory = KeyFactory.getInstance(algorithm);
            return Optional.of(factory.generatePrivate(new PKCS8EncodedKeySpec(der)));
        } catch (GeneralSecurityException e) {
            // a key of another algorithm
            return Optional.empty();
        }
    }

    private static byte[] pkcs8(byte[] rsa) {
        var content = new ByteArrayOutputStream();
        content.writeBytes(RSA);
        content.writeBytes(tagged(0x04, rsa));
        return tagged(0x30, content.toByteArray());
    }

    /** DER: a tag, the length in as few bytes as it needs, the content. */
    private static byte[] tagged(int tag, byte[] content) {
        var out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length < 0x80) {
            out.write(content.length);
        } else if (content.length < 0x100) {
            out.write(0x81);
            out.write(content.length);
        } else {
            out.write(0x82);
            out.write(content.length >>> 8);
            out.write(content.length);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }

    private static byte[] decoded(String text) {
        return Base64.getMimeDecoder().decode(text);
    }

    private static PodException unusable(Path file, String why, String remedy) {
        return new PodException(
                PodException.Kind.INVALID, "file %s %s".formatted(file, why), remedy);
    }
}
