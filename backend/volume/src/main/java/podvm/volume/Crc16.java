package podvm.volume;

import java.nio.ByteBuffer;

/** The CRC of ext4's group descriptors: polynomial 0x8005 reflected, beginning with all ones. */
final class Crc16 {
    private static final int POLYNOMIAL = 0xa001;

    private int crc = 0xffff;

    void update(byte[] bytes) {
        update(ByteBuffer.wrap(bytes));
    }

    void update(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            crc ^= bytes.get() & 0xff;
            for (var bit = 0; bit < 8; bit++) {
                crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ POLYNOMIAL;
            }
        }
    }

    short value() {
        return (short) crc;
    }
}
