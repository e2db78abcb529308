package podvm.node;

import java.io.IOException;
import java.util.Locale;
import podvm.engine.PodChange;
import podvm.engine.PodChanges;
import podvm.proto.node.v1.PodEventsRequest;
import podvm.proto.node.v1.PodEventsResponse;
import podvm.proto.node.v1.PodHappening;

/** What happens to pods, as messages of a call. */
final class PodHappenings {
    private PodHappenings() {}

    static void send(PodChanges changes, PodEventsRequest request, Outlet<PodEventsResponse> out)
            throws InterruptedException {
        changes.read(
                request.getFollow(),
                PodMessages.since(request.getSinceUnixNs()),
                new PodChanges.Reader() {
                    @Override
                    public void change(PodChange change) throws IOException {
                        out.send(
                                PodEventsResponse.newBuilder()
                                        .setHappening(message(change))
                                        .build());
                    }

                    @Override
                    public void lost(long count) throws IOException {
                        out.send(PodEventsResponse.newBuilder().setLost(count).build());
                    }
                });
    }

    private static PodHappening message(PodChange change) {
        var pod = change.pod();
        return PodHappening.newBuilder()
                .setAtUnixNs(PodMessages.nanos(change.at()))
                .setPodId(pod.id().text())
                .setNamespace(pod.spec().namespace())
                .setPod(pod.spec().name())
                .setManager(PodMessages.manager(pod))
                .setContainer(change.container().orElse(""))
                .setKind(change.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .setExitCode(change.exitCode())
                .setReason(change.reason())
                .setMessage(change.message())
                .build();
    }
}
