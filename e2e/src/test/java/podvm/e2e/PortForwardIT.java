package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** podvm port-forward to programs of a pod. */
class PortForwardIT {
    @RegisterExtension static final Node node = Node.ordinary();

    private static final int LARGE = 64 << 20;

    @BeforeAll
    static void aPodListens() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: box}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: any
                      image: localhost/box:1
                      command: [sh, -c, 'mkdir /www; echo a page >/www/index.html; head -c 1048576 /dev/zero >/www/large; httpd -h /www; exec nc -ll -p 7000 -e cat']
                    - name: six
                      image: localhost/box:1
                      command: [httpd, -f, -p, "[::1]:7006", -h, /etc]
                """);
        for (var port : new String[] {"7000", "7006", "80"}) {
            Wait.until(
                    "a program listens at " + port,
                    () -> node.shell("box", "any", "netstat -ltn").contains(":" + port + " "));
        }
    }

    @Test
    void aWebServerAndAnIpv6OnlyListenerAreReachedUntilCtrlC() throws Exception {
        try (var forward = node.start("port-forward", "box", ":80", ":7006")) {
            var ports = LocalPort.all(forward, 2);
            assertThat(LocalPort.page(ports.get(0), "")).isEqualTo("a page\n");
            assertThat(LocalPort.page(ports.get(1), "passwd")).contains("root:x:0:0");
            forward.signal("INT");
            forward.await().expect(130);
        }
    }

    @Test
    void manyConnectionsAreForwardedAtOnce() throws Exception {
        try (var forward = node.start("port-forward", "box", ":80")) {
            int port = LocalPort.all(forward, 1).getFirst();
            var all = new ArrayList<CompletableFuture<Integer>>();
            for (int i = 0; i < 20; i++) {
                var page = new CompletableFuture<Integer>();
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                page.complete(LocalPort.page(port, "large").length());
                            } catch (IOException e) {
                                page.completeExceptionally(e);
                            }
                        });
                all.add(page);
            }
            for (var page : all) {
                assertThat(page.get()).isEqualTo(1 << 20);
            }
        }
    }

    @Test
    void muchDataPassesBothWays() throws Exception {
        try (var forward = node.start("port-forward", "box", ":7000")) {
            int port = LocalPort.all(forward, 1).getFirst();
            assertThat(LocalPort.echo(port, LARGE)).isEqualTo(LARGE);
        }
    }

    @Test
    void aPortWhereNobodyListensIsToldAndTheOthersGoOn() throws Exception {
        try (var forward = node.start("port-forward", "box", ":81", ":7000")) {
            var ports = LocalPort.all(forward, 2);
            assertThat(LocalPort.echo(ports.get(0), 1)).isZero();
            Wait.until("the refusal is told", () -> forward.err().contains("port 81"));
            assertThat(forward.err()).contains("connection refused");
            assertThat(LocalPort.echo(ports.get(1), 10)).isEqualTo(10);
        }
    }

    @Test
    void aPodThatIsNotThereIsTold() throws Exception {
        assertThat(node.podvm("port-forward", "nobody", "80").expect(125).err()).contains("nobody");
    }
}
