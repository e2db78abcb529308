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
     * Makes the commands of this run start in a third of the time; without it they are only slower.
     */
    private void train() throws IOException {
        var cache = home.resolve("cli.aot");
        Files.deleteIfExists(cache);
        var command = new ProcessBuilder(podvm().toString(), "--help");
        command.environment().put("PODVM_AOT_OUTPUT", cache.toString());
        command.redirectErrorStream(true).redirectOutput(work.resolve("train.log").toFile());
        var process = command.start();
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
