package podvm.engine.seccomp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Runs a filter as the kernel would: the machine of linux/filter.h, as far as seccomp allows it.
 */
final class FilterMachine {
    static final int ALLOW = 0x7fff_0000;
    static final int ERRNO = 0x0005_0000;
    static final int KILL = 0;
    static final int AMD64 = 0xc000_003e;
    static final int I386 = 0x4000_0003;
    static final int ARM64 = 0xc000_00b7;

    private final ByteBuffer program;

    FilterMachine(byte[] program) {
        this.program = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The verdict on a call. */
    int run(int architecture, int number, long... arguments) {
        // struct seccomp_data
        var data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(number).putInt(architecture).putLong(0);
        for (var argument : arguments) {
            data.putLong(argument);
        }
        int accumulator = 0;
        for (int at = 0; ; at++) {
            int code = Short.toUnsignedInt(program.getShort(at * 8));
            int whenTrue = Byte.toUnsignedInt(program.get(at * 8 + 2));
            int whenFalse = Byte.toUnsignedInt(program.get(at * 8 + 3));
            int value = program.getInt(at * 8 + 4);
            switch (code) {
                case 0x20 -> accumulator = data.getInt(value);
                case 0x54 -> accumulator &= value;
                case 0x05 -> at += value;
                case 0x06 -> {
                    return value;
                }
                case 0x15 -> at += accumulator == value ? whenTrue : whenFalse;
                case 0x25 ->
                        at +=
                                Integer.compareUnsigned(accumulator, value) > 0
                                        ? whenTrue
                                        : whenFalse;
                case 0x35 ->
                        at +=
                                Integer.compareUnsigned(accumulator, value) >= 0
                                        ? whenTrue
                                        : whenFalse;
                default -> throw new IllegalStateException("no such instruction: " + code);
            }
        }
    }
}
