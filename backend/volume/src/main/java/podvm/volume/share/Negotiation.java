package podvm.volume.share;

import podvm.linux.ErrnoException;

/** The first request of a mount: what its kernel and this server both can. */
final class Negotiation {
    private static final int MAJOR = 7;

    /** Of Linux 5.6: structures have had their present size since 7.23. */
    private static final int LEAST_MINOR = 31;

    private static final int MINOR = 38;

    /** The largest that Linux takes (fuse_i.h, FUSE_MAX_MAX_PAGES of old). */
    static final int MOST_BYTES = 1 << 20;

    private static final int PAGES = MOST_BYTES / 4096;
    private static final int BACKGROUND = 32;

    private static final int ASYNC_READ = 1;
    private static final int ATOMIC_O_TRUNC = 1 << 3;
    private static final int BIG_WRITES = 1 << 5;
    private static final int AUTO_INVAL_DATA = 1 << 12;
    private static final int ASYNC_DIO = 1 << 15;
    private static final int PARALLEL_DIROPS = 1 << 18;
    private static final int MAX_PAGES = 1 << 22;

    /**
     * Not among them: a write-back cache (it would hide what the host writes), locks (they stay in
     * the guest), reading names and attributes together (attributes are not believed for long
     * enough to be worth it), and clearing of set-user-id bits (the guest's kernel does it).
     */
    private static final int WANTED =
            ASYNC_READ
                    | ATOMIC_O_TRUNC
                    | BIG_WRITES
                    | AUTO_INVAL_DATA
                    | ASYNC_DIO
                    | PARALLEL_DIROPS
                    | MAX_PAGES;

    private Negotiation() {}

    /** Between struct fuse_init_in and fuse_init_out. */
    static FuseAnswer answer(FuseRequest request) throws ErrnoException {
        var major = request.u32();
        var minor = request.u32();
        request.skip(4);
        var offered = request.u32();
        if (major > MAJOR) {
            // the guest asks again with this number
            return FuseAnswer.ofAtMost(8).u32(MAJOR).u32(MINOR);
        }
        if (major < MAJOR || minor < LEAST_MINOR) {
            throw new ErrnoException(ErrnoException.EPROTO);
        }
        return FuseAnswer.ofAtMost(64)
                .u32(MAJOR)
                .u32(Math.min(minor, MINOR))
                .u32(MOST_BYTES)
                .u32(offered & WANTED)
                .u16(BACKGROUND)
                .u16(BACKGROUND * 3 / 4)
                .u32(MOST_BYTES)
                .u32(1)
                .u16(PAGES)
                .u16(0)
                .u32(0)
                .data(new byte[7 * 4]);
    }
}
