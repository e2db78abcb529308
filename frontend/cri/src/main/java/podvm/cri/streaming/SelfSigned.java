package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;

/**
 * A key and a certificate of its own for one address: the JDK reads certificates and makes none.
 *
 * <p>Structures are those of RFC 5280, written in DER.
 */
record SelfSigned(PrivateKey key, X509Certificate certificate) {
    private static final Duration LIFE = Duration.ofDays(3650);

    /** A clock that is a little behind must not refuse it. */
    private static final Duration BEFORE = Duration.ofDays(1);

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int UTF8 = 0x0c;
    private static final int GENERALIZED_TIME = 0x18;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int VERSION = 0xa0;
    private static final int EXTENSIONS = 0xa3;

    /** Of a subject's alternative names. */
    private static final int IP_ADDRESS = 0x87;

    /** Object identifiers, encoded: ecdsa-with-SHA256, commonName, subjectAltName. */
    private static final byte[] ECDSA_SHA256 = hex("06082a8648ce3d040302");

    private static final byte[] COMMON_NAME = hex("0603550403");
    private static final byte[] ALTERNATIVE_NAME = hex("0603551d11");

    static SelfSigned of(InetAddress address) throws GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        var keys = generator.generateKeyPair();
        var now = Instant.now();
        var algorithm = der(SEQUENCE, ECDSA_SHA256);
        var name =
                der(
                        SEQUENCE,
                        der(
                                SET,
                                der(
                                        SEQUENCE,
                                        COMMON_NAME,
                                        der(UTF8, "podvmd streams".getBytes(US_ASCII)))));
        var addresses = der(SEQUENCE, der(IP_ADDRESS, address.getAddress()));
        var extension = der(SEQUENCE, ALTERNATIVE_NAME, der(OCTET_STRING, addresses));
        var body =
                der(
                        SEQUENCE,
                        der(VERSION, der(INTEGER, new byte[] {2})),
                        der(INTEGER, new BigInteger(120, new SecureRandom()).toByteArray()),
                        algorithm,
                        name,
                        der(SEQUENCE, time(now.minus(BEFORE)), time(now.plus(LIFE))),
                        name,
                        keys.getPublic().getEncoded(),
                        der(EXTENSIONS, der(SEQUENCE, extension)));
        var signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(keys.getPrivate());
        signature.update(body);
        var whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, new byte[1], signature.sign()));
        var certificate =
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(whole));
        return new SelfSigned(keys.getPrivate(), (X509Certificate) certificate);
    }

    private static byte[] time(Instant instant) {
        return der(GENERALIZED_TIME, TIME.format(instant).getBytes(US_ASCII));
    }

    private static byte[] der(int tag, byte[]... parts) {
        var content = new ByteArrayOutputStream();
        for (var part : parts) {
            content.writeBytes(part);
        }
        var all = new ByteArrayOutputStream();
        all.write(tag);
        int length = content.size();
        if (length < 0x80) {
            all.write(length);
        } else {
            // as few bytes as hold it, after how many those are
            int bytes = length < 0x100 ? 1 : 2;
            all.write(0x80 | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                all.write(length >>> (8 * i));
            }
        }
        all.writeBytes(content.toByteArray());
        return all.toByteArray();
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }
}
