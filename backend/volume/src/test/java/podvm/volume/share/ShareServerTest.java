package podvm.volume.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static podvm.volume.share.FuseGuest.READ;
import static podvm.volume.share.FuseGuest.READ_WRITE;
import static podvm.volume.share.FuseGuest.body;
import static podvm.volume.share.NodeTable.ROOT;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.linux.ErrnoException;
import podvm.linux.User;

class ShareServerTest {
    @TempDir Path directory;
    private Path root;
    private FuseGuest guest;

    @BeforeEach
    void open() throws Exception {
        root = Files.createDirectories(directory.resolve("root"));
        Files.createDirectories(root.resolve("d"));
        Files.writeString(root.resolve("d/f"), "inside");
        Files.writeString(directory.resolve("secret"), "outside");
        guest = FuseGuest.of(root, journal());
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private Path journal() {
        return directory.resolve("journal");
    }

    @Test
    void largeRequestsAreAgreedOn() {
        var answer =
                guest.ask(
                        Opcode.INIT,
                        0,
                        body().u32(7).u32(37).u32(131072).u32(-1).raw(new byte[48]).bytes());
        assertThat(answer.body().getInt(0)).isEqualTo(7);
        assertThat(answer.body().getInt(20)).as("largest write").isEqualTo(1 << 20);
        assertThat(answer.body().getShort(28)).as("pages").isEqualTo((short) 256);
    }

    @Test
    void anOldKernelIsRefused() {
        var old = body().u32(7).u32(12).u32(0).u32(0).bytes();
        assertThat(guest.ask(Opcode.INIT, 0, old).errno()).isEqualTo(ErrnoException.EPROTO);
    }

    @Test
    void aFileIsFoundAndRead() {
        assertThat(content("d/f")).isEqualTo("inside");
    }

    @Test
    void namesThatAreNoSingleElementAreRefused() {
        for (var name : List.of("..", ".", "d/f", "/", "../secret", "")) {
            assertThat(guest.lookup(ROOT, name).errno()).as(name).isNotZero();
            assertThat(guest.create(ROOT, name, 0644).errno()).as(name).isNotZero();
            assertThat(guest.makeDirectory(ROOT, name, false).errno()).as(name).isNotZero();
        }
        assertThat(guest.lookup(ROOT, "x".repeat(256)).errno())
                .isEqualTo(ErrnoException.ENAMETOOLONG);
    }

    @Test
    void aLinkOutOfTheTreeIsReadAndNeverFollowed() throws Exception {
        Files.createSymbolicLink(root.resolve("out"), directory);
        Files.createSymbolicLink(root.resolve("file"), directory.resolve("secret"));
        var out = guest.lookup(ROOT, "out").node();
        assertThat(guest.ask(Opcode.READLINK, out, new byte[0]).text())
                .isEqualTo(directory.toString());
        assertThat(guest.lookup(out, "secret").errno()).isNotZero();
        assertThat(guest.create(out, "made", 0644).errno()).isNotZero();
        var file = guest.lookup(ROOT, "file").node();
        assertThat(guest.open(file, READ).errno()).isNotZero();
        assertThat(guest.ask(Opcode.OPENDIR, out, new byte[8]).errno()).isNotZero();
    }

    @Test
    void aDirectoryThatBecameALinkIsStale() throws Exception {
        var d = guest.walk("d");
        Files.move(root.resolve("d"), root.resolve("e"));
        Files.createSymbolicLink(root.resolve("d"), directory);
        assertThat(guest.lookup(d, "secret").errno()).isEqualTo(ErrnoException.ESTALE);
        assertThat(guest.create(d, "made", 0644).errno()).isEqualTo(ErrnoException.ESTALE);
        assertThat(directory.resolve("made")).doesNotExist();
        assertThat(guest.lookup(guest.walk("e"), "f").errno()).isZero();
    }

    @Test
    void aDirectoryThatTheHostMovedAwayIsOutOfReach() throws Exception {
        var d = guest.walk("d");
        Files.move(root.resolve("d"), directory.resolve("away"));
        assertThat(guest.lookup(d, "f").errno()).isEqualTo(ErrnoException.ESTALE);
    }

    @Test
    void whatTheGuestMovesKeepsItsNumberAndAllBelowIt() {
        var d = guest.walk("d");
        var f = guest.lookup(d, "f").node();
        var rename = body().u64(ROOT).text("d").text("moved").bytes();
        assertThat(guest.ask(Opcode.RENAME, ROOT, rename).errno()).isZero();
        assertThat(guest.open(f, READ).errno()).isZero();
        assertThat(guest.lookup(ROOT, "moved").node()).isEqualTo(d);
        assertThat(root.resolve("moved/f")).hasContent("inside");
    }

    @Test
    void whatIsReplacedIsStaleAndFoundAnew() throws Exception {
        var f = guest.walk("d/f");
        Files.writeString(root.resolve("new"), "other");
        Files.move(
                root.resolve("new"),
                root.resolve("d/f"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThat(guest.open(f, READ).errno()).isEqualTo(ErrnoException.ESTALE);
        assertThat(content("d/f")).isEqualTo("other");
    }

    @Test
    void anOpenFileGoesOnWithoutItsName() throws Exception {
        var f = guest.walk("d/f");
        var handle = guest.open(f, READ_WRITE).handle();
        Files.delete(root.resolve("d/f"));
        assertThat(guest.read(f, handle, 0, 100).text()).isEqualTo("inside");
        assertThat(guest.attributes(f).errno()).isZero();
        guest.release(f, handle);
        assertThat(guest.attributes(f).errno()).isEqualTo(ErrnoException.ESTALE);
    }

    @Test
    void aReleasedFileIsNotReadAnyMore() {
        var f = guest.walk("d/f");
        var handle = guest.open(f, READ).handle();
        guest.release(f, handle);
        guest.release(f, handle);
        // it is opened again by its node, as after a restart
        assertThat(guest.read(f, handle, 0, 3).text()).isEqualTo("ins");
    }

    @Test
    void aReadOnlyShareTakesNoChange() throws Exception {
        guest.close();
        guest = FuseGuest.readOnly(root, journal());
        var f = guest.walk("d/f");
        assertThat(content("d/f")).isEqualTo("inside");
        assertThat(guest.open(f, READ_WRITE).errno()).isEqualTo(ErrnoException.EROFS);
        assertThat(guest.open(f, READ | 01000).errno()).isEqualTo(ErrnoException.EROFS);
        assertThat(guest.create(ROOT, "n", 0644).errno()).isEqualTo(ErrnoException.EROFS);
        assertThat(guest.unlink(guest.walk("d"), "f", false).errno())
                .isEqualTo(ErrnoException.EROFS);
        assertThat(guest.write(f, 99, 0, "x", READ_WRITE).errno()).isEqualTo(ErrnoException.EROFS);
        assertThat(root.resolve("d/f")).hasContent("inside");
    }

    @Test
    void aNewFileHasTheModeThatWasAskedFor() throws Exception {
        var made = guest.create(ROOT, "new", 0640);
        assertThat(made.errno()).isZero();
        assertThat(made.mode() & 07777).isEqualTo(0640);
        var handle = made.body().getLong(FuseAnswer.ENTRY);
        assertThat(guest.write(made.node(), handle, 3, "abc", READ_WRITE).body().getInt(0))
                .isEqualTo(3);
        assertThat(Files.readString(root.resolve("new"))).isEqualTo("\0\0\0abc");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(root.resolve("new"))))
                .isEqualTo("rw-r-----");
    }

    @Test
    void aNewFileInADirectoryOfAGroupIsTheGroups() throws Exception {
        if (!User.isRoot()) {
            abort("needs root to give a directory to a group");
        }
        Files.setAttribute(root.resolve("d"), "unix:gid", 4321);
        Files.setAttribute(root.resolve("d"), "unix:mode", 042775);
        assertThat(guest.create(guest.walk("d"), "n", 0644).errno()).isZero();
        assertThat(guest.makeDirectory(guest.walk("d"), "s", false).mode() & 07777)
                .isEqualTo(02755);
        assertThat(Files.getAttribute(root.resolve("d/n"), "unix:gid")).isEqualTo(4321);
        assertThat(Files.getAttribute(root.resolve("d/s"), "unix:gid")).isEqualTo(4321);
    }

    @Test
    void deviceFilesAreNotMadeOnTheHost() {
        var disk = body().u32(0060660).u32(0x0800).u32(0).u32(0).text("sda").bytes();
        assertThat(guest.ask(Opcode.MKNOD, ROOT, disk).errno()).isEqualTo(ErrnoException.EPERM);
        var pipe = body().u32(0010644).u32(0).u32(0).u32(0).text("pipe").bytes();
        assertThat(guest.ask(Opcode.MKNOD, ROOT, pipe).errno()).isZero();
        assertThat(guest.open(guest.walk("pipe"), READ).errno()).isEqualTo(ErrnoException.EPERM);
    }

    @Test
    void aRequestThatWasDoneBeforeSucceedsWhenItComesAgain() {
        assertThat(guest.makeDirectory(ROOT, "new", false).errno()).isZero();
        assertThat(guest.makeDirectory(ROOT, "new", false).errno())
                .isEqualTo(ErrnoException.EEXIST);
        assertThat(guest.makeDirectory(ROOT, "new", true).errno()).isZero();
        assertThat(guest.unlink(ROOT, "none", false).errno()).isEqualTo(ErrnoException.ENOENT);
        assertThat(guest.unlink(ROOT, "none", true).errno()).isZero();
    }

    @Test
    void numbersAndOpenFilesOutliveTheServer() throws Exception {
        var d = guest.walk("d");
        var f = guest.lookup(d, "f").node();
        var handle = guest.open(f, READ_WRITE).handle();
        guest = FuseGuest.of(root, journal()); // the old one is killed, not closed
        assertThat(guest.read(f, handle, 2, 100).text()).isEqualTo("side");
        assertThat(guest.write(f, handle, 0, "IN", READ_WRITE).errno()).isZero();
        assertThat(root.resolve("d/f")).hasContent("INside");
        assertThat(guest.lookup(d, "f").node()).isEqualTo(f);
        var made = guest.create(d, "later", 0644).node();
        assertThat(made).isNotIn(d, f);
    }

    @Test
    void aFileThatWentWhileNobodyServedIsStale() throws Exception {
        var f = guest.walk("d/f");
        var handle = guest.open(f, READ).handle();
        guest.close();
        Files.delete(root.resolve("d/f"));
        Files.writeString(root.resolve("d/f"), "another");
        guest = FuseGuest.of(root, journal());
        assertThat(guest.read(f, handle, 0, 10).errno()).isEqualTo(ErrnoException.ESTALE);
        assertThat(content("d/f")).isEqualTo("another");
    }

    @Test
    void aJournalThatWasCutOffIsReadAsFarAsItGoes() throws Exception {
        var d = guest.walk("d");
        guest.walk("d/f");
        guest.close();
        var bytes = Files.readAllBytes(journal());
        Files.write(journal(), java.util.Arrays.copyOf(bytes, bytes.length - 1));
        guest = FuseGuest.of(root, journal());
        assertThat(guest.attributes(d).errno()).isZero();
        assertThat(content("d/f")).isEqualTo("inside");
    }

    @Test
    void whatTheGuestForgetsIsForgotten() {
        var before = guest.known();
        var d = guest.walk("d");
        var f = guest.lookup(d, "f").node();
        guest.lookup(d, "f");
        guest.forget(f, 1);
        assertThat(guest.known()).isEqualTo(before + 2);
        guest.forget(d, 1);
        guest.forget(f, 1);
        guest.forget(f, 1);
        assertThat(guest.known()).isEqualTo(before);
    }

    @Test
    void aGuestThatForgetsNothingIsForgottenItself() throws Exception {
        guest.close();
        guest = FuseGuest.of(root, directory.resolve("small"), false, 64, 8);
        for (var i = 0; i < 500; i++) {
            Files.writeString(root.resolve("n" + i), "x");
        }
        var first = guest.walk("n0");
        for (var i = 1; i < 500; i++) {
            guest.walk("n" + i);
            assertThat(guest.known()).isLessThanOrEqualTo(64);
        }
        assertThat(guest.attributes(first).errno()).isEqualTo(ErrnoException.ESTALE);
        assertThat(content("n0")).isEqualTo("x");
    }

    @Test
    void openFilesAreLimited() {
        var f = guest.walk("d/f");
        var errors = new ArrayList<Integer>();
        for (var i = 0; i < 101; i++) {
            errors.add(guest.open(f, READ).errno());
        }
        assertThat(errors.subList(0, 100)).containsOnly(0);
        assertThat(errors.getLast()).isEqualTo(ErrnoException.EMFILE);
    }

    @Test
    void theGuestKeepsWhatItReadOnlyWhereTheFileIsAsItWas() throws Exception {
        var f = guest.walk("d/f");
        assertThat(guest.open(f, READ).openFlags()).isZero();
        // just written: a second change could carry the same times
        assertThat(guest.open(f, READ).openFlags()).isZero();
        Thread.sleep(4000);
        assertThat(guest.open(f, READ).openFlags()).isZero();
        assertThat(guest.open(f, READ).openFlags()).as("FOPEN_KEEP_CACHE").isEqualTo(2);
        Files.setLastModifiedTime(root.resolve("d/f"), FileTime.from(Instant.EPOCH));
        assertThat(guest.open(f, READ).openFlags()).isZero();
    }

    @Test
    void allNamesOfADirectoryAreListedInPieces() throws Exception {
        var d = root.resolve("d");
        for (var i = 0; i < 300; i++) {
            Files.writeString(d.resolve("name-" + i), "");
        }
        var node = guest.walk("d");
        var handle = guest.ask(Opcode.OPENDIR, node, body().u64(0).bytes()).handle();
        var names = new ArrayList<String>();
        var from = 0L;
        while (true) {
            var answer = guest.ask(Opcode.READDIR, node, FuseGuest.readBody(handle, from, 512));
            if (!answer.body().hasRemaining()) {
                break;
            }
            for (var at = answer.body(); at.hasRemaining(); ) {
                at.getLong();
                from = at.getLong();
                var name = new byte[at.getInt()];
                at.getInt();
                at.get(name);
                at.position(at.position() + (-name.length & 7));
                names.add(new String(name, StandardCharsets.UTF_8));
            }
        }
        assertThat(names).hasSize(303).doesNotHaveDuplicates().contains(".", "..", "f", "name-7");
    }

    @Test
    void aSingleFileIsAShareOfItsOwn() throws Exception {
        guest.close();
        guest = FuseGuest.of(root.resolve("d/f"), directory.resolve("one"));
        var handle = guest.open(ROOT, READ).handle();
        assertThat(guest.read(ROOT, handle, 0, 10).text()).isEqualTo("inside");
        assertThat(guest.lookup(ROOT, "x").errno()).isNotZero();
    }

    @Test
    void lengthsAndOffsetsBeyondReasonAreRefused() {
        var f = guest.walk("d/f");
        var handle = guest.open(f, READ).handle();
        assertThat(guest.read(f, handle, -1, 10).errno()).isEqualTo(ErrnoException.EINVAL);
        assertThat(guest.read(f, handle, 0, 1 << 30).errno()).isEqualTo(ErrnoException.EINVAL);
        assertThat(guest.read(f, handle, 0, -1).errno()).isEqualTo(ErrnoException.EINVAL);
        var lying = body().u64(handle).u64(0).u32(1000).raw(new byte[20]).bytes();
        assertThat(guest.ask(Opcode.WRITE, f, lying).errno()).isEqualTo(ErrnoException.EINVAL);
    }

    @Test
    void unknownRequestsAreNotImplemented() {
        assertThat(guest.ask(4000, ROOT, new byte[100]).errno()).isEqualTo(ErrnoException.ENOSYS);
        assertThat(guest.ask(Opcode.IOCTL, ROOT, new byte[100]).errno())
                .isEqualTo(ErrnoException.ENOTTY);
    }

    @Test
    void aRaceOfLinksAndDirectoriesNeverLeadsOut() throws Exception {
        var d = root.resolve("d");
        Files.writeString(directory.resolve("f"), "outside");
        var racing =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                for (var i = 0; i < 2000; i++) {
                                    Files.move(d, root.resolve("e"));
                                    Files.createSymbolicLink(d, directory);
                                    Files.delete(d);
                                    Files.move(root.resolve("e"), d);
                                }
                            } catch (java.io.IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        var seen = 0;
        while (racing.isAlive()) {
            var at = guest.lookup(ROOT, "d");
            if (at.errno() != 0) {
                continue;
            }
            var f = guest.lookup(at.node(), "f");
            if (f.errno() != 0) {
                continue;
            }
            var open = guest.open(f.node(), READ);
            if (open.errno() == 0) {
                assertThat(guest.read(f.node(), open.handle(), 0, 10).text()).isEqualTo("inside");
                guest.release(f.node(), open.handle());
                seen++;
            }
        }
        racing.join();
        assertThat(content("d/f")).isEqualTo("inside");
        System.out.println("read in the race: " + seen);
    }

    private String content(String path) {
        var node = guest.walk(path);
        var open = guest.open(node, READ);
        assertThat(open.errno()).isZero();
        var text = guest.read(node, open.handle(), 0, 1000).text();
        guest.release(node, open.handle());
        return text;
    }
}
