package podvm.engine.fake;

import java.util.concurrent.LinkedBlockingQueue;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;

/** A program that sends back what it gets. It listens at one port. */
public final class EchoConnection implements PortConnection {
    public static final int PORT = 7;

    private static final byte[] END = {};
    private final LinkedBlockingQueue<byte[]> data = new LinkedBlockingQueue<>();

    private EchoConnection() {}

    public static PortConnection open(int port) throws PodException {
        if (port != PORT) {
            throw new PodException(Kind.CONFLICT, "nobody listens at port " + port, "");
        }
        return new EchoConnection();
    }

    @Override
    public void send(byte[] bytes) {
        data.add(bytes.clone());
    }

    @Override
    public void endOfInput() {
        data.add(END);
    }

    @Override
    public byte[] receive() throws InterruptedException {
        var bytes = data.take();
        if (bytes.length == 0) {
            data.add(bytes);
        }
        return bytes;
    }

    @Override
    public void close() {
        data.add(END);
    }
}
