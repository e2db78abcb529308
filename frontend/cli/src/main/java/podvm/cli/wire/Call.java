package podvm.cli.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One gRPC call on a connection of its own. One thread may send while another receives; whichever
 * waits reads the connection, so that no thread is needed for that alone.
 */
public final class Call implements AutoCloseable {
    private static final int STREAM = 1;
    private static final int DEFAULT_WINDOW = 65_535;

    /** What the server may send ahead of what we take, in bytes. */
    private static final int WINDOW = 1 << 18;

    private static final int LARGEST_HEADERS = 1 << 18;
    private static final int CANCEL = 8;
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);

    private final FrameChannel frames;
    private final Messages messages = new Messages();
    private final ByteArrayOutputStream headers = new ByteArrayOutputStream();
    private boolean headersOpen;
    private boolean headersEndStream;
    private boolean answered;
    private boolean reading;
    private int unacknowledged;
    private long connectionCredit = DEFAULT_WINDOW;
    private long streamCredit = DEFAULT_WINDOW;
    private int initialWindow = DEFAULT_WINDOW;
    private @Nullable Outcome outcome;

    private Call(FrameChannel frames) {
        this.frames = frames;
    }

    /**
     * Connects and begins the call.
     *
     * @param method such as "podvm.node.v1.Node/ListPods"
     */
    public static Call open(Path socket, String method) throws IOException {
        var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        try {
            var frames = new FrameChannel(channel);
            frames.putRaw(PREFACE);
            frames.put(Frame.SETTINGS, 0, 0, settings());
            frames.put(Frame.WINDOW_UPDATE, 0, 0, number(WINDOW - DEFAULT_WINDOW));
            frames.put(Frame.HEADERS, Frame.END_HEADERS, STREAM, HeaderWriter.call("/" + method));
            return new Call(frames);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static byte[] settings() {
        return ByteBuffer.allocate(4 * 6)
                .putShort((short) 1) // HEADER_TABLE_SIZE
                .putInt(0)
                .putShort((short) 2) // ENABLE_PUSH
                .putInt(0)
                .putShort((short) 4) // INITIAL_WINDOW_SIZE
                .putInt(WINDOW)
                .putShort((short) 6) // MAX_HEADER_LIST_SIZE
                .putInt(LARGEST_HEADERS)
                .array();
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    /** Sends the only message of the call. */
    public boolean sendLast(byte[] message) throws IOException {
        return send(message, Frame.END_STREAM);
    }

    /**
     * Waits while the server takes no more. False when the call has ended, of which {@link
     * #receive} tells how.
     */
    public boolean send(byte[] message) throws IOException {
        return send(message, 0);
    }

    private boolean send(byte[] message, int endFlag) throws IOException {
        var framed = Messages.prefixed(message);
        for (var at = 0; at < framed.length; ) {
            var length = takeCredit(Math.min(framed.length - at, FrameChannel.LARGEST_PAYLOAD));
            if (length == 0) {
                return false;
            }
            var flags = at + length == framed.length ? endFlag : 0;
            frames.put(Frame.DATA, flags, STREAM, framed, at, length);
            at += length;
        }
        frames.flush();
        return true;
    }

    /** Says that nothing more will be sent. */
    public void halfClose() throws IOException {
        frames.put(Frame.DATA, Frame.END_STREAM, STREAM, new byte[0]);
        frames.flush();
    }

    /** Some of what is wanted; 0 when the call has ended. */
    private int takeCredit(int wanted) throws IOException {
        while (true) {
            synchronized (this) {
                if (outcome != null) {
                    return 0;
                }
                var credit = (int) Math.min(wanted, Math.min(connectionCredit, streamCredit));
                if (credit > 0) {
                    connectionCredit -= credit;
                    streamCredit -= credit;
                    return credit;
                }
                if (reading) {
                    pause();
                    continue;
                }
                reading = true;
            }
            readOne();
        }
    }

    /** The next message, or nothing where the call ended well. */
    public Optional<byte[]> receive() throws IOException, CallFailure {
        while (true) {
            int taken;
            synchronized (this) {
                var message = messages.poll();
                if (message != null) {
                    return Optional.of(message);
                }
                if (outcome != null) {
                    return end(outcome);
                }
                taken = unacknowledged >= WINDOW / 2 ? unacknowledged : 0;
                unacknowledged -= taken;
                if (taken == 0) {
                    if (reading) {
                        pause();
                        continue;
                    }
                    reading = true;
                }
            }
            if (taken > 0) {
                acknowledge(taken);
            } else {
                readOne();
            }
        }
    }

    private static Optional<byte[]> end(Outcome outcome) throws IOException, CallFailure {
        return switch (outcome) {
            case Outcome.Success _ -> Optional.empty();
            case Outcome.Refused(var status, var message, var details) ->
                    throw new CallFailure(status, message, details);
            case Outcome.Broken(var cause) -> throw new IOException(cause.getMessage(), cause);
        };
    }

    private void acknowledge(int bytes) throws IOException {
        frames.put(Frame.WINDOW_UPDATE, 0, 0, number(bytes));
        frames.put(Frame.WINDOW_UPDATE, 0, STREAM, number(bytes));
        frames.flush();
    }

    @SuppressWarnings("WaitNotInLoop") // the callers loop, for several reasons at once
    private synchronized void pause() throws IOException {
        try {
            wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted");
        }
    }

    private void readOne() {
        try {
            frames.flush();
            handle(frames.read());
        } catch (IOException e) {
            finish(new Outcome.Broken(e));
        } finally {
            synchronized (this) {
                reading = false;
                notifyAll();
            }
        }
    }

    /** The first outcome counts. */
    private synchronized void finish(Outcome end) {
        if (outcome == null) {
            outcome = end;
        }
        notifyAll();
    }

    private void handle(Frame frame) throws IOException {
        if (headersOpen && frame.type() != Frame.CONTINUATION) {
            throw new WireException("a header block was interrupted");
        }
        switch (frame.type()) {
            case Frame.DATA -> data(frame);
            case Frame.HEADERS -> headers(frame);
            case Frame.CONTINUATION -> continuation(frame);
            case Frame.SETTINGS -> settings(frame);
            case Frame.PING -> ping(frame);
            case Frame.WINDOW_UPDATE -> windowUpdate(frame);
            case Frame.RST_STREAM ->
                    throw new WireException("the server gave the call up, error " + code(frame, 0));
            case Frame.GOAWAY -> goAway(frame);
            case Frame.PUSH_PROMISE -> throw new WireException("the server pushes, unasked");
            default -> {} // unknown types are to be ignored: RFC 9113, 5.5
        }
    }

    private void data(Frame frame) throws IOException {
        checkStream(frame);
        if (!answered) {
            throw new WireException("data came before headers");
        }
        synchronized (this) {
            unacknowledged += frame.payload().length;
            if (unacknowledged > WINDOW) {
                throw new WireException("the server sent more than its window");
            }
            messages.add(frame.payload(), frame.start(), frame.end());
        }
        if (frame.has(Frame.END_STREAM)) {
            throw new WireException("the answer ends without trailers");
        }
    }

    private void headers(Frame frame) throws IOException {
        checkStream(frame);
        headersOpen = true;
        headersEndStream = frame.has(Frame.END_STREAM);
        headers.reset();
        headers.write(frame.payload(), frame.start(), frame.end() - frame.start());
        closeHeaders(frame);
    }

    private void continuation(Frame frame) throws IOException {
        checkStream(frame);
        if (!headersOpen) {
            throw new WireException("a header block goes on that has not begun");
        }
        headers.writeBytes(frame.payload());
        closeHeaders(frame);
    }

    private void closeHeaders(Frame frame) throws IOException {
        if (headers.size() > LARGEST_HEADERS) {
            throw new WireException("a header block is larger than 256 KiB");
        }
        if (!frame.has(Frame.END_HEADERS)) {
            return;
        }
        headersOpen = false;
        var fields = HeaderReader.read(headers.toByteArray());
        if (!answered) {
            checkStatus(fields);
        }
        if (headersEndStream) {
            checkWhole(fields);
        }
        answered = true;
    }

    private static void checkStatus(Map<String, String> fields) throws WireException {
        var status = fields.getOrDefault(":status", "missing");
        var type = fields.getOrDefault("content-type", "missing");
        if (!status.equals("200") || !type.startsWith("application/grpc")) {
            throw new WireException(
                    "this is no gRPC server: HTTP status " + status + ", content " + type);
        }
    }

    private synchronized void checkWhole(Map<String, String> trailers) throws WireException {
        var end = Outcome.of(trailers);
        if (end instanceof Outcome.Success && !messages.whole()) {
            throw new WireException("the answer ends inside a message");
        }
        finish(end);
    }

    private void settings(Frame frame) throws IOException {
        if (frame.has(Frame.ACK)) {
            return;
        }
        if (frame.payload().length % 6 != 0) {
            throw new WireException("settings have a wrong length");
        }
        for (var at = 0; at < frame.payload().length; at += 6) {
            var name = (frame.payload()[at] & 0xff) << 8 | (frame.payload()[at + 1] & 0xff);
            if (name == 4) {
                initialWindow(code(frame, at + 2));
            }
        }
        frames.put(Frame.SETTINGS, Frame.ACK, 0, new byte[0]);
        frames.flush();
    }

    private synchronized void initialWindow(int size) throws WireException {
        if (size < 0) {
            throw new WireException("the server's window is too large");
        }
        streamCredit += (long) size - initialWindow;
        initialWindow = size;
    }

    private void ping(Frame frame) throws IOException {
        if (!frame.has(Frame.ACK)) {
            frames.put(Frame.PING, Frame.ACK, 0, frame.payload());
            frames.flush();
        }
    }

    private synchronized void windowUpdate(Frame frame) throws WireException {
        var credit = code(frame, 0) & 0x7fff_ffff;
        if (frame.stream() == 0) {
            connectionCredit += credit;
        } else if (frame.stream() == STREAM) {
            streamCredit += credit;
        }
        if (Math.max(connectionCredit, streamCredit) > Integer.MAX_VALUE) {
            throw new WireException("the server's window is too large");
        }
    }

    /** Ours is the first stream; a server that goes away may still answer it. */
    private static void goAway(Frame frame) throws WireException {
        if (code(frame, 0) < STREAM) {
            throw new WireException("the server goes away, error " + code(frame, 4));
        }
    }

    private static void checkStream(Frame frame) throws WireException {
        if (frame.stream() != STREAM) {
            throw new WireException("the server uses a stream that we did not open");
        }
    }

    private static int code(Frame frame, int at) throws WireException {
        if (frame.payload().length < at + 4) {
            throw new WireException("a frame of type " + frame.type() + " is too short");
        }
        return ByteBuffer.wrap(frame.payload()).getInt(at);
    }

    /** Ends the call, and with it the server's work on it. */
    @Override
    public void close() {
        boolean open;
        synchronized (this) {
            open = outcome == null;
        }
        finish(new Outcome.Broken(new IOException("the call was closed")));
        try (frames) {
            if (open) {
                frames.put(Frame.RST_STREAM, 0, STREAM, number(CANCEL));
                frames.flush();
            }
        } catch (IOException _) {
            // the server sees the connection end, which says the same
        }
    }
}
