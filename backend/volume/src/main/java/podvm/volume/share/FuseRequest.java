package podvm.volume.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import podvm.linux.ErrnoException;

/** A request: its header, and its body as it is read. Whatever the body lacks is EINVAL. */
final class FuseRequest {
    private static final int HEADER = 40;

    /** NAME_MAX of Linux. */
    private static final int MAX_NAME = 255;

    /** PATH_MAX of Linux, without its zero. */
    static final int MAX_PATH = 4095;

    private final int opcode;
    private final long unique;
    private final long node;
    private final int uid;
    private final int gid;
    private final ByteBuffer body;

    private FuseRequest(ByteBuffer message) {
        opcode = message.getInt(4);
        unique = message.getLong(8);
        node = message.getLong(16);
        uid = message.getInt(24);
        gid = message.getInt(28);
        body = message.slice(HEADER, message.limit() - HEADER).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Empty for what cannot even be answered. */
    static Optional<FuseRequest> parse(ByteBuffer message) {
        var bytes = message.slice().order(ByteOrder.LITTLE_ENDIAN);
        return bytes.limit() < HEADER || bytes.getInt(0) != bytes.limit() || bytes.getLong(8) == 0
                ? Optional.empty()
                : Optional.of(new FuseRequest(bytes));
    }

    int opcode() {
        return opcode;
    }

    long unique() {
        return unique;
    }

    long node() {
        return node;
    }

    int uid() {
        return uid;
    }

    int gid() {
        return gid;
    }

    int u32() throws ErrnoException {
        need(4);
        return body.getInt();
    }

    /** A count or size, which is negative when it is beyond all that is taken. */
    int size() throws ErrnoException {
        var size = u32();
        if (size < 0) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        return size;
    }

    long u64() throws ErrnoException {
        need(8);
        return body.getLong();
    }

    /** A position in a file: no file is longer than 2^63. */
    long offset() throws ErrnoException {
        var offset = u64();
        if (offset < 0) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        return offset;
    }

    void skip(int bytes) throws ErrnoException {
        need(bytes);
        body.position(body.position() + bytes);
    }

    /** One element of a path: never a path, and never the way up. */
    byte[] name() throws ErrnoException {
        var name = text(MAX_NAME);
        var dots = name.length <= 2 && name[0] == '.' && name[name.length - 1] == '.';
        for (var b : name) {
            if (b == '/') {
                throw new ErrnoException(ErrnoException.EINVAL);
            }
        }
        if (dots) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        return name;
    }

    /** Bytes up to a zero, at least one. */
    byte[] text(int most) throws ErrnoException {
        var start = body.position();
        var end = start;
        while (end < body.limit() && body.get(end) != 0) {
            end++;
        }
        if (end == body.limit() || end == start) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
        if (end - start > most) {
            throw new ErrnoException(ErrnoException.ENAMETOOLONG);
        }
        var text = new byte[end - start];
        body.get(text);
        body.get();
        return text;
    }

    /** The next bytes, not copied. */
    ByteBuffer data(int size) throws ErrnoException {
        need(size);
        var data = body.slice(body.position(), size);
        body.position(body.position() + size);
        return data;
    }

    int left() {
        return body.remaining();
    }

    private void need(int bytes) throws ErrnoException {
        if (bytes < 0 || body.remaining() < bytes) {
            throw new ErrnoException(ErrnoException.EINVAL);
        }
    }
}
