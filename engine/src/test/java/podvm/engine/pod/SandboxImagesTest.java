package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.SandboxBuilder.container;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.MountSource.ImageLayers;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Mount;
import podvm.engine.ContainerConfig.Mount.Propagation;
import podvm.engine.ContainerConfig.MountSource.ImageFiles;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.fake.FakeImages;

/** Images as volumes of a sandbox's containers. */
@Timeout(60)
final class SandboxImagesTest {
    @TempDir Path directory;

    private static ContainerConfig with(String image) {
        var source = new ImageFiles(image, Optional.empty());
        return container("server")
                .mount(new Mount("/i", source, "sub", true, false, Propagation.PRIVATE, false))
                .build();
    }

    private static Image tools(SandboxRig rig) {
        return rig.node.images.put("tools", FakeImages.config(List.of(), List.of("tool")));
    }

    @Test
    void itsLayersAreAttachedAndMounted() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var tools = tools(rig);
            var id = rig.run("web");
            var one = rig.start(id, with("tools"));
            var mount = rig.guest().plans().getFirst().mounts().getFirst();
            assertThat(mount.source())
                    .isEqualTo(
                            new ImageLayers(
                                    tools.layers().stream()
                                            .map(layer -> layer.disk().serial())
                                            .toList()));
            assertThat(mount.readOnly()).isTrue();
            assertThat(mount.subPath()).isEqualTo("sub");
            assertThat(rig.table.container(one).config().mounts().getFirst().source())
                    .isEqualTo(new ImageFiles("tools", Optional.of(tools.id())));
        }
    }

    @Test
    void itIsKeptUntilTheSandboxEndsAlsoByTheNextDaemon() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var tools = tools(rig);
            var id = rig.run("web");
            rig.start(id, with("tools"));
            assertThat(rig.node.images.holds().get(id.pod())).contains(tools.id());
            rig.table.close();
            rig.node.images.release(id.pod());
            rig.restart();
            assertThat(rig.node.images.holds().get(id.pod())).contains(tools.id());
            rig.table.stop(id);
            assertThat(rig.node.images.holds()).doesNotContainKey(id.pod());
        }
    }

    @Test
    void oneThatWasNotPulledIsNotFound() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            assertThatThrownBy(() -> rig.start(id, with("tools")))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.NOT_FOUND))
                    .hasMessageContaining("tools");
            assertThat(rig.table.containers()).isEmpty();
        }
    }
}
