package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/** A program in QEMU's place, written in Perl, which every Debian has. */
final class FakeVmm {
    /** Finds the listening socket of a chardev among the arguments, as QEMU does. */
    private static final String START =
            """
            #!/usr/bin/perl
            use strict;
            use Socket;
            $| = 1;
            sub chardev {
              my ($id) = @_;
              for my $word (@ARGV) {
                if ($word =~ /^socket,id=$id,.*fd=(\\d+)/) {
                  open(my $listening, '+<&=', $1) or die;
                  accept(my $peer, $listening) or die;
                  select((select($peer), $| = 1)[0]);
                  return $peer;
                }
              }
              die "no chardev $id";
            }
            """;

    private FakeVmm() {}

    static QemuOptions options(Path directory, String deed) throws IOException {
        var anything = Files.writeString(directory.resolve("anything"), "");
        return new QemuOptions(
                script(directory, deed),
                anything,
                anything,
                Accelerator.TCG,
                directory.resolve("run"),
                Optional.empty(),
                TemplateRules.NONE,
                1,
                List.of());
    }

    static Path script(Path directory, String deed) throws IOException {
        var script = Files.writeString(directory.resolve("qemu-fake"), START + deed);
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
