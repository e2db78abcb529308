package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.image.Layers;
import podvm.image.TarBytes;
import podvm.image.Tool;

/**
 * Compares trees that GNU tar unpacks with what a kernel sees in the disk made of the same tar, or,
 * where none can be asked, our own reader; fsck.erofs looks at the same disks. Needs root.
 */
class SameTreeTest {
    @TempDir Path directory;

    @BeforeAll
    static void needs() {
        Tool.need("tar");
        Tool.need("fsck.erofs");
        Tool.need("getfattr");
        assumeTrue(
                "root".equals(System.getProperty("user.name")),
                "only root can unpack owners and devices");
    }

    @Test
    void tenRandomTreesAreTheSame() throws Exception {
        long seed = new Random().nextLong();
        var told = System.getProperty("podvm.seed");
        seed = told == null ? seed : Long.parseLong(told);
        System.out.println("random trees from -Dpodvm.seed=" + seed);
        for (int round = 0; round < 10; round++) {
            var tree = Files.createDirectory(directory.resolve("tree" + round));
            RandomTree.plant(tree, new Random(seed + round));
            assertSame(pack(tree, round % 2 == 0 ? "pax" : "gnu"), "seed %d".formatted(seed), 100);
        }
    }

    @Test
    void anImageMayEndWithAnyInode() throws Exception {
        // links of every length, so that the file behind one of them ends with its block
        for (int length = 1; length < 4096; length += 32) {
            var image = directory.resolve("link" + length + ".erofs");
            var tar =
                    new TarBytes()
                            .pax("linkpath", "t".repeat(length))
                            .symlink("a", "t")
                            .file("b", "");
            Layers.write(new ByteArrayInputStream(tar.bytes()), image, Layers.LIMITS);
            Tool.run("fsck.erofs", image.toString());
            Files.delete(image);
        }
    }

    @Test
    void aTreeOfEverySpecialCaseIsTheSame() throws Exception {
        var tree = Files.createDirectory(directory.resolve("special"));
        sh(
                tree,
                """
                mkfifo -m 0620 pipe; mknod null c 1 3; mknod far b 259 1048575; mknod tty c 5 0
                printf x > setuid; chmod 6755 setuid; mkdir -m 1777 sticky; mkdir -m 0 closed
                touch -d '1969-12-31 23:59:58.123456789 UTC' old; touch -d '2100-01-01 00:00:00.5 UTC' new
                touch -h -d '2001-02-03 04:05:06.789 UTC' new
                ln -s "$(printf 't%.0s' $(seq 4000))" long; ln -s /etc/../x up; ln -s . here; touch -h -d @77.5 here
                printf data > one; ln one two; mkdir d; ln one d/three; ln -s one sym; ln sym sym2; ln pipe pipe2
                setfattr -n user.a -v b one; setfattr -n user.empty one; setfattr -n trusted.t -v 0x00ff0a3d one
                setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 setuid
                setfattr -n user.dir -v "$(printf 'v%.0s' $(seq 3000))" sticky; setfattr -h -n trusted.link -v x sym
                chown -h 4294967294:4294967293 old; chown 65536:99999 d
                touch "$(printf 'n%.0s' $(seq 255))" "$(printf 'b\\377\\001\\\\ \\t')" "$(printf 'l\\nf')" ' ' -- -dash
                mkdir many; (cd many; seq 100000 | xargs touch)
                mkdir -p $(printf 'deep/%.0s' $(seq 150))
                printf zero | dd of=mid bs=1 seek=70000 2>/dev/null; truncate -s 900000 mid
                head -c 4096 /dev/urandom > block; head -c 4097 /dev/urandom > more; : > empty
                """);
        assertSame(pack(tree, "pax"), "special, pax", 100_020);
        sh(tree, "rm -rf many; touch -d @5 old; chown -h 7:7 old");
        assertSame(pack(tree, "gnu"), "special, gnu", 20);
        sh(
                tree,
                "rm -rf many deep long n* null far tty pipe pipe2; find . \\( -name 'b*' -o -name 'l*' \\) -delete");
        assertSame(pack(tree, "ustar"), "special, ustar", 10);
        sh(tree, "find . ! -type f ! -type d -delete; chown -R 5:6 .");
        assertSame(pack(tree, "v7"), "special, v7", 5);
    }

    /**
     * GNU tar writes them as text, with a name for each id that this machine knows; so these are
     * others.
     */
    @Test
    void accessControlListsAreTheSame() throws Exception {
        Tool.need("setfacl");
        var tree = Files.createDirectory(directory.resolve("acl"));
        sh(
                tree,
                """
                touch plain one many; mkdir shared both; chmod 640 plain
                setfacl -m u:4242:r,g:4207:rwx one; chown 5:6 one
                setfacl -m u:4209:r,u:41000:rx,u:0:w,g:4201:-,g:4294967294:x many
                setfacl -d -m u:4243:rwx shared; setfacl -m g:4208:x both; setfacl -d -m o::- both
                """);
        var tar = directory.resolve("acl.tar");
        sh(tree, "tar --format=posix --acls --numeric-owner -cf " + tar + " .");
        var read = Layers.read(Files.readAllBytes(tar));
        assertThat(read.get("one").xattrs()).containsKey("system.posix_acl_access");
        assertThat(read.get("both").xattrs()).hasSize(2);
        assertThat(read.get("plain").xattrs()).isEmpty();
        assertSame(tar, "access control lists", 4);
    }

    @Test
    void aDebianImageIsTheSame() throws Exception {
        Tool.need("mmdebstrap");
        var cache = Path.of("target", "debian-minbase.tar").toAbsolutePath();
        if (!Files.exists(cache)) {
            make(cache);
        }
        assertSame(cache, "debian", 5_000);
    }

    private void make(Path tar) throws Exception {
        Files.createDirectories(tar.getParent());
        var unfinished = directory.resolve("debian.tar");
        var process =
                new ProcessBuilder(
                                "mmdebstrap",
                                "--variant=minbase",
                                "--quiet",
                                "--include=ca-certificates",
                                suite(),
                                unfinished.toString())
                        .inheritIO()
                        .start();
        boolean made = process.waitFor(4, TimeUnit.MINUTES) && process.exitValue() == 0;
        if (!made) {
            process.destroy();
            abort("mmdebstrap could not fetch Debian's packages");
        }
        Files.move(unfinished, tar, StandardCopyOption.REPLACE_EXISTING);
    }

    /** This machine's own release, whose keys it has. */
    private static String suite() throws IOException {
        for (var line : Files.readAllLines(Path.of("/etc/os-release"))) {
            if (line.startsWith("VERSION_CODENAME=")) {
                return line.substring(line.indexOf('=') + 1);
            }
        }
        return "stable";
    }

    /** What a format cannot hold tar leaves out, and tells by its exit code. */
    private Path pack(Path tree, String format) throws Exception {
        var tar = directory.resolve(tree.getFileName() + "-" + format + ".tar");
        var more =
                switch (format) {
                    case "pax" -> "--sparse --xattrs --xattrs-include=*";
                    case "gnu" -> "--sparse";
                    default -> "";
                };
        sh(
                tree,
                "tar --format=%s %s -cf %s . 2>/dev/null || [ $? -le 2 ]"
                        .formatted(format, more, tar));
        return tar;
    }

    private void assertSame(Path tar, String what, int least) throws Exception {
        var unpacked = Files.createTempDirectory(directory, "unpacked");
        sh(unpacked, "tar --acls --xattrs --xattrs-include='*' --numeric-owner -xpf " + tar);
        var expected = TreeListing.of(unpacked);
        assertThat(expected).as(what).hasSizeGreaterThan(least);
        Tool.run("rm", "-rf", unpacked.toString());
        var image = unpacked.resolveSibling(unpacked.getFileName() + ".erofs");
        try (var in = Files.newInputStream(tar)) {
            Layers.write(in, image, Layers.LIMITS);
        }
        Tool.run("fsck.erofs", image.toString());
        assertThat(TreeListing.ofImage(image)).as("%s, our reader", what).isEqualTo(expected);
        var obstacle = Mounted.obstacle();
        if (obstacle.isPresent()) {
            System.out.println(what + " is compared by our own reader alone: " + obstacle.get());
            return;
        }
        try (var mounts = new Mounted()) {
            var mounted = mounts.erofs(image, image.resolveSibling(image.getFileName() + ".d"));
            assertThat(TreeListing.of(mounted)).as("%s, the kernel", what).isEqualTo(expected);
        }
    }

    private static void sh(Path in, String script) throws IOException, InterruptedException {
        Tool.run("sh", "-ec", "cd '" + in + "'\n" + script);
    }
}
