package podvm.cli.wire;

/** A unit of HTTP/2. */
record Frame(int type, int flags, int stream, byte[] payload) {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int ACK = 0x1;
    static final int END_STREAM = 0x1;
    static final int END_HEADERS = 0x4;
    static final int PADDED = 0x8;
    static final int PRIORITY = 0x20;

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Where the content of DATA or HEADERS begins. */
    int start() throws WireException {
        var start = has(PADDED) ? 1 : 0;
        if (type == HEADERS && has(PRIORITY)) {
            start += 5;
        }
        check(start <= payload.length);
        return start;
    }

    /** Where the content of DATA or HEADERS ends. */
    int end() throws WireException {
        if (!has(PADDED)) {
            return payload.length;
        }
        check(payload.length > 0);
        var end = payload.length - (payload[0] & 0xff);
        check(end >= start());
        return end;
    }

    private void check(boolean sound) throws WireException {
        if (!sound) {
            throw new WireException("the padding of frame type " + type + " is longer than it");
        }
    }
}
