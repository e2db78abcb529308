package podvm.linux;

/** Flags of open(2). Some numbers differ between architectures (asm/fcntl.h). */
public final class OpenFlags {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int READ_WRITE = 2;
    public static final int ACCESS = 3;
    public static final int CREATE = 0100;
    public static final int EXCLUSIVE = 0200;
    public static final int TRUNCATE = 01000;
    public static final int APPEND = 02000;
    public static final int DIRECTORY = ARM ? 040000 : 0200000;

    static final int NOCTTY = 0400;
    static final int NONBLOCK = 04000;
    static final int NOFOLLOW = ARM ? 0100000 : 0400000;
    static final int CLOEXEC = 02000000;
    static final int PATH = 010000000;

    private OpenFlags() {}
}
