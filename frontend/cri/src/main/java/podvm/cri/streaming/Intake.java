package podvm.cri.streaming;

import io.netty.channel.Channel;

/**
 * Holds a client back that sends faster than its streams are read. Neither protocol has a window
 * that its clients keep to, so the whole connection is held.
 */
final class Intake {
    private static final int HIGH = 1 << 20;
    private static final int LOW = HIGH / 4;

    private final Channel channel;
    private long waiting;

    Intake(Channel channel) {
        this.channel = channel;
    }

    synchronized void came(int bytes) {
        waiting += bytes;
        if (waiting > HIGH) {
            channel.config().setAutoRead(false);
        }
    }

    synchronized void taken(int bytes) {
        waiting -= bytes;
        if (waiting < LOW && !channel.config().isAutoRead()) {
            channel.config().setAutoRead(true);
        }
    }
}
