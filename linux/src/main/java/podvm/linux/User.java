package podvm.linux;

/** Who we run as. */
public final class User {
    private User() {}

    public static boolean isRoot() {
        try {
            return (int) Native.GETEUID.invokeExact() == 0;
        } catch (Throwable e) {
            throw Native.broken(e);
        }
    }
}
