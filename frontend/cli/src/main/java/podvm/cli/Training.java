package podvm.cli;

import java.util.ArrayList;

/**
 * Runs several command lines in one process, so that one ahead-of-time cache knows the classes of
 * all of them: -XX:AOTCacheOutput=cli.aot ... podvm.cli.Training ps , ps -o json , version
 */
public final class Training {
    private Training() {}

    public static void main(String[] arguments) {
        var stdio = Stdio.ofProcess();
        var line = new ArrayList<String>();
        for (var argument : arguments) {
            if (!argument.equals(",")) {
                line.add(argument);
                continue;
            }
            Main.run(line, stdio);
            line.clear();
        }
        Main.run(line, stdio);
    }
}
