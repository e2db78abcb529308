package podvm.engine;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/** The files of one running container, as its own processes see them. */
public interface ContainerFiles {
    /**
     * Hands over a file, or a directory with all below it: each entry, then its bytes. A link at
     * the path's end is told as a link, unless "/" or "/." follows. What the kernel makes up
     * (/proc, /sys) is not entered.
     */
    void read(String path, Sink sink) throws PodException, InterruptedException;

    /** Ends at the first file that cannot be made; what was made before stays. */
    void write(Target target, Source source) throws PodException, InterruptedException;

    /**
     * Where files are to be. In a directory that is there they get their name; where nothing is,
     * the path becomes the copy itself.
     *
     * @param name of what is copied
     * @param directory whether that is one
     * @param contents what is in the directory, not the directory itself
     */
    record Target(String path, String name, boolean directory, boolean contents) {}

    sealed interface Piece {}

    /**
     * @param path below what is copied, without ".." and empty elements; empty: that itself
     * @param uid of the container's users; likewise gid
     * @param size of a file when it was looked at; its bytes may be more or fewer
     * @param target of links: for hard links a path as above
     */
    record Entry(
            String path,
            Kind kind,
            int mode,
            int uid,
            int gid,
            Instant modified,
            long size,
            String target)
            implements Piece {
        public enum Kind {
            FILE,
            DIRECTORY,
            SYMLINK,
            /** Of a file that came before. */
            HARD_LINK,
            FIFO,
            /** Told, and not copied. */
            OTHER
        }
    }

    /** Of the file that was told last. */
    record Data(byte[] bytes) implements Piece {
        public Data {
            bytes = bytes.clone();
        }

        @Override
        public byte[] bytes() {
            return bytes.clone();
        }
    }

    /** An IOException (the client went away) ends the reading quietly. */
    @FunctionalInterface
    interface Sink {
        void piece(Piece piece) throws IOException;
    }

    @FunctionalInterface
    interface Source {
        /** Empty at the end. */
        Optional<Piece> next() throws PodException, InterruptedException;
    }
}
