package podvm.linux;

/**
 * A system call's error as a number, for callers who answer somebody with it; all others get a
 * PodException with words. Has no stack trace: most are as ordinary as a name that is not there.
 */
public final class ErrnoException extends Exception {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EIO = 5;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EEXIST = 17;
    public static final int ENOTDIR = 20;
    public static final int EISDIR = 21;
    public static final int EINVAL = 22;
    public static final int EMFILE = 24;
    public static final int ENOTTY = 25;
    public static final int EROFS = 30;
    public static final int ENAMETOOLONG = 36;
    public static final int ENOSYS = 38;
    public static final int ELOOP = 40;
    public static final int ENODATA = 61;
    public static final int EPROTO = 71;
    public static final int EOPNOTSUPP = 95;
    public static final int ESTALE = 116;

    private final int number;

    public ErrnoException(int number) {
        super(new Errno(number).name(), null, false, false);
        this.number = number;
    }

    public int number() {
        return number;
    }
}
