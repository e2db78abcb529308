package podvm.image.layer;

/** File types as they stand in a mode (inode(7)) and in an EROFS directory entry. */
final class Mode {
    static final int TYPE = 0170000;
    static final int FIFO = 0010000;
    static final int CHARACTER_DEVICE = 0020000;
    static final int DIRECTORY = 0040000;
    static final int BLOCK_DEVICE = 0060000;
    static final int FILE = 0100000;
    static final int SYMLINK = 0120000;

    private Mode() {}

    static boolean isDirectory(int mode) {
        return (mode & TYPE) == DIRECTORY;
    }

    static int of(TarEntry entry) {
        int type =
                switch (entry.type()) {
                    case FILE, HARD_LINK -> FILE;
                    case SYMLINK -> SYMLINK;
                    case CHARACTER_DEVICE -> CHARACTER_DEVICE;
                    case BLOCK_DEVICE -> BLOCK_DEVICE;
                    case DIRECTORY -> DIRECTORY;
                    case FIFO -> FIFO;
                };
        return type | entry.mode();
    }

    /** The file_type of a directory entry (fs/erofs/erofs_fs.h, as FT_* of include/linux/fs.h). */
    static byte entryType(int mode) {
        return switch (mode & TYPE) {
            case FILE -> 1;
            case DIRECTORY -> 2;
            case CHARACTER_DEVICE -> 3;
            case BLOCK_DEVICE -> 4;
            case FIFO -> 5;
            case SYMLINK -> 7;
            default -> 0;
        };
    }
}
