package podvm.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** buildah with a storage of its own, of copied folders: it needs no overlay of the host. */
record Buildah(Path root) {
    String policy() throws IOException {
        var policy = root.resolve("policy.json");
        return Files.writeString(policy, "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}")
                .toString();
    }

    void run(String... words) throws IOException, InterruptedException {
        var all =
                new ArrayList<>(
                        List.of(
                                "buildah",
                                "--storage-driver",
                                "vfs",
                                "--root",
                                root.resolve("storage").toString(),
                                "--runroot",
                                root.resolve("run").toString()));
        all.addAll(List.of(words));
        var _ = Host.command(all.toArray(String[]::new));
    }

    void commit(String container, String image) throws IOException, InterruptedException {
        run("commit", "--signature-policy", policy(), container, image);
    }

    void removeAll() throws IOException, InterruptedException {
        run("rm", "--all");
        run("rmi", "--all", "--force");
    }
}
