package podvm.engine.log;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The files in which one attempt's log is. Its text names them, for messages. */
interface LogPlace {
    /** The newest file, made where there is none. */
    FileChannel open() throws IOException;

    /** All files that have entries of this attempt, oldest first. */
    List<Path> written() throws IOException;

    /**
     * A new file to go on in; empty: the present one is good.
     *
     * @param size of the present one
     */
    Optional<FileChannel> next(long size) throws IOException;
}
