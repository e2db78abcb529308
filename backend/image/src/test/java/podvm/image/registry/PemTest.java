package podvm.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;

class PemTest {
    private static final Path FILE = Path.of("/etc/me.key");

    /** Bytes before the PKCS #1 key in the PKCS #8 form of an RSA key of 2048 bits. */
    private static final int WRAPPING = 26;

    private static byte[] pem(String kind, byte[] der) {
        var text = Base64.getMimeEncoder().encodeToString(der);
        return "text before\n-----BEGIN %s-----\r\n%s\r\n-----END %s-----\n"
                .formatted(kind, text, kind)
                .getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void keysAreReadInTheirNewAndTheirOldForm() throws Exception {
        for (var algorithm : new String[] {"RSA", "EC", "Ed25519"}) {
            var key = KeyPairGenerator.getInstance(algorithm).generateKeyPair().getPrivate();
            assertThat(Pem.key(pem("PRIVATE KEY", key.getEncoded()), FILE)).isEqualTo(key);
        }
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        var rsa = generator.generateKeyPair().getPrivate();
        var old = Arrays.copyOfRange(rsa.getEncoded(), WRAPPING, rsa.getEncoded().length);
        assertThat(Pem.key(pem("RSA PRIVATE KEY", old), FILE)).isEqualTo(rsa);
    }

    @Test
    void whatIsNoKeyOrCertificateIsRefusedWithItsFile() {
        for (var kind :
                new String[] {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "PUBLIC KEY"}) {
            assertThatThrownBy(() -> Pem.key(pem(kind, new byte[200]), FILE))
                    .isInstanceOf(PodException.class)
                    .hasMessageContaining(FILE.toString());
        }
        for (var kind : new String[] {"CERTIFICATE", "PUBLIC KEY"}) {
            assertThatThrownBy(() -> Pem.certificates(pem(kind, new byte[200]), FILE))
                    .isInstanceOf(PodException.class)
                    .hasMessageContaining(FILE.toString());
        }
    }
}
