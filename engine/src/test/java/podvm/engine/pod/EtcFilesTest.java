package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.pod;

import java.util.List;
import org.junit.jupiter.api.Test;
import podvm.engine.PodSpec;

final class EtcFilesTest {
    private static PodSpec with(String subdomain, List<PodSpec.HostAlias> aliases) {
        var plain = pod("web").in("shop").run("true").build();
        return new PodSpec(
                plain.namespace(),
                plain.name(),
                plain.labels(),
                plain.annotations(),
                plain.hostname(),
                subdomain,
                aliases,
                plain.restartPolicy(),
                plain.terminationGrace(),
                plain.initContainers(),
                plain.containers(),
                plain.volumes(),
                plain.network(),
                plain.ports());
    }

    @Test
    void aPodKnowsItselfByEachOfItsAddresses() {
        assertThat(EtcFiles.hosts(with("", List.of()), List.of("10.0.2.15", "fd00::15")))
                .startsWith("127.0.0.1\tlocalhost\n")
                .endsWith("\n10.0.2.15\tweb\nfd00::15\tweb\n");
    }

    @Test
    void aSubdomainGivesAFullName() {
        assertThat(EtcFiles.hosts(with("db", List.of()), List.of("10.0.2.15")))
                .endsWith("\n10.0.2.15\tweb.db.shop.svc.cluster.local\tweb\n");
    }

    @Test
    void aliasesComeLast() {
        var alias = new PodSpec.HostAlias("1.2.3.4", List.of("a", "b"));
        assertThat(EtcFiles.hosts(with("", List.of(alias)), List.of("10.0.2.15")))
                .endsWith("\n1.2.3.4\ta\tb\n");
    }
}
