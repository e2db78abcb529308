package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.regex.Pattern;

/** Ports of this host that lead into a pod. */
final class LocalPort {
    private static final Pattern FORWARDING =
            Pattern.compile("Forwarding from 127\\.0\\.0\\.1:([0-9]+) -> [0-9]+");

    private LocalPort() {}

    /** Of a command that forwards so many ports, in its words' order. */
    static List<Integer> all(Running forward, int count) throws InterruptedException {
        var out =
                forward.awaitOutput(
                        so -> FORWARDING.matcher(so).results().count() >= count,
                        count + " forwarded ports");
        return FORWARDING
                .matcher(out)
                .results()
                .map(found -> Integer.parseInt(found.group(1)))
                .toList();
    }

    /** A web server's page; empty where nothing comes. */
    static String page(int port, String path) throws IOException {
        try (var socket = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
            send(socket, ("GET /" + path + " HTTP/1.0\r\n\r\n").getBytes(UTF_8));
            var answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
            return answer.replaceFirst("(?s).*?\\r\\n\\r\\n", "");
        }
    }

    /** How many of so many bytes an echo at the other end has sent back unchanged, to its end. */
    static long echo(int port, int size) throws IOException, InterruptedException {
        var content = new byte[size];
        new Random(size).nextBytes(content);
        try (var socket = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
            var back = new CompletableFuture<Long>();
            var in = new java.io.BufferedInputStream(socket.getInputStream(), 1 << 16);
            Thread.ofVirtual().start(() -> back.complete(same(in, content)));
            send(socket, content);
            return back.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A connection that is closed by the other side tells so to its reader. */
    private static void send(Socket socket, byte[] content) {
        try {
            socket.getOutputStream().write(content);
            socket.shutdownOutput();
        } catch (IOException _) {
            // what came back until then counts
        }
    }

    private static long same(InputStream in, byte[] content) {
        var at = 0;
        try {
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (at >= content.length || (byte) next != content[at]) {
                    return -1;
                }
                at++;
            }
        } catch (IOException _) {
            // broken off: so far it came
        }
        return at;
    }
}
