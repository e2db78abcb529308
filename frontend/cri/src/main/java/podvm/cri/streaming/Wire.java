package podvm.cri.streaming;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The way to a client: sending waits while the client does not read. */
final class Wire {
    /** Pieces of this size keep one stream from delaying the others for long. */
    static final int PIECE = 32 * 1024;

    /**
     * For a client to take all and leave: closing at once would lose bytes that are on their way.
     */
    private static final Duration FAREWELL = Duration.ofSeconds(10);

    private final Channel channel;

    Wire(Channel channel) {
        this.channel = channel;
    }

    /** The channel may be writable again, or has ended. */
    synchronized void wake() {
        notifyAll();
    }

    /** Fails when the client has gone. */
    void send(Object frame) throws IOException, InterruptedException {
        try {
            awaitRoom();
        } catch (IOException | InterruptedException e) {
            ReferenceCountUtil.release(frame);
            throw e;
        }
        var _ = channel.writeAndFlush(frame);
    }

    private synchronized void awaitRoom() throws IOException, InterruptedException {
        while (channel.isActive() && !channel.isWritable()) {
            wait();
        }
        if (!channel.isActive()) {
            throw new IOException("the client has gone");
        }
    }

    /** Sends what must not wait, such as the answer to a ping. */
    void post(Object frame) {
        var _ = channel.writeAndFlush(frame);
    }

    /** Sends the last frame and closes. */
    void closeAfter(Object frame) {
        var _ = channel.writeAndFlush(frame).addListener(ChannelFutureListener.CLOSE);
    }

    /** Ends the connection once the client has left, or a while later. */
    void farewell() {
        var _ =
                channel.eventLoop()
                        .schedule(this::close, FAREWELL.toMillis(), TimeUnit.MILLISECONDS);
    }

    void close() {
        var _ = channel.close();
    }
}
