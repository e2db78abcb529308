package podvm.engine.pod;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import podvm.engine.Machine;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStatus;
import podvm.engine.Pods.TextSink;

/** Copies what a machine says on its console. */
final class ConsoleCopy {
    private static final int BLOCK = 64 * 1024;
    private static final int PAUSE_MILLIS = 100;

    private ConsoleCopy() {}

    /**
     * @param machine empty: the last words that are known of it
     */
    static void copy(PodStatus pod, Optional<Machine> machine, boolean follow, TextSink sink)
            throws PodException, InterruptedException {
        try {
            if (machine.isPresent()) {
                copy(machine.get(), follow, sink);
            } else {
                sink.text(lastWords(pod));
            }
        } catch (IOException e) {
            // the reader went away
        }
    }

    private static byte[] lastWords(PodStatus pod) throws PodException {
        if (pod.console().isEmpty()) {
            throw new PodException(
                    Kind.CONFLICT,
                    "pod " + pod.spec().name() + " has no machine",
                    "the console is there while the pod runs");
        }
        return (pod.console() + "\n").getBytes(UTF_8);
    }

    private static void copy(Machine machine, boolean follow, TextSink sink)
            throws IOException, InterruptedException {
        long position = 0;
        while (true) {
            boolean alive = machine.alive();
            try (var file = FileChannel.open(machine.consoleLog())) {
                position = Math.min(position, file.size());
                var block = ByteBuffer.allocate(BLOCK);
                while (file.read(block, position) > 0) {
                    position += block.position();
                    var bytes = new byte[block.flip().remaining()];
                    block.get(bytes);
                    sink.text(bytes);
                    block.clear();
                }
            } catch (NoSuchFileException e) {
                return;
            }
            if (!follow || !alive) {
                return;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }
}
