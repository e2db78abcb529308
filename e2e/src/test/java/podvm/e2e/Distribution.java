package podvm.e2e;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The assembled product, with launchers beside its jars, and where a run keeps its things. */
record Distribution(Path home, Path work) {
    private static final Distribution HERE = assemble();

    static Distribution here() {
        return HERE;
    }

    Path podvm() {
        return home.resolve("bin/podvm");
    }

    Path podvmd() {
        return home.resolve("bin/podvmd");
    }

    /** The guest's kernel and initramfs, where set-up puts them unless told otherwise. */
    static Path guest() {
        var named = System.getenv("PODVM_GUEST");
        if (named != null) {
            return Path.of(named);
        }
        var cache = System.getenv("PODVM_CACHE");
        return (cache != null
                        ? Path.of(cache)
                        : Path.of(System.getProperty("user.home"), ".cache/podvm"))
                .resolve("guest/current");
    }

    /**
     * A home of its own that shares the build's jars: a start-up cache made here, for the many
     * short commands of a test run, must not stand in the way of the one that set-up makes.
     */
    private static Distribution assemble() {
        var built = Path.of(System.getProperty("podvm.distribution")).normalize();
        var launchers = Path.of(System.getProperty("podvm.launchers"));
        var work = Path.of(System.getProperty("podvm.work"));
        var home = work.resolve("podvm");
        try {
            Files.createDirectories(home.resolve("bin"));
            Files.deleteIfExists(home.resolve("lib"));
            Files.createSymbolicLink(home.resolve("lib"), built.resolve("lib"));
            for (var list : new String[] {"cli.classpath", "podvmd.classpath"}) {
                Files.copy(built.resolve(list), home.resolve(list), REPLACE_EXISTING);
            }
            for (var program : new String[] {"podvm", "podvmd"}) {
                Files.copy(
                        launchers.resolve(program),
                        home.resolve("bin").resolve(program),
                        REPLACE_EXISTING);
            }
            Files.writeString(
                    home.resolve("java"),
                    ProcessHandle.current().info().command().orElseThrow() + "\n");
            var made = new Distribution(home, work);
            made.train();
            return made;
        } catch (IOException e) {
            throw new IllegalStateException(
                    "cannot use the distribution in "
                            + built
                            + ": build it first with ./mvnw package",
                    e);
        }
    }

    /**
     * Makes the programs of this run start in a third of the time, as set-up does; without it they
     * are only slower.
     */
    private void train() throws IOException {
        var folder = Files.createTempDirectory("pv-train-");
        var daemon = trained("podvmd.aot", folder, podvmd().toString());
        try {
            Wait.until(
                    "podvmd serves",
                    () -> Files.exists(folder.resolve("run/node.sock")) || !daemon.isAlive());
            awaitEnd(trained("cli.aot", folder, podvm().toString(), "ps"));
        } finally {
            daemon.destroy();
            awaitEnd(daemon);
            Host.deleteTree(folder);
        }
    }

    /** Java writes the cache when the program ends, also when it is told to. */
    private Process trained(String cache, Path folder, String... command) throws IOException {
        Files.deleteIfExists(home.resolve(cache));
        var builder = new ProcessBuilder(command);
        var env = builder.environment();
        env.put("PODVM_AOT_OUTPUT", home.resolve(cache).toString());
        env.put("PODVM_RUN", folder.resolve("run").toString());
        env.put("PODVM_STATE", folder.resolve("state").toString());
        env.put("PODVM_CACHE", folder.resolve("cache").toString());
        env.put("PODVM_GUEST", guest().toString());
        builder.redirectErrorStream(true).redirectOutput(work.resolve(cache + ".log").toFile());
        return builder.start();
    }

    private static void awaitEnd(Process process) {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
