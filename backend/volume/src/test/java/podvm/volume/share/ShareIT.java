package podvm.volume.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.Agent.Propagation;
import podvm.engine.ContainerId;
import podvm.engine.GuestShares.Access;
import podvm.engine.PodException;
import podvm.engine.Shares.HostShare;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.ShareSpec;
import podvm.engine.Shares.Tree;
import podvm.engine.Shares.Writable;
import podvm.linux.User;

/** A directory of the host in a real machine, and what its programs make of it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(180)
class ShareIT {
    private static final int LAST = Integer.MAX_VALUE;

    /** Rates are told for so many MiB; 1024 to compare machines. */
    private static final int MIB = Integer.getInteger("podvm.share-mib", 16);

    /** 10000 to compare machines; each file is some ten requests. */
    private static final int FILES = Integer.getInteger("podvm.share-files", 500);

    private static final String LISTING =
            """
            cd %s && find . | sort | while IFS= read -r f; do
              stat -c '%%n %%F %%a %%h %%Y' "$f"
              if [ -L "$f" ]; then readlink "$f"; elif [ -f "$f" ]; then md5sum < "$f"; fi
            done
            """;

    private Path directory;
    private Path root;
    private HostShares shares;
    private RealGuest guest;
    private ContainerId container;
    private final List<HostShare> served = new ArrayList<>();

    @BeforeAll
    void boot(@TempDir Path temporary) throws Exception {
        directory = temporary;
        root = Files.createDirectories(directory.resolve("root"));
        if (RealGuest.files().isEmpty()) {
            var reason =
                    "ShareIT skipped: set PODVM_GUEST to a directory with vmlinux and initramfs.cpio";
            System.out.println(reason);
            abort(reason);
        }
        shares = new HostShares(directory.resolve("state"));
        guest = RealGuest.boot(RealGuest.files().orElseThrow(), directory);
        serve("rw", root, Access.READ_WRITE);
        container = guest.container(mount("/share", "rw", false));
    }

    @AfterAll
    void end() {
        if (guest != null) {
            guest.close();
            served.forEach(HostShare::close);
            shares.close();
        }
    }

    private HostShare serve(String name, Path path, Access access) throws Exception {
        var share = shares.open(RealGuest.POD, new ShareSpec(name, tree(path, access)));
        share.mount(guest.agent(), RealGuest.in(30));
        answer(share);
        served.add(share);
        return share;
    }

    private static Tree tree(Path path, Access access) {
        var writable = access == Access.READ_ONLY ? Writable.NOTHING : Writable.ALL;
        return new Tree(path, writable, Mounts.LIVE);
    }

    private void answer(HostShare share) {
        var agent = guest.agent();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        share.answer(agent);
                    } catch (PodException | InterruptedException e) {
                        // the connection ends when the test does, or when it says so
                    }
                });
    }

    private static MountPlan mount(String place, String share, boolean readOnly) {
        var source = new MountSource.Share(share, Propagation.HOST_TO_CONTAINER);
        return new MountPlan(place, source, readOnly, "");
    }

    @Test
    void theTreeIsTheHostsEntryByEntry() throws Exception {
        var tree = Files.createDirectories(root.resolve("tree"));
        var random = new Random(7);
        for (var i = 0; i < 60; i++) {
            var place = Files.createDirectories(tree.resolve("d" + i % 7 + "/e" + i % 3));
            var bytes = new byte[random.nextInt(200_000)];
            random.nextBytes(bytes);
            var file = Files.write(place.resolve("file " + i + " ä*\"'"), bytes);
            Files.setAttribute(file, "unix:mode", random.nextInt(01000) | 0400);
            if (i % 5 == 0) {
                Files.createSymbolicLink(place.resolve("link" + i), Path.of("../nowhere/" + i));
                Files.createLink(tree.resolve("hard" + i), file);
            }
        }
        Files.createFile(tree.resolve("empty"));
        Files.createFile(tree.resolve("n".repeat(255)));
        Files.createDirectory(tree.resolve("empty directory"));
        var onHost =
                new ProcessBuilder("/bin/busybox", "sh", "-c", LISTING.formatted(tree))
                        .redirectErrorStream(true)
                        .start();
        var wanted = new String(onHost.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(wanted.lines().count()).isGreaterThan(150);
        assertThat(guest.run(container, LISTING.formatted("/share/tree"))).isEqualTo(wanted);
    }

    @Test
    void whatTheGuestWritesIsOnTheHostWithItsOwnersModesAndTimes() throws Exception {
        assertThat(
                        guest.run(
                                container,
                                """
                                set -e; umask 022; mkdir -p /share/w/sub; cd /share/w
                                echo one > a; echo two >> a; chown 12:34 a; chmod 4751 a
                                touch -d '2001-02-03 04:05:06' a; ln a b; ln -s a c; mkfifo p
                                mv sub moved; : > moved/x; rm moved/x
                                dd if=/dev/zero of=big bs=1M count=3 conv=fsync 2>/dev/null
                                truncate -s 5 big; sync; cat b c
                                """))
                .isEqualTo("one\ntwo\none\ntwo\n");
        var a = root.resolve("w/a");
        assertThat(a).hasContent("one\ntwo\n");
        assertThat((int) Files.getAttribute(a, "unix:nlink")).isEqualTo(2);
        assertThat(Files.getLastModifiedTime(a).toInstant().toString())
                .isEqualTo("2001-02-03T04:05:06Z");
        assertThat(Files.readSymbolicLink(root.resolve("w/c"))).hasToString("a");
        assertThat(root.resolve("w/moved")).isEmptyDirectory();
        assertThat(Files.size(root.resolve("w/big"))).isEqualTo(5);
        if (User.isRoot()) {
            assertThat((int) Files.getAttribute(a, "unix:mode") & 07777).isEqualTo(04751);
            assertThat((int) Files.getAttribute(a, "unix:uid")).isEqualTo(12);
            assertThat((int) Files.getAttribute(a, "unix:gid")).isEqualTo(34);
        }
    }

    @Test
    void aSwapOfDataIsSeenByTheNextReaderAndNeverInParts() throws Exception {
        var volume = Files.createDirectories(root.resolve("cm"));
        Files.createSymbolicLink(volume.resolve("key"), Path.of("..data/key"));
        swap(volume, 0);
        var said = new RealGuest.Said();
        var script = "while read n; do cat /share/cm/key; echo; done";
        var reading = "for i in $(seq 400); do cat /share/cm/key; echo; done";
        var others = new RealGuest.Said();
        try (var asked = guest.start(container, script, said);
                var reader = guest.start(container, reading, others)) {
            for (var n = 1; n <= 30; n++) {
                swap(volume, n);
                asked.stdin((n + "\n").getBytes(StandardCharsets.UTF_8));
                said.await("end" + n + "\n");
            }
            asked.closeStdin();
            asked.await();
            reader.await();
        }
        var lines = said.text().lines().toList();
        for (var n = 1; n <= 30; n++) {
            assertThat(lines.get(n - 1)).isEqualTo(content(n));
        }
        // whoever has followed the link when its directory is removed finds no file, as on any host
        var read =
                others.text()
                        .lines()
                        .filter(line ->
                                !line.isEmpty() && !line.endsWith("No such file or directory"))
                        .toList();
        assertThat(read).hasSizeGreaterThan(200);
        assertThat(read).allSatisfy(line -> assertThat(line).matches("(\\d+-)(\\1)*end\\d+"));
    }

    private static String content(int n) {
        return (n + "-").repeat(5 + n * 7 % 40) + "end" + n;
    }

    /** As the kubelet does. */
    private static void swap(Path volume, int n) throws IOException {
        var dated = Files.createDirectory(volume.resolve("..t" + n));
        Files.writeString(dated.resolve("key"), content(n));
        var fresh = volume.resolve("..data_tmp");
        Files.createSymbolicLink(fresh, dated.getFileName());
        Files.move(fresh, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        var old = volume.resolve("..t" + (n - 1));
        if (Files.exists(old)) {
            Files.delete(old.resolve("key"));
            Files.delete(old);
        }
    }

    @Test
    void aFileThatTheHostChangesInPlaceIsReadAsItIs() throws Exception {
        var file = Files.writeString(root.resolve("in-place"), "short");
        assertThat(guest.run(container, "cat /share/in-place")).isEqualTo("short");
        Files.writeString(file, "longer than before");
        assertThat(guest.run(container, "cat /share/in-place")).isEqualTo("longer than before");
        Files.writeString(file, "x");
        assertThat(guest.run(container, "cat /share/in-place")).isEqualTo("x");
    }

    @Test
    void aReadOnlyShareAndAReadOnlyMountTakeNoChange() throws Exception {
        var files = Files.createDirectories(directory.resolve("ro"));
        Files.writeString(files.resolve("f"), "as it was");
        serve("ro", files, Access.READ_ONLY);
        var other = guest.container(mount("/ro", "ro", false), mount("/rw-as-ro", "rw", true));
        for (var place : List.of("/ro", "/rw-as-ro")) {
            assertThat(guest.run(other, "touch " + place + "/new"))
                    .contains("Read-only file system");
        }
        assertThat(guest.run(other, "cat /ro/f; mount -o remount,rw /ro; echo x > /ro/f"))
                .startsWith("as it was")
                .contains("Read-only file system");
        assertThat(files.resolve("f")).hasContent("as it was");
        guest.agent().remove(other, RealGuest.in(30));
    }

    @Test
    void aSingleFileIsMountedAndASubPathToo() throws Exception {
        var hosts = Files.writeString(directory.resolve("hosts"), "10.0.0.1 a\n");
        serve("hosts", hosts, Access.READ_WRITE);
        Files.createDirectories(root.resolve("deep/er"));
        Files.writeString(root.resolve("deep/er/f"), "below\n");
        var deep =
                new MountPlan(
                        "/deep", new MountSource.Share("rw", Propagation.NONE), false, "deep/er");
        var other = guest.container(mount("/etc/hosts", "hosts", false), deep);
        assertThat(guest.run(other, "cat /etc/hosts /deep/f; echo more >> /etc/hosts"))
                .isEqualTo("10.0.0.1 a\nbelow\n");
        assertThat(hosts).hasContent("10.0.0.1 a\nmore\n");
        guest.agent().remove(other, RealGuest.in(30));
    }

    @Test
    void mountsThatWouldAppearOnTheHostAreRefusedByName() {
        var source = new MountSource.Share("rw", Propagation.BIDIRECTIONAL);
        assertThat(
                        org.assertj.core.api.Assertions.catchThrowable(
                                () -> guest.container(new MountPlan("/m", source, false, ""))))
                .hasMessageContaining("Bidirectional");
    }

    @Test
    void aRaceOnTheHostNeverShowsWhatLiesOutside() throws Exception {
        var race = Files.createDirectories(root.resolve("race/x"));
        Files.writeString(race.resolve("f"), "inside");
        var outside = Files.createDirectories(directory.resolve("outside"));
        Files.writeString(outside.resolve("f"), "OUTSIDE");
        var said = new RealGuest.Said();
        var script = "for i in $(seq 300); do cat /share/race/x/f 2>/dev/null; echo; done";
        try (var reader = guest.start(container, script, said)) {
            var away = directory.resolve("away");
            for (var i = 0; !said.text().isEmpty() || i < 100; i++) {
                Files.move(race, away);
                Files.createSymbolicLink(race, outside);
                Files.delete(race);
                Files.move(away, race);
                Thread.sleep(1);
                if (said.text().lines().count() >= 300) {
                    break;
                }
            }
            reader.await();
        }
        assertThat(said.text()).doesNotContain("OUTSIDE").contains("inside");
    }

    @Test
    void manySmallFilesAreWrittenListedAndRemoved() throws Exception {
        var script =
                """
                cd %s && mkdir many && cd many
                i=0; while [ $i -lt %d ]; do echo $i > f$i; i=$((i+1)); done
                ls | wc -l; cat f* | sort -n | tail -n 1; cd .. && rm -r many
                """;
        var begin = System.nanoTime();
        assertThat(guest.run(container, script.formatted("/share", FILES)))
                .isEqualTo(FILES + "\n" + (FILES - 1) + "\n");
        var share = System.nanoTime() - begin;
        begin = System.nanoTime();
        guest.run(container, script.formatted("/", FILES));
        var disk = System.nanoTime() - begin;
        System.out.printf(
                "%d small files, written, listed, read and removed: %.1f s, on the scratch disk"
                        + " %.1f s%n",
                FILES, share / 1e9, disk / 1e9);
        assertThat(root.resolve("many")).doesNotExist();
    }

    @Test
    void aLargeFileIsWrittenAndRead() throws Exception {
        var sums = new ArrayList<String>();
        for (var place : List.of("/share", "")) {
            var file = place + "/large";
            var write = "dd if=/dev/zero bs=1M count=" + MIB + " conv=fsync of=" + file;
            var read = "echo 3 > /proc/sys/vm/drop_caches; dd bs=1M of=/dev/null if=" + file;
            for (var script : List.of(write, read)) {
                var begin = System.nanoTime();
                assertThat(guest.run(container, script)).contains(MIB + "+0 records out");
                System.out.printf(
                        "%s of %d MiB in %s: %.0f MiB/s%n",
                        script.equals(write) ? "write" : "read",
                        MIB,
                        place.isEmpty() ? "the scratch disk" : "a share",
                        MIB / ((System.nanoTime() - begin) / 1e9));
            }
            sums.add(guest.run(container, "md5sum < " + file + "; rm " + file));
        }
        assertThat(sums.get(0)).isEqualTo(sums.get(1));
    }

    @Test
    void aDatabasesWayOfWritingSurvivesOnTheHost() throws Exception {
        var script =
                """
                cd /share; dd if=/dev/zero of=db bs=4k count=16 conv=fsync 2>/dev/null
                for i in 3 1 9 7; do
                  printf 'journal%d' $i > db-journal; sync -d db-journal
                  printf 'page%d' $i | dd of=db bs=4k seek=$i conv=notrunc,fsync 2>/dev/null
                  rm db-journal
                done
                """;
        assertThat(guest.run(container, script)).isEmpty();
        var db = Files.readAllBytes(root.resolve("db"));
        assertThat(db).hasSize(16 * 4096);
        for (var i : List.of(3, 1, 9, 7)) {
            assertThat(new String(db, i * 4096, 5, StandardCharsets.UTF_8)).isEqualTo("page" + i);
        }
        assertThat(root.resolve("db-journal")).doesNotExist();
    }

    @Test
    @Order(LAST - 1)
    void anotherDaemonGoesOnWithWhatTheGuestHasOpen() throws Exception {
        Files.writeString(root.resolve("open"), "one\n");
        var said = new RealGuest.Said();
        var other = guest.container(mount("/share", "rw", false));
        // the container's own program: an exec ends with the daemon that asked for it
        guest.run(
                other,
                """
                (exec 3< /share/open 4>> /share/log; cd /share; read a <&3; echo $a >&4
                while [ ! -e go ]; do sleep 0.2; done
                read b <&3; echo $b >&4; echo new > made; echo done >&4) > /dev/null 2>&1 &
                """);
        while (!Files.exists(root.resolve("log")) || Files.size(root.resolve("log")) == 0) {
            Thread.sleep(10);
        }
        var old = served.removeFirst();
        guest.reconnect();
        Files.writeString(root.resolve("open"), "one\ntwo\n");
        // what the program asks meanwhile waits
        Thread.sleep(500);
        var share = shares.open(RealGuest.POD, old.spec());
        share.mount(guest.agent(), RealGuest.in(30));
        answer(share);
        served.add(share);
        Files.createFile(root.resolve("go"));
        while (!Files.readString(root.resolve("log")).contains("done")) {
            Thread.sleep(20);
        }
        assertThat(root.resolve("log")).hasContent("one\ntwo\ndone\n");
        assertThat(root.resolve("made")).hasContent("new\n");
        old.close();
        assertThat(said.text()).isEmpty();
    }

    @Test
    @Order(LAST)
    void aShareThatEndsIsNotConnected() throws Exception {
        guest.agent().shares().end("rw", RealGuest.in(30));
        assertThat(guest.run(container, "cat /share/open"))
                .contains("Transport endpoint is not connected");
        guest.agent().shares().end("rw", RealGuest.in(30));
    }
}
