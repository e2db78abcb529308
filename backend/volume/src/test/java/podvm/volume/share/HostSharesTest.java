package podvm.volume.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.ShareSpec;
import podvm.engine.Shares.Tree;
import podvm.engine.Shares.Writable;
import podvm.linux.ErrnoException;
import podvm.linux.OpenFlags;
import podvm.linux.Place;
import podvm.linux.User;

/** What a path of the host is to a share; with mounts where this user may make some. */
@Timeout(60)
class HostSharesTest {
    @TempDir Path directory;
    private Path root;
    private HostShares shares;

    @BeforeEach
    void makeARoot() throws Exception {
        root = Files.createDirectories(directory.toRealPath().resolve("a b/root"));
        shares = new HostShares(directory.resolve("state"));
    }

    @AfterEach
    void close() throws Exception {
        shares.close();
        if (User.isRoot()) {
            for (var place : new Path[] {root.resolve("sub"), root}) {
                run("umount", "-l", place.toString());
            }
        }
    }

    private static int run(String... command) throws Exception {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    /** Mounts a tmpfs at "sub", or skips the test. */
    private void mountBelow() throws Exception {
        var sub = Files.createDirectories(root.resolve("sub"));
        if (run("mount", "-t", "tmpfs", "none", sub.toString()) != 0) {
            System.out.println("skipped: this user may not mount a tmpfs");
            abort("this user may not mount a tmpfs");
        }
        Files.writeString(sub.resolve("below"), "x");
    }

    private Tree look(Path path, Writable writable) throws Exception {
        return shares.look(path, writable, Mounts.AS_OPENED);
    }

    @Test
    void linksAreFollowedOnceAndForAll() throws Exception {
        var link = Files.createSymbolicLink(directory.resolve("link"), root);
        assertThat(look(link, Writable.ALL).root()).isEqualTo(root);
        var file = Files.writeString(root.resolve("f"), "x");
        assertThat(look(Files.createSymbolicLink(root.resolve("l"), file), Writable.ALL).root())
                .isEqualTo(file);
    }

    @Test
    void aDirectoryIsMadeWhereNothingIs() throws Exception {
        var path = root.resolve("not/there");
        assertThat(look(path, Writable.ALL).root()).isEqualTo(path);
        assertThat(path).isDirectory();
    }

    @Test
    void whatAMachineCanDoNothingWithIsRefused() throws Exception {
        for (var path : new Path[] {Path.of("/dev/null"), Path.of("/dev")}) {
            assertThatThrownBy(() -> look(path, Writable.ALL))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.UNSUPPORTED))
                    .hasMessageContaining(path.toString());
        }
        for (var path : new Path[] {Path.of("/proc"), Path.of("/sys/kernel")}) {
            assertThatThrownBy(() -> look(path, Writable.NOTHING))
                    .hasMessageContaining("this host's kernel");
        }
    }

    @Test
    void aReadOnlyMountIsSoEverywhereUnlessSomethingIsMountedBelow() throws Exception {
        assertThat(look(root, Writable.BELOW_MOUNTS).writable()).isEqualTo(Writable.NOTHING);
        mountBelow();
        assertThat(look(root, Writable.BELOW_MOUNTS).writable()).isEqualTo(Writable.BELOW_MOUNTS);
        assertThat(look(root, Writable.NOTHING).writable()).isEqualTo(Writable.NOTHING);
    }

    private static boolean canWrite(Place place, String name) throws Exception {
        try {
            place.create(name.getBytes(), OpenFlags.WRITE, 0600).close();
            return true;
        } catch (ErrnoException e) {
            assertThat(e.number()).isEqualTo(ErrnoException.EROFS);
            return false;
        }
    }

    @Test
    void belowAReadOnlyTopAMountIsWritable() throws Exception {
        mountBelow();
        try (var place = HostTrees.open(look(root, Writable.BELOW_MOUNTS));
                var sub = place.beneath("sub".getBytes())) {
            assertThat(canWrite(place, "new")).isFalse();
            assertThat(canWrite(sub, "new")).isTrue();
        }
        assertThat(root.resolve("sub/new")).exists();
    }

    private static boolean sees(Place place, String path) {
        try (var _ = place.beneath(path.getBytes())) {
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    @Test
    void aMountThatIsMadeLaterIsSeenLiveAlone() throws Exception {
        try (var opened = HostTrees.open(shares.look(root, Writable.ALL, Mounts.AS_OPENED));
                var live = HostTrees.open(shares.look(root, Writable.ALL, Mounts.LIVE))) {
            mountBelow();
            assertThat(sees(live, "sub/below")).isTrue();
            assertThat(sees(opened, "sub")).isTrue();
            assertThat(sees(opened, "sub/below")).isFalse();
        }
        try (var opened = HostTrees.open(look(root, Writable.ALL))) {
            assertThat(sees(opened, "sub/below")).isTrue();
        }
    }

    @Test
    void aShareIsNotCurrentWhereAnotherFileIsOrMoreIsMounted() throws Exception {
        var pod = PodId.random();
        var file = Files.writeString(root.resolve("hosts"), "x");
        try (var share = shares.open(pod, new ShareSpec("f", look(file, Writable.ALL)));
                var all = shares.open(pod, new ShareSpec("d", look(root, Writable.ALL)))) {
            assertThat(share.current()).isTrue();
            assertThat(all.current()).isTrue();
            Files.move(Files.writeString(root.resolve("n"), "y"), root.resolve("old"));
            assertThat(share.current()).isTrue();
            Files.delete(file);
            Files.writeString(root.resolve("other"), "z");
            Files.writeString(file, "y");
            assertThat(share.current()).isFalse();
            mountBelow();
            assertThat(all.current()).isFalse();
        }
    }

    @Test
    void whatIsKeptOfASharesNodesGoesByNameAndAltogether() throws Exception {
        var pod = PodId.random();
        for (var name : new String[] {"one", "two"}) {
            shares.open(pod, new ShareSpec(name, look(root, Writable.ALL))).close();
        }
        var kept = directory.resolve("state/pods").resolve(pod.text());
        assertThat(kept.resolve("shares/one.nodes")).exists();
        shares.destroy(pod, "one");
        shares.destroy(pod, "unknown");
        assertThat(kept.resolve("shares/one.nodes")).doesNotExist();
        shares.destroy(pod);
        assertThat(kept).doesNotExist();
    }

    @Test
    void theTableOfMountsIsReadWithItsEscapes() {
        var line = "30 1 0:5 / /a\\040b/c\\134d rw - tmpfs x rw";
        assertThat(HostMounts.below(Path.of("/a b"), line)).isTrue();
        assertThat(HostMounts.below(Path.of("/"), line)).isTrue();
        assertThat(HostMounts.below(Path.of("/a b/c\\d"), line)).isFalse();
        assertThat(HostMounts.below(Path.of("/a"), line)).isFalse();
        assertThat(HostMounts.below(Path.of("/"), "1 0 0:5 / / rw - ext4 x rw")).isFalse();
    }
}
