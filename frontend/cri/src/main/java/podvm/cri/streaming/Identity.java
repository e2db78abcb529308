package podvm.cri.streaming;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import podvm.cri.streaming.StreamTls.KeyPair;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** What a client is shown when it comes: its calls come from the event loop. */
interface Identity {
    SslContext now();

    static Identity selfSigned(InetAddress address) throws PodException {
        try {
            var own = SelfSigned.of(address);
            var context =
                    SslContextBuilder.forServer(own.key(), own.certificate())
                            .sslProvider(SslProvider.JDK)
                            .build();
            return () -> context;
        } catch (GeneralSecurityException | SSLException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot make a certificate for streams: " + e.getMessage(),
                    "name one: cri.streaming-certificate and cri.streaming-key",
                    e);
        }
    }

    /**
     * @param notes hears when a pair that has changed cannot be used; the one before it serves on
     */
    static Identity ofFiles(KeyPair files, Consumer<String> notes) throws PodException {
        return new OfFiles(files, notes);
    }

    /** Looks at the files for each client, which is cheaper than to be told of changes. */
    final class OfFiles implements Identity {
        private final KeyPair files;
        private final Consumer<String> notes;
        private State seen;
        private SslContext context;

        private record State(FileTime certificate, FileTime key) {
            static State of(KeyPair files) throws IOException {
                return new State(
                        Files.getLastModifiedTime(files.certificate()),
                        Files.getLastModifiedTime(files.key()));
            }
        }

        private OfFiles(KeyPair files, Consumer<String> notes) throws PodException {
            this.files = files;
            this.notes = notes;
            try {
                seen = State.of(files);
            } catch (IOException e) {
                throw unusable(e);
            }
            context = load();
        }

        @Override
        public synchronized SslContext now() {
            try {
                var state = State.of(files);
                if (!state.equals(seen)) {
                    // one that is half written is looked at again when the other half is there
                    seen = state;
                    context = load();
                }
            } catch (IOException e) {
                notes.accept(unusable(e).describe());
            } catch (PodException e) {
                notes.accept(e.describe());
            }
            return context;
        }

        private SslContext load() throws PodException {
            try {
                return SslContextBuilder.forServer(
                                files.certificate().toFile(), files.key().toFile())
                        .sslProvider(SslProvider.JDK)
                        .build();
            } catch (SSLException | IllegalArgumentException e) {
                throw unusable(e);
            }
        }

        private PodException unusable(Exception cause) {
            return new PodException(
                    Kind.INVALID,
                    "cannot use the certificate %s with the key %s: %s"
                            .formatted(files.certificate(), files.key(), innermost(cause)),
                    "both are PEM files, the key in PKCS#8 without a passphrase"
                            + " (openssl pkcs8 -topk8 -nocrypt)",
                    cause);
        }

        private static String innermost(Throwable cause) {
            var last = cause;
            for (var next = cause; next != null; next = next.getCause()) {
                last = next;
            }
            return last.toString();
        }
    }
}
