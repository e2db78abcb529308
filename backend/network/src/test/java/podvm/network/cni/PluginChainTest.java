package podvm.network.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static podvm.network.cni.ScriptedPlugin.ALL_VERSIONS;
import static podvm.network.cni.ScriptedPlugin.answering;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;

class PluginChainTest {
    private static final String POD = "0123456789abcdef0123456789abcdef";
    private static final String FIRST =
            """
            {"cniVersion":"1.1.0","interfaces":[{"name":"eth0","mac":"0a:00:00:00:00:01","mtu":1400}],
             "ips":[{"address":"10.1.0.2/16","interface":0},{"address":"fd00::2/64"}],
             "routes":[{"dst":"0.0.0.0/0","priority":7}],"dns":{"nameservers":["10.1.0.1"]}}\
            """
                    .replace("\n", "");

    @TempDir Path directory;

    private ScriptedPlugin plugin(String type, String body) throws Exception {
        return ScriptedPlugin.of(directory, type, ALL_VERSIONS, body);
    }

    private PluginChain chain(String plugins) throws PodException {
        var text = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"plugins\":[" + plugins + "]}";
        return new PluginChain(
                new Plugins(List.of(directory)),
                NetworkList.parse("net.conflist", text.getBytes(UTF_8)));
    }

    private static Attachment pod(PluginChain chain, String capabilities) {
        return new Attachment(
                POD,
                "default/web",
                "net.conflist",
                chain.network().json(),
                "IgnoreUnknown=1;K8S_POD_NAME=web",
                Json.object(capabilities.getBytes(UTF_8)).orElseThrow(),
                Dns.OF_NETWORK,
                1,
                Optional.empty(),
                Optional.empty());
    }

    private static Deadline soon() {
        return Deadline.after(Duration.ofSeconds(30));
    }

    private PodException failing(String body) throws Exception {
        plugin("bad", body);
        var chain = chain("{\"type\":\"bad\"}");
        return assertThrows(PodException.class, () -> chain.add(pod(chain, "{}"), soon()));
    }

    @Test
    void eachPluginHearsTheResultBeforeItAndTheLastOneIsAskedFirstToUndo() throws Exception {
        var one = plugin("one", answering(FIRST));
        var two = plugin("two", answering("{\"cniVersion\":\"1.1.0\",\"ips\":[]}"));
        var chain = chain("{\"type\":\"one\",\"mtu\":1400},{\"type\":\"two\"}");
        var pod = pod(chain, "{}");

        var result = chain.add(pod, soon());
        chain.delete(pod.withResult(result.json()), soon());

        assertThat(ScriptedPlugin.calls(directory))
                .containsExactly("ADD one", "ADD two", "DEL two", "DEL one");
        assertThat(one.told("ADD").has("prevResult")).isFalse();
        assertThat(one.told("ADD").path("mtu").asInt()).isEqualTo(1400);
        assertThat(one.told("ADD").path("name").asString()).isEqualTo("net");
        assertThat(two.told("ADD").path("prevResult"))
                .isEqualTo(Json.object(FIRST.getBytes(UTF_8)).orElseThrow());
        assertThat(one.told("DEL").path("prevResult").has("ips")).isTrue();
        assertThat(one.environment("ADD"))
                .contains(
                        "CNI_CONTAINERID=" + POD,
                        "CNI_IFNAME=eth0",
                        "CNI_NETNS=/run/netns/podvm-" + POD,
                        "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web",
                        "CNI_PATH=" + directory);
    }

    @Test
    void anOlderPluginIsSpokenToInTheNewestVersionThatItKnows() throws Exception {
        plugin("one", answering(FIRST));
        var old =
                ScriptedPlugin.of(
                        directory,
                        "old",
                        "\"0.2.0\",\"0.3.1\"",
                        answering(
                                "{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.1.0.2/16\"}]}"));
        var chain = chain("{\"type\":\"one\"},{\"type\":\"old\"}");

        var result = chain.add(pod(chain, "{}"), soon());

        var told = old.told("ADD");
        assertThat(told.path("cniVersion").asString()).isEqualTo("0.3.1");
        assertThat(told.path("prevResult").path("cniVersion").asString()).isEqualTo("0.3.1");
        assertThat(told.path("prevResult").path("ips").path(0).path("version").asString())
                .isEqualTo("4");
        assertThat(told.path("prevResult").path("ips").path(1).path("version").asString())
                .isEqualTo("6");
        assertThat(told.path("prevResult").path("interfaces").path(0).has("mtu")).isFalse();
        assertThat(told.path("prevResult").path("routes").path(0).has("priority")).isFalse();
        assertThat(result.in(CniVersion.V1_1_0).path("ips").path(0).has("version")).isFalse();
        assertThat(result.ips()).containsExactly("10.1.0.2");
    }

    @Test
    void aPluginWithoutACommonVersionIsNamedWithWhatItSpeaks() throws Exception {
        ScriptedPlugin.of(directory, "ancient", "\"0.1.0\",\"0.2.0\"", "exit 0");
        var chain = chain("{\"type\":\"ancient\"}");

        var refused = assertThrows(PodException.class, () -> chain.add(pod(chain, "{}"), soon()));

        assertThat(refused.kind()).isEqualTo(Kind.UNSUPPORTED);
        assertThat(refused).hasMessageContaining("ancient speaks 0.1.0, 0.2.0");
    }

    @Test
    void aPluginIsToldOnlyTheCapabilitiesThatItAsksFor() throws Exception {
        var one = plugin("one", answering(FIRST));
        var two = plugin("two", answering(FIRST));
        var chain =
                chain(
                        "{\"type\":\"one\",\"capabilities\":{\"mac\":true,\"ips\":false,\"bandwidth\":true}},"
                                + "{\"type\":\"two\"}");

        chain.add(pod(chain, "{\"mac\":\"0a:00:00:00:00:09\",\"ips\":[\"10.1.0.9/16\"]}"), soon());

        assertThat(one.told("ADD").path("runtimeConfig").toString())
                .isEqualTo("{\"mac\":\"0a:00:00:00:00:09\"}");
        assertThat(one.told("ADD").has("capabilities")).isFalse();
        assertThat(two.told("ADD").has("runtimeConfig")).isFalse();
    }

    @Test
    void aFailureIsToldWithThePluginsCodeMessageAndDetails() throws Exception {
        var failure =
                failing(
                        "echo '{\"code\":11,\"msg\":\"no address left\",\"details\":\"10.1.0.0/30\"}'; exit 1");

        assertThat(failure)
                .hasMessage(
                        "CNI plugin bad failed at ADD for network net: code 11: no address left;"
                                + " 10.1.0.0/30");
        assertThat(failure.remedy()).isEqualTo("try again later");
    }

    @Test
    void aPluginThatOnlyComplainsIsQuoted() throws Exception {
        assertThat(failing("echo 'bridge: out of luck' >&2; exit 3"))
                .hasMessageContaining("status 3 and said: bridge: out of luck");
    }

    @Test
    void successWithoutAResultIsAFailure() throws Exception {
        assertThat(failing("echo '}{'")).hasMessageContaining("did not say with which result");
    }

    @Test
    void endlessOutputIsCutOff() throws Exception {
        assertThat(failing("yes")).hasMessageContaining("wrote more than 1 MiB and was killed");
    }

    @Test
    void aHangingPluginIsKilledWithWhatItHasStarted() throws Exception {
        plugin("stuck", "sleep 1000 & echo $! > " + directory + "/child; sleep 1000");
        var chain = chain("{\"type\":\"stuck\"}");
        var deadline = Deadline.after(Duration.ofSeconds(2));

        var failure = assertThrows(PodException.class, () -> chain.add(pod(chain, "{}"), deadline));

        assertThat(failure.kind()).isEqualTo(Kind.DEADLINE);
        assertThat(failure).hasMessageContaining("CNI plugin stuck failed at ADD");
        var child = Long.parseLong(Files.readString(directory.resolve("child")).strip());
        ProcessHandle.of(child)
                .ifPresent(process ->
                        process.onExit()
                                .orTimeout(10, java.util.concurrent.TimeUnit.SECONDS)
                                .join());
    }

    @Test
    void aMissingPluginIsNamedWithThePlacesWhereItMayBe() throws Exception {
        var chain = chain("{\"type\":\"nowhere\"}");

        var failure = assertThrows(PodException.class, () -> chain.add(pod(chain, "{}"), soon()));

        assertThat(failure.kind()).isEqualTo(Kind.NOT_FOUND);
        assertThat(failure.describe())
                .contains("no CNI plugin nowhere, which network net needs")
                .contains("put it into " + directory);
    }

    @Test
    void whereTheChainBrokeAMissingPluginHasNothingToUndo() throws Exception {
        plugin("one", answering(FIRST));
        var chain = chain("{\"type\":\"one\"},{\"type\":\"nowhere\"}");
        var pod = pod(chain, "{}");
        assertThrows(PodException.class, () -> chain.add(pod, soon()));

        chain.delete(pod, soon());

        assertThat(ScriptedPlugin.calls(directory)).containsExactly("ADD one", "DEL one");
    }

    @Test
    void whereItServedAPodItsAbsenceIsTold() throws Exception {
        var chain = chain("{\"type\":\"nowhere\"}");
        var pod = pod(chain, "{}").withResult(Json.object(FIRST.getBytes(UTF_8)).orElseThrow());

        assertThrows(PodException.class, () -> chain.delete(pod, soon()));
    }

    @Test
    void allAreAskedToUndoEvenWhereOneFails() throws Exception {
        plugin("one", "exit 0");
        plugin("two", "exit 1");
        var chain = chain("{\"type\":\"one\"},{\"type\":\"two\"}");

        assertThrows(PodException.class, () -> chain.delete(pod(chain, "{}"), soon()));

        assertThat(ScriptedPlugin.calls(directory)).containsExactly("DEL two", "DEL one");
    }

    @Test
    void statusAndGarbageCollectionAreForThoseWhoKnowThem() throws Exception {
        var young = plugin("young", "exit 0");
        ScriptedPlugin.of(directory, "old", "\"1.0.0\"", "exit 1");
        var chain = chain("{\"type\":\"young\"},{\"type\":\"old\"}");

        chain.status(soon());
        chain.collect(List.of(new PodId(POD)), soon());

        assertThat(ScriptedPlugin.calls(directory)).containsExactly("STATUS young", "GC young");
        assertThat(young.told("GC").path("cni.dev/valid-attachments").toString())
                .isEqualTo("[{\"containerID\":\"" + POD + "\",\"ifname\":\"eth0\"}]");
    }

    @Test
    void aNetworkThatIsNotReadyFailsItsStatus() throws Exception {
        plugin("young", "echo '{\"code\":50,\"msg\":\"agent is down\"}'; exit 1");

        var failure =
                assertThrows(
                        PodException.class, () -> chain("{\"type\":\"young\"}").status(soon()));

        assertThat(failure).hasMessageContaining("code 50: agent is down");
    }

    @Test
    void aCheckComparesWithTheResult() throws Exception {
        var one = plugin("one", "exit 0");
        var chain = chain("{\"type\":\"one\"}");
        var result = CniResult.of(Json.object(FIRST.getBytes(UTF_8)).orElseThrow());

        chain.check(pod(chain, "{}"), result, soon());

        assertThat(one.told("CHECK").path("prevResult").path("ips").size()).isEqualTo(2);
    }
}
