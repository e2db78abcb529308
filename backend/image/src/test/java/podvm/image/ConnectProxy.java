package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An HTTP proxy that knows CONNECT and a password, and leads everything to one port. */
final class ConnectProxy implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int target;
    private final String login;
    final List<String> requests = new CopyOnWriteArrayList<>();

    /**
     * @param login as the header carries it
     */
    ConnectProxy(int target, String login) throws IOException {
        this.target = target;
        this.login = login;
        Thread.startVirtualThread(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                var client = server.accept();
                Thread.startVirtualThread(() -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            var head = head(client.getInputStream());
            requests.add(head.lines().findFirst().orElse(""));
            if (!head.contains("Proxy-Authorization: " + login)) {
                say(client, "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
                return;
            }
            try (var upstream = new Socket(InetAddress.getLoopbackAddress(), target)) {
                say(client, "HTTP/1.1 200 OK\r\n\r\n");
                var back = Thread.startVirtualThread(() -> copy(upstream, client));
                copy(client, upstream);
                back.join();
            }
        } catch (IOException | InterruptedException e) {
            return;
        }
    }

    private static void say(Socket client, String text) throws IOException {
        client.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException e) {
            return;
        }
    }

    private static String head(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int octet = in.read();
            if (octet < 0) {
                return "";
            }
            head.append((char) octet);
        }
        return head.toString();
    }
}
