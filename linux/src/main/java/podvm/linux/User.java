package podvm.linux;

/** Who we run as. */
public final class User {
    private User() {}

    public static boolean isRoot() {
        return id() == 0;
    }

    public static int id() {
        try {
            return (int) Native.GETEUID.invokeExact();
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }

    /** The group that new files get. */
    public static int group() {
        try {
            return (int) Native.GETEGID.invokeExact();
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }
}
