package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import tools.jackson.databind.JsonNode;

/**
 * A node of its own for a test class: directories, and the daemon that the command starts in them.
 * After the class nothing of it may be left.
 */
final class Node
        implements BeforeAllCallback, AfterAllCallback, AfterTestExecutionCallback, AutoCloseable {
    /** Of the folders of all nodes of this run, and of no other run. */
    static final String PREFIX = "pv-" + ProcessHandle.current().pid() + "-";

    /**
     * Of podvmd's configuration, for every node of a run that does not say otherwise: "key=value",
     * with blanks between several.
     */
    private static final String EVERYWHERE = "PODVM_E2E_SETTINGS";

    private static final int LOG_LINES = 60;
    private static final String CRI_SOCKET = "cri.socket";

    /** Stands for a place in the node's own run directory, which is not known before it is open. */
    private static final String CRI_IN_RUN = "(in run)";

    private final Map<String, String> settings;
    private final List<String> as;
    private final boolean withImage;
    private Path base = Path.of("/");
    private Path product = base;
    private Path guest = base;
    private LeakCheck leaks = new LeakCheck(base);
    private int manifests;

    private Node(Map<String, String> settings, List<String> as, boolean withImage) {
        this.settings = everywhere();
        this.settings.putAll(settings);
        this.as = as;
        this.withImage = withImage;
    }

    /** With its configuration as delivered. */
    static Node ordinary() {
        return new Node(Map.of(), List.of(), true);
    }

    /**
     * With keys of podvmd's configuration set.
     *
     * @param settings "key=value"
     */
    static Node with(String... settings) {
        return new Node(parsed(List.of(settings)), List.of(), true);
    }

    private static Map<String, String> parsed(List<String> settings) {
        var map = new HashMap<String, String>();
        for (var setting : settings) {
            var pair = setting.split("=", 2);
            map.put(pair[0], pair[1]);
        }
        return map;
    }

    private static Map<String, String> everywhere() {
        var text = System.getenv().getOrDefault(EVERYWHERE, "").strip();
        return parsed(text.isEmpty() ? List.of() : List.of(text.split("\\s+")));
    }

    /** One that a kubelet could use: with the socket for it. */
    static Node ofKubelet() {
        return ofKubelet("network.cluster=user");
    }

    /**
     * @param settings "key=value"
     */
    static Node ofKubelet(String... settings) {
        var all = new ArrayList<>(List.of(settings));
        all.add(CRI_SOCKET + "=" + CRI_IN_RUN);
        return with(all.toArray(String[]::new));
    }

    /** Of a user without any rights. */
    static Node ofUser(int uid) {
        var id = Integer.toString(uid);
        return new Node(
                Map.of(),
                List.of(
                        "setpriv",
                        "--reuid=" + id,
                        "--regid=" + id,
                        "--clear-groups",
                        "--inh-caps=-all",
                        "--"),
                true);
    }

    /** With an empty image store. */
    Node withoutImage() {
        return new Node(settings, as, false);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        LeakCheck.ofModule(context);
        open();
    }

    /** For a node of one test, which closes it. */
    Node opened() throws IOException, InterruptedException {
        open();
        return this;
    }

    void open() throws IOException, InterruptedException {
        base = Files.createTempDirectory(Path.of("/tmp"), PREFIX);
        try {
            prepare();
        } catch (IOException | InterruptedException | AssertionError e) {
            killAll();
            Host.deleteTree(base);
            throw e;
        }
    }

    private void prepare() throws IOException, InterruptedException {
        for (var folder : List.of("tmp", "home", "manifests")) {
            Files.createDirectory(base.resolve(folder));
        }
        product = Distribution.here().home();
        guest = Distribution.guest();
        var image = Box.rootfs();
        if (!as.isEmpty()) {
            // what belongs to the user who runs the tests may be out of reach for another
            product = copy(product, "product");
            guest = copy(guest, "guest");
            image = copy(image, "rootfs.tar");
            Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
            Host.command("chown", "-R", as.get(1).split("=")[1], base.toString());
        }
        leaks = new LeakCheck(base);
        if (!settings.isEmpty()) {
            startDaemon();
        }
        if (withImage) {
            podvm("image", "import", "--name", Box.IMAGE, image.toString()).expect(0);
        }
    }

    private Path copy(Path from, String name) throws IOException, InterruptedException {
        var to = base.resolve(name);
        Host.command("cp", "-rL", from.toString(), to.toString());
        Host.command("chmod", "-R", "a+rX", to.toString());
        return to;
    }

    /** As the command does it, but with the settings of this node. */
    void startDaemon() throws IOException, InterruptedException {
        Files.createDirectories(
                run(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var words = new ArrayList<>(List.of(product.resolve("bin/podvmd").toString(), "--private"));
        settings.forEach((key, value) -> {
            var set = value.equals(CRI_IN_RUN) ? criSocket().toString() : value;
            words.addAll(List.of("--set", key + "=" + set));
        });
        var builder = builder(words);
        var log = ProcessBuilder.Redirect.appendTo(run().resolve("podvmd.log").toFile());
        var daemon = builder.redirectOutput(log).redirectError(log).start();
        Wait.until("podvmd serves", () -> serves() || !daemon.isAlive(), this::daemonLog);
        assertThat(daemon.isAlive()).as("podvmd runs; its log: %s", daemonLog()).isTrue();
    }

    /** A daemon that was killed has left its sockets, which nobody answers. */
    private boolean serves() {
        return answers(run().resolve("node.sock"))
                && (!settings.containsKey(CRI_SOCKET) || answers(criSocket()));
    }

    private static boolean answers(Path socket) {
        try (var _ = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    Path base() {
        return base;
    }

    Path run() {
        return base.resolve("run");
    }

    Path criSocket() {
        return run().resolve("podvm.sock");
    }

    Path state() {
        return base.resolve("state");
    }

    /** Runs the command to its end, without input. */
    Outcome podvm(String... words) throws IOException, InterruptedException {
        return podvmReading("", words);
    }

    /** Runs the command to its end. */
    Outcome podvmReading(String input, String... words) throws IOException, InterruptedException {
        try (var running = start(words)) {
            running.type(input);
            running.endInput();
            return running.await();
        }
    }

    Running start(String... words) throws IOException {
        return startProgram(command(words));
    }

    /** A program of the host in the environment of this node. */
    Running startProgram(List<String> words) throws IOException {
        return new Running(words, builder(words).start());
    }

    List<String> command(String... words) {
        var all = new ArrayList<>(List.of(product.resolve("bin/podvm").toString()));
        all.addAll(Arrays.asList(words));
        return all;
    }

    private ProcessBuilder builder(List<String> words) {
        // a test run in the background of a script ignores Ctrl-C, and so would the commands
        var all = new ArrayList<>(List.of("env", "--default-signal"));
        all.addAll(as);
        all.addAll(words);
        var builder = new ProcessBuilder(all).directory(base.toFile());
        var env = builder.environment();
        env.keySet().removeIf(name -> name.startsWith("PODVM_") || name.startsWith("XDG_"));
        env.put("PODVM_RUN", run().toString());
        env.put("PODVM_STATE", state().toString());
        env.put("PODVM_CACHE", base.resolve("cache").toString());
        env.put("PODVM_GUEST", guest.toString());
        env.put("PODVM_JAVA_OPTS", "-Djava.io.tmpdir=" + base.resolve("tmp"));
        env.put("HOME", base.resolve("home").toString());
        env.put("TMPDIR", base.resolve("tmp").toString());
        env.put("TERM", "xterm");
        return builder;
    }

    Path manifest(String text) throws IOException {
        var file = base.resolve("manifests").resolve(++manifests + ".yaml");
        Files.writeString(file, text);
        return file;
    }

    /** Runs a manifest to its end. */
    Outcome run(String manifest) throws IOException, InterruptedException {
        return podvm("run", "--no-prefix", manifest(manifest).toString());
    }

    /** Starts a manifest's pod; returns its id. */
    String detached(String manifest) throws IOException, InterruptedException {
        return podvm("run", "-d", manifest(manifest).toString()).expect(0).out().strip();
    }

    /** Starts a manifest's pod and waits until its containers run. */
    String running(String manifest) throws IOException, InterruptedException {
        var id = detached(manifest);
        awaitPhase(id, "Running");
        return id;
    }

    void awaitPhase(String pod, String phase) {
        Wait.until(
                "pod " + pod + " is " + phase,
                () -> {
                    var now = inspect(pod).path("phase").asString();
                    if (!now.equals(phase) && (now.equals("Failed") || now.equals("Succeeded"))) {
                        throw new AssertionError("it is " + now + ": " + inspect(pod));
                    }
                    return now.equals(phase);
                },
                this::daemonLog);
    }

    JsonNode inspect(String pod) throws IOException, InterruptedException {
        var json = podvm("inspect", pod).expect(0).json();
        return json.isArray() ? json.get(0) : json;
    }

    /** One container of an inspected pod. */
    JsonNode container(String pod, String name) throws IOException, InterruptedException {
        for (var container : inspect(pod).path("containers")) {
            if (container.path("name").asString().equals(name)) {
                return container;
            }
        }
        throw new AssertionError("pod " + pod + " has no container " + name);
    }

    /** What a shell prints in a container; fails where it fails. */
    String shell(String pod, String container, String script)
            throws IOException, InterruptedException {
        return podvm("exec", "-c", container, pod, "--", "sh", "-c", script).expect(0).out();
    }

    long daemonPid() throws IOException {
        return Long.parseLong(Files.readString(state().resolve("lock")).strip());
    }

    void killDaemon() throws IOException, InterruptedException {
        long pid = daemonPid();
        Host.signal(pid, "KILL");
        // its first thread may be gone while another still holds the sockets
        Wait.until(
                "podvmd " + pid + " is dead",
                () -> !alive(pid) && !answers(run().resolve("node.sock")));
    }

    /** A zombie is dead, whenever its parent takes notice. */
    private static boolean alive(long pid) {
        var stat = Host.read(Path.of("/proc/" + pid + "/stat")).orElse("");
        return !stat.isEmpty() && !stat.substring(stat.lastIndexOf(')')).startsWith(") Z");
    }

    /** The processes of this node's machines. */
    List<Long> machines() throws IOException {
        return Host.machinesOf(run());
    }

    String daemonLog() {
        return Host.read(run().resolve("podvmd.log")).orElse("(podvmd wrote no log)");
    }

    void removeAll() throws IOException, InterruptedException {
        for (var pod : podvm("ps", "-a", "-o", "json").expect(0).json()) {
            podvm("rm", "-f", pod.path("id").asString()).expect(0);
        }
    }

    @Override
    public void afterTestExecution(ExtensionContext context) {
        if (context.getExecutionException().isPresent()) {
            tell();
        }
    }

    /** For who reads why a test failed. */
    private void tell() {
        System.out.println("--- podvmd.log");
        System.out.println(tail(daemonLog()));
        try (var consoles = Files.walk(run())) {
            for (var file : consoles.filter(f -> f.endsWith("console.log")).toList()) {
                System.out.println("--- " + file);
                System.out.println(tail(new String(Files.readAllBytes(file), UTF_8)));
            }
        } catch (IOException e) {
            System.out.println("(no consoles: " + e + ")");
        }
    }

    private static String tail(String text) {
        var lines = text.lines().toList();
        return String.join(
                "\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        close();
    }

    @Override
    public void close() throws IOException {
        try {
            if (Files.exists(state().resolve("lock"))) {
                removeAll();
                stopDaemon();
            }
            leaks.check();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while a node is closed", e);
        } finally {
            killAll();
            Host.deleteTree(base);
        }
    }

    /** After a failure nothing may be left for the next class to stumble over. */
    void killAll() throws IOException {
        for (var process : Host.processesOf(base)) {
            long pid = Long.parseLong(process.substring(0, process.indexOf(' ')));
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    /** As an operator stops it. */
    void stopDaemon() throws IOException, InterruptedException {
        long pid = daemonPid();
        if (!alive(pid)) {
            return;
        }
        Host.signal(pid, "TERM");
        Wait.until("podvmd " + pid + " has ended on SIGTERM", () -> !alive(pid));
    }
}
