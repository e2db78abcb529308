package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import podvm.proto.node.v1.Container;
import podvm.proto.node.v1.ListPodsRequest;
import podvm.proto.node.v1.ListPodsResponse;
import podvm.proto.node.v1.Pod;

class PodRowTest {
    @Test
    void rowsAreWhatTheGeneratedClassesWrite() throws Exception {
        var pod =
                Pod.newBuilder()
                        .setId("abc")
                        .setNamespace("n")
                        .setName("é")
                        .putLabels("a", "b")
                        .setPhase("Running")
                        .setCreatedUnixNs(Long.MAX_VALUE)
                        .addIps("10.0.0.1")
                        .addIps("::1")
                        .setVcpus(2)
                        .addContainers(Container.newBuilder().setInit(true).setState("terminated"))
                        .addContainers(Container.newBuilder().setState("running").setRestarts(2))
                        .addContainers(
                                Container.newBuilder()
                                        .setState("waiting")
                                        .setReason("CrashLoopBackOff")
                                        .setRestarts(3))
                        .setHostname("h")
                        .setManager("kubelet");
        var response = ListPodsResponse.newBuilder().addPods(pod).addPods(pod.setName("q"));
        var rows = PodRow.list(response.build().toByteArray());
        assertThat(rows).extracting(row -> row.name).containsExactly("é", "q");
        var row = rows.getFirst();
        assertThat(row.id + row.namespace + row.ip).isEqualTo("abcn10.0.0.1");
        assertThat(row.manager).isEqualTo("kubelet");
        assertThat(row.created).isEqualTo(Long.MAX_VALUE);
        assertThat(row.ready + "/" + row.containers + " " + row.restarts).isEqualTo("1/2 5");
        assertThat(row.status()).isEqualTo("CrashLoopBackOff");
    }

    @Test
    void theHandWrittenRequestIsTheGeneratedOne() {
        assertThat(ListPodsRequest.newBuilder().setAll(true).build().toByteArray())
                .containsExactly(8, 1);
        assertThat(ListPodsRequest.getDefaultInstance().toByteArray()).isEmpty();
    }
}
