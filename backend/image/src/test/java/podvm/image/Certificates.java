package podvm.image;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** A certificate authority made for one test, by the JDK's own keytool. */
final class Certificates {
    private static final String PASSWORD = "changeit";

    private final Path directory;
    private final Path store;

    Certificates(Path directory) throws Exception {
        this.directory = Files.createDirectories(directory);
        this.store = directory.resolve("keys.p12");
        keytool("-genkeypair", "-alias", "ca", "-dname", "CN=test CA", "-ext", "bc:c");
        write("ca.crt", List.of(certificate("ca")));
    }

    Path authority() {
        return directory.resolve("ca.crt");
    }

    Path certificateFile(String name) {
        return directory.resolve(name + ".crt");
    }

    Path keyFile(String name) {
        return directory.resolve(name + ".key");
    }

    /**
     * Makes name.crt and name.key.
     *
     * @param hosts "ip:127.0.0.1,dns:localhost"
     */
    void issue(String name, String hosts) throws Exception {
        keytool("-genkeypair", "-alias", name, "-dname", "CN=" + name);
        var request = directory.resolve(name + ".csr");
        var signed = directory.resolve(name + ".signed");
        keytool("-certreq", "-alias", name, "-file", request.toString());
        keytool(
                "-gencert",
                "-alias",
                "ca",
                "-infile",
                request.toString(),
                "-outfile",
                signed.toString(),
                "-ext",
                "san=" + hosts,
                "-ext",
                "eku=serverAuth,clientAuth");
        keytool("-importcert", "-noprompt", "-alias", name, "-file", signed.toString());
        write(name + ".crt", List.of(certificate(name)));
        Files.writeString(keyFile(name), pem("PRIVATE KEY", key(name).getEncoded()));
    }

    X509Certificate certificate(String name) throws Exception {
        return (X509Certificate) open().getCertificate(name);
    }

    PrivateKey key(String name) throws Exception {
        return (PrivateKey) open().getKey(name, PASSWORD.toCharArray());
    }

    private void write(String name, List<X509Certificate> chain) throws Exception {
        var text = new StringBuilder();
        for (var certificate : chain) {
            text.append(pem("CERTIFICATE", certificate.getEncoded()));
        }
        Files.writeString(directory.resolve(name), text);
    }

    private KeyStore open() throws Exception {
        var keys = KeyStore.getInstance("PKCS12");
        keys.load(new ByteArrayInputStream(Files.readAllBytes(store)), PASSWORD.toCharArray());
        return keys;
    }

    static String pem(String kind, byte[] der) {
        var encoder = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(kind, encoder.encodeToString(der), kind);
    }

    private void keytool(String... arguments) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin/keytool").toString());
        // it starts in half the time
        command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
        command.addAll(Arrays.asList(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storepass", PASSWORD));
        if (arguments[0].equals("-genkeypair")) {
            command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"));
        }
        Tool.run(command.toArray(String[]::new));
    }
}
