package podvm.volume;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import podvm.engine.Disk;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.ErrnoException;
import podvm.linux.FileStat;
import podvm.linux.Place;

/** Block devices of this host. */
final class BlockDevices {
    private static final Path BY_NUMBER = Path.of("/sys/dev/block");

    private BlockDevices() {}

    static Disk disk(String path, Disk.Access access) throws PodException {
        try (var place = Place.at(Path.of(path))) {
            var stat = place.stat();
            if (!stat.is(FileStat.BLOCK)) {
                throw new PodException(
                        Kind.UNSUPPORTED,
                        "devices (" + path + "): not a block device",
                        "only disks of the host can be devices of a machine");
            }
            return new Disk(serial(stat.rdev(), access), place.path(), access, Disk.Kind.DEVICE);
        } catch (InvalidPathException e) {
            throw new PodException(Kind.INVALID, "not a device's path: " + path, "", e);
        } catch (ErrnoException e) {
            throw new PodException(
                    e.number() == ErrnoException.ENOENT ? Kind.NOT_FOUND : Kind.DENIED,
                    "devices (" + path + "): cannot look at it: " + e.getMessage(),
                    "check that it exists and that the daemon's user may reach it",
                    e);
        }
    }

    /**
     * A number is used again when its device has gone, for another one: the kernel counts them. The
     * serial says the access too, since a machine has a disk in one way only.
     */
    private static String serial(int rdev, Disk.Access access) {
        var major = (rdev >> 8) & 0xfff;
        var minor = (rdev & 0xff) | ((rdev >> 12) & 0xfff00);
        var way = access == Disk.Access.READ_ONLY ? "r" : "w";
        return "D%s%xm%xs%s".formatted(way, major, minor, sequence(major + ":" + minor));
    }

    /** A partition's is that of its disk. Kernels before 5.15 do not count. */
    private static String sequence(String number) {
        var directory = BY_NUMBER.resolve(number);
        for (var file : new String[] {"diskseq", "../diskseq"}) {
            try {
                var text = Files.readString(directory.toRealPath().resolve(file)).strip();
                if (text.matches("\\d{1,16}")) {
                    return text;
                }
            } catch (IOException e) {
                // told by the other one, or not at all
            }
        }
        return "0";
    }
}
