package podvm.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Runs one benchmark and prints what it found; fails where the ratio is above what is promised. */
public final class Main {
    private static final String USAGE =
            "usage: ./dev bench start|clone|memory|cli|layer|layer-large|pull|cri|exec|inside [--pairs N] [--output json]";
    private static final int WRONG_USE = 2;

    private Main() {}

    public static void main(String[] args) throws Exception {
        var words = List.of(args);
        int pairs = 20;
        boolean json = false;
        for (int i = 1; i < words.size(); i++) {
            switch (words.get(i)) {
                case "--pairs" -> pairs = Integer.parseInt(words.get(++i));
                case "--output" -> json = words.get(++i).equals("json");
                default -> stop("unknown argument " + words.get(i));
            }
        }
        if (words.isEmpty()) {
            stop("which benchmark?");
        }
        var result =
                switch (words.getFirst()) {
                    case "start" -> new StartBench(Place.find()).run(pairs);
                    case "clone" -> new CloneBench(Place.find()).run(pairs);
                    case "memory" -> new MemoryBench(Place.find()).run(pairs);
                    case "cli" -> new CliBench(Place.find()).run(pairs);
                    case "layer" -> new LayerBench(Place.cache(), LayerSample.MIX).run(pairs);
                    case "layer-large" ->
                            new LayerBench(Place.cache(), LayerSample.LARGE).run(pairs);
                    case "pull" -> new PullBench(Place.find(), peers()).run(pairs);
                    case "cri" -> new CriBench(Place.find(), peers()).run(pairs);
                    case "exec" -> new ExecBench(Place.find(), peers()).run(pairs);
                    case "inside" -> new InsideBench(Place.find()).run(pairs);
                    default -> {
                        stop("there is no benchmark " + words.getFirst());
                        throw new IllegalStateException(Arrays.toString(args));
                    }
                };
        System.out.println(json ? result.json() : result.text());
        System.exit(result.passes() ? 0 : 1);
    }

    private static Path peers() {
        return Path.of(System.getProperty("podvm.peers"));
    }

    private static void stop(String problem) {
        System.err.println(problem + "\n" + USAGE);
        System.exit(WRONG_USE);
    }
}
