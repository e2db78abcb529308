package podvm.cli;

import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import podvm.proto.node.v1.RunPodsEvent;
import podvm.proto.node.v1.RunPodsRequest;

/** Runs the pods of a manifest. */
final class Run implements Command {
    /** gRPC's usual limit, and the daemon's. */
    private static final int LARGEST = 4 << 20;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "run",
                "FILE|-",
                "run the pods of a manifest and show what they write",
                1,
                1,
                Option.flag("-d, --detach", "print the pods' ids and leave them running"),
                Option.flag("--rm", "remove the pods when they have ended"),
                Option.value(
                        "--network",
                        "NAME",
                        "join the pods to this CNI network (root only); without it they reach out"
                                + " by QEMU's user network"),
                Option.flag("--no-prefix", "no container names before lines"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException, InterruptedException {
        var file = given.operands().getFirst();
        if (given.has("--detach") && given.has("--rm")) {
            throw Failure.usage("--rm does not go with --detach", "use podvm rm later");
        }
        var request =
                RunPodsRequest.newBuilder()
                        .setManifest(UnsafeByteOperations.unsafeWrap(read(file, session.stdio())))
                        .setSource(file)
                        .setNetwork(given.value("--network").orElse(""))
                        .build();
        var progress = new TransferLine(session.stdio());
        try (var events = session.node().stream("RunPods", request, RunPodsEvent.parser())) {
            if (given.has("--detach")) {
                return detach(events, session.stdio(), progress);
            }
            try (var pods = new RunningPods(session, !given.has("--no-prefix"), progress)) {
                pods.follow(events);
                return pods.await(given.has("--rm"));
            }
        }
    }

    private static byte[] read(String file, Stdio stdio) throws IOException, Failure {
        if (file.equals("-")) {
            return stdio.in().readNBytes(LARGEST + 1);
        }
        var path = Path.of(file);
        try (var in = Files.newInputStream(path)) {
            return in.readNBytes(LARGEST + 1);
        } catch (NoSuchFileException _) {
            throw Failure.of(
                    "there is no file " + file, "name a manifest, or - for standard input");
        } catch (IOException e) {
            throw Failure.of("cannot read " + file + ": " + e.getMessage(), "");
        }
    }

    private static int detach(Exchange<RunPodsEvent> events, Stdio stdio, TransferLine progress)
            throws Failure, IOException {
        for (var event = events.next(); event.isPresent(); event = events.next()) {
            if (event.get().hasProgress()) {
                progress.at(event.get().getProgress());
            } else if (event.get().hasCreated()) {
                stdio.print(event.get().getCreated().getId());
                stdio.flush();
            } else {
                progress.clear();
                Endings.tell(event.get().getPod(), stdio);
            }
        }
        return 0;
    }
}
