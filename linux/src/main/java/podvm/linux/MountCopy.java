package podvm.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static podvm.linux.NativeFiles.AT_EMPTY_PATH;
import static podvm.linux.NativeFiles.call;

import java.lang.invoke.MethodHandle;

/**
 * A file tree with all that is mounted in it now, attached nowhere: what is mounted later on the
 * original is not seen in it, nor the other way round. Needs CAP_SYS_ADMIN.
 */
public final class MountCopy {
    /** OPEN_TREE_CLONE of linux/mount.h. */
    private static final long CLONE = 1;

    /** Number, descriptor, path, flags, attributes, their size. */
    private static final MethodHandle MOUNT_SETATTR =
            Native.variadic(
                    "syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                    JAVA_LONG);

    private static final int AT_RECURSIVE = 0x8000;
    private static final long ATTRIBUTE_READ_ONLY = 1;
    private static final long MS_PRIVATE = 1 << 18;

    private MountCopy() {}

    /** The copy goes when the place and all that was opened below it are closed. */
    public static Place of(Place original) throws ErrnoException {
        var number =
                call((arena, errno) ->
                        (long)
                                Native.SYSCALL.invokeExact(
                                        errno,
                                        NativeFiles.OPEN_TREE,
                                        (long) original.number(),
                                        arena.allocateFrom("").address(),
                                        CLONE | OpenFlags.CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE,
                                        0L));
        var copy = new Place(new Descriptor((int) number));
        var cut = false;
        try {
            set(copy, AT_RECURSIVE, 0, MS_PRIVATE);
            cut = true;
        } finally {
            if (!cut) {
                copy.close();
            }
        }
        return copy;
    }

    /** What is mounted below it stays as it is. */
    public static void makeReadOnly(Place copy) throws ErrnoException {
        set(copy, 0, ATTRIBUTE_READ_ONLY, 0);
    }

    /** With struct mount_attr: bits to set, bits to clear, propagation, user namespace. */
    private static void set(Place copy, int flags, long attributes, long propagation)
            throws ErrnoException {
        call((arena, errno) -> {
            var wanted = arena.allocate(32, 8);
            wanted.set(JAVA_LONG, 0, attributes);
            wanted.set(JAVA_LONG, 16, propagation);
            return (long)
                    MOUNT_SETATTR.invokeExact(
                            errno,
                            NativeFiles.MOUNT_SETATTR,
                            (long) copy.number(),
                            arena.allocateFrom("").address(),
                            (long) (AT_EMPTY_PATH | flags),
                            wanted.address(),
                            wanted.byteSize());
        });
    }
}
