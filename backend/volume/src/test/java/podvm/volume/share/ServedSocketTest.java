package podvm.volume.share;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;
import podvm.engine.Shares;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.ShareSpec;
import podvm.engine.Shares.Writable;

@Timeout(30)
class ServedSocketTest {
    private static final byte[] END = {};

    @TempDir Path directory;

    private final BlockingQueue<Program> programs = new LinkedBlockingQueue<>();
    private ServedSocket served;
    private Thread answering;

    /** A program of the guest that has connected. */
    private static final class Program implements GuestSockets.Caller, PortConnection {
        private final BlockingQueue<byte[]> says = new LinkedBlockingQueue<>();
        private final BlockingQueue<String> hears = new LinkedBlockingQueue<>();

        @Override
        public PortConnection connected() {
            hears.add("connected");
            return this;
        }

        @Override
        public void send(byte[] data) {
            hears.add(new String(data, UTF_8));
        }

        @Override
        public void endOfInput() {
            hears.add("end");
        }

        @Override
        public byte[] receive() throws InterruptedException {
            return says.take();
        }

        @Override
        public void close() {
            hears.add("closed");
        }
    }

    private final class Guest implements GuestSockets {
        @Override
        public void open(String name, Owner owner, Deadline deadline) {}

        @Override
        public Caller accept(String name) throws PodException, InterruptedException {
            var next = programs.take();
            if (next.says.peek() == END) {
                throw new PodException(Kind.NOT_FOUND, "ended", "");
            }
            return next;
        }
    }

    private Path path() {
        return directory.resolve("s");
    }

    @BeforeEach
    void serve() {
        served =
                new ServedSocket(
                        new ShareSpec(
                                "h1",
                                new Shares.Tree(
                                        path(), Writable.ALL, Mounts.LIVE, Shares.Shown.SOCKET)));
        answering =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                served.answer(new Guest());
                            } catch (PodException | InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
    }

    @AfterEach
    void end() throws Exception {
        var last = new Program();
        last.says.add(END);
        programs.add(last);
        answering.join();
        served.close();
    }

    private Program connect() {
        var program = new Program();
        programs.add(program);
        return program;
    }

    private ServerSocketChannel listen() throws Exception {
        Files.deleteIfExists(path());
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(path()));
    }

    @Test
    void eachDirectionEndsOnItsOwn() throws Exception {
        try (var server = listen()) {
            var program = connect();
            program.says.add("question".getBytes(UTF_8));
            program.says.add(END.clone());
            try (var client = server.accept()) {
                assertThat(Channels.newInputStream(client).readAllBytes())
                        .asString(UTF_8)
                        .isEqualTo("question");
                client.write(ByteBuffer.wrap("answer".getBytes(UTF_8)));
            }
            assertThat(program.hears.take()).isEqualTo("connected");
            assertThat(program.hears.take()).isEqualTo("answer");
            assertThat(program.hears.take()).isEqualTo("end");
            assertThat(program.hears.take()).isEqualTo("closed");
        }
    }

    @Test
    void whereNothingListensTheProgramIsNotConnectedAndTheNextOneMayBe() throws Exception {
        assertThat(connect().hears.take()).isEqualTo("closed");
        try (var _ = listen()) {
            var program = connect();
            assertThat(program.hears.take()).isEqualTo("connected");
            program.says.add(END.clone());
        }
        assertThat(connect().hears.take()).as("it is gone again").isEqualTo("closed");
    }

    @Test
    void aSocketIsSeenAsOneAndAPipeIsRefused() throws Exception {
        try (var _ = listen()) {
            var tree = HostTrees.look(path(), Writable.NOTHING, Mounts.AS_OPENED);
            assertThat(tree.shown()).isEqualTo(Shares.Shown.SOCKET);
            assertThat(tree.root()).isEqualTo(path().toRealPath());
        }
        assertThatThrownBy(
                        () -> HostTrees.look(Path.of("/dev/null"), Writable.ALL, Mounts.AS_OPENED))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("nor a socket");
    }
}
