package podvm.image.registry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.Json;

/**
 * A program docker-credential-NAME, which is told a server and answers with a user and a secret
 * (the protocol of docker-credential-helpers).
 */
record CredentialHelper(String name, Map<String, String> environment) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*");
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final int LARGEST_ANSWER = 1 << 20;

    /** What helpers answer in place of a user when the secret is an identity token. */
    private static final String TOKEN_USER = "<token>";

    private static final String NOTHING_STORED = "credentials not found";

    Credentials get(String server, Deadline deadline) throws PodException, InterruptedException {
        var program = program();
        var answer = run(program, server, deadline.atMost(LONGEST));
        if (answer.failed()) {
            if (answer.output().contains(NOTHING_STORED)) {
                return new Credentials.Anonymous();
            }
            throw broken("it fails: " + Messages.shown(answer.output()));
        }
        var node = Json.parse(answer.output().getBytes(StandardCharsets.UTF_8), toString());
        var user = Json.text(node, "Username");
        var secret = Json.text(node, "Secret");
        if (user.isEmpty() && secret.isEmpty()) {
            return new Credentials.Anonymous();
        }
        return user.equals(TOKEN_USER)
                ? new Credentials.IdentityToken(secret)
                : new Credentials.Password(user, secret);
    }

    @Override
    public String toString() {
        return "credential helper docker-credential-" + name;
    }

    private record Answer(String output, boolean failed) {}

    /** A name from a file must not lead to any program whatever. */
    private Path program() throws PodException {
        if (!NAME.matcher(name).matches()) {
            throw broken("that is no name of a helper");
        }
        for (var directory : environment.getOrDefault("PATH", "").split(":")) {
            var program = Path.of(directory, "docker-credential-" + name);
            if (program.isAbsolute() && Files.isExecutable(program)) {
                return program;
            }
        }
        throw broken("it is not on the PATH of the daemon");
    }

    private Answer run(Path program, String server, Deadline deadline)
            throws PodException, InterruptedException {
        var builder = new ProcessBuilder(program.toString(), "get");
        builder.environment().clear();
        builder.environment().putAll(environment);
        // what it complains about is for its own user: it may contain anything
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = null;
        try {
            process = builder.start();
            var output = read(process);
            tell(process, server);
            var text = output.get(deadline.leftMillis(), TimeUnit.MILLISECONDS);
            if (!process.waitFor(deadline.leftMillis(), TimeUnit.MILLISECONDS)) {
                throw broken("it does not end");
            }
            return new Answer(text, process.exitValue() != 0);
        } catch (TimeoutException e) {
            throw broken("it does not answer");
        } catch (IOException | ExecutionException e) {
            throw broken("it cannot be run: " + e.getMessage());
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
        }
    }

    private static void tell(Process process, String server) {
        try (var in = process.outputWriter(StandardCharsets.UTF_8)) {
            in.write(server);
        } catch (IOException e) {
            // it did not want to know: its answer or exit code tells the rest
            return;
        }
    }

    private static FutureTask<String> read(Process process) {
        var task =
                new FutureTask<>(() -> {
                    var bytes = process.getInputStream().readNBytes(LARGEST_ANSWER);
                    return new String(bytes, StandardCharsets.UTF_8);
                });
        Thread.ofVirtual().name("read credential helper").start(task);
        return task;
    }

    private PodException broken(String why) {
        return new PodException(
                PodException.Kind.DENIED,
                "cannot ask %s: %s".formatted(this, why),
                "run 'docker-credential-%s get' as the daemon's user".formatted(name));
    }
}
