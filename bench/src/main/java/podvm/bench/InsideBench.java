package podvm.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import podvm.bench.Inside.Figure;

/**
 * What a container costs the program in it: loops of computing, system calls and new processes, a
 * first read of the image's files, bytes sent to the host; in a pod and as a plain process of a
 * guest that has the same devices and drivers.
 */
record InsideBench(Place place) {
    private static final int FILE = 32 << 20;

    Result run(int pairs) throws Exception {
        try (var scratch = Scratch.in(Node.PARENT);
                var node = Node.start(withFiles(scratch.path()));
                var sink = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> swallow(sink));
            int port = sink.getLocalPort();
            var bare =
                    BareGuest.make(
                            place,
                            scratch.path(),
                            place.busybox().resolveSibling("busybox"),
                            node.layer(),
                            port);
            List<Inside> pods = new ArrayList<>();
            List<Inside> guests = new ArrayList<>();
            var cpu =
                    Pairs.measure(
                            pairs,
                            "ms",
                            () -> {
                                var pod = node.run("exec sh /inside.sh " + port);
                                pods.add(Inside.read(node.output(pod).lines()));
                                node.remove(pod);
                                return pods.getLast().ms(Figure.CPU);
                            },
                            () -> {
                                guests.add(bare.run());
                                return guests.getLast().ms(Figure.CPU);
                            });
            // as with the first figure, the first pair does not count
            pods.removeFirst();
            guests.removeFirst();
            return result(cpu, pods, guests);
        }
    }

    private static Result result(Pairs cpu, List<Inside> pods, List<Inside> guests) {
        var beside = new LinkedHashMap<String, Double>();
        boolean kept = true;
        for (var figure : Figure.values()) {
            var name = figure.name().toLowerCase(Locale.ROOT);
            var pairs = new Pairs(figure.of(pods), figure.of(guests));
            double speed = 1 / Pairs.median(pairs.ratios());
            beside.put(name + "_speed", speed);
            beside.put(name + "_speed_least", figure.least);
            beside.put(name + "_ms", Pairs.median(pairs.subject()));
            kept &= speed >= figure.least;
        }
        return new Result(
                "inside",
                cpu,
                "ms",
                "container: a loop that computes",
                "plain process of a bare guest: the same",
                1 / Figure.CPU.least,
                1,
                beside,
                kept);
    }

    /** The shell's image, and in it what is measured and what is read. */
    private Place withFiles(Path scratch) throws IOException, InterruptedException {
        var tree = scratch.resolve("tree");
        var data = Files.createDirectories(tree.resolve("data"));
        Files.writeString(tree.resolve("inside.sh"), Inside.resource("inside.sh"));
        var random = new Random(1);
        for (var name : List.of("first", "second", "third")) {
            var content = new byte[name.equals("first") ? FILE / 8 : FILE];
            random.nextBytes(content);
            Files.write(data.resolve(name), content);
        }
        var image = scratch.resolve("inside.tar");
        Files.copy(place.busybox(), image);
        var tar =
                new ProcessBuilder(
                                "tar",
                                "-rf",
                                image.toString(),
                                "-C",
                                tree.toString(),
                                "./inside.sh",
                                "./data")
                        .inheritIO()
                        .start();
        if (tar.waitFor() != 0) {
            throw new IOException("tar could not add the files that are read");
        }
        return new Place(place.home(), place.java(), place.guest(), image, place.binary());
    }

    private static void swallow(ServerSocket sink) {
        while (!sink.isClosed()) {
            try (var from = sink.accept()) {
                from.getInputStream().transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                // the guest has gone, or the benchmark has ended
            }
        }
    }
}
