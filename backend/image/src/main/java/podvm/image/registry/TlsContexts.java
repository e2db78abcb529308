package podvm.image.registry;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;

/** Makes what TLS needs out of certificate and key files. */
final class TlsContexts {
    private static final int LARGEST_FILE = 4 << 20;
    private static final char[] NO_PASSWORD = new char[0];

    private TlsContexts() {}

    static SSLContext of(TlsSettings settings) throws PodException {
        try {
            var context = SSLContext.getInstance("TLS");
            context.init(identities(settings.identities()), trust(settings), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "cannot use certificates %s: %s".formatted(settings, e.getMessage()),
                    "check the files that hosts.toml names",
                    e);
        }
    }

    private static KeyManager @Nullable [] identities(List<TlsSettings.Identity> identities)
            throws GeneralSecurityException, IOException, PodException {
        if (identities.isEmpty()) {
            return null;
        }
        var store = empty();
        for (var identity : identities) {
            var chain = Pem.certificates(read(identity.certificate()), identity.certificate());
            var key = Pem.key(read(identity.key()), identity.key());
            store.setKeyEntry(
                    "client-" + store.size(), key, NO_PASSWORD, chain.toArray(new Certificate[0]));
        }
        var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    private static TrustManager @Nullable [] trust(TlsSettings settings)
            throws GeneralSecurityException, IOException, PodException {
        if (settings.skipVerify()) {
            return new TrustManager[] {new Anybody()};
        }
        if (settings.authorities().isEmpty()) {
            return null;
        }
        var store = empty();
        for (var known : systemAuthorities()) {
            store.setCertificateEntry("authority-" + store.size(), known);
        }
        for (var file : settings.authorities()) {
            for (var own : Pem.certificates(read(file), file)) {
                store.setCertificateEntry("authority-" + store.size(), own);
            }
        }
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return factory.getTrustManagers();
    }

    private static List<X509Certificate> systemAuthorities() throws GeneralSecurityException {
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        var found = new ArrayList<X509Certificate>();
        for (var manager : factory.getTrustManagers()) {
            if (manager instanceof X509TrustManager trusting) {
                found.addAll(List.of(trusting.getAcceptedIssuers()));
            }
        }
        return found;
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static byte[] read(Path file) throws PodException {
        try (var in = Files.newInputStream(file)) {
            return in.readNBytes(LARGEST_FILE);
        } catch (IOException e) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "cannot read %s: %s".formatted(file, e),
                    "check the files that hosts.toml names",
                    e);
        }
    }

    /** Only this kind of trust manager is also asked whether the host's name fits. */
    private static final class Anybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
