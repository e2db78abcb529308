package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.seccomp.SeccompProfile;
import podvm.engine.seccomp.SeccompProfile.Action;
import podvm.engine.seccomp.SeccompProfile.Comparison;
import podvm.engine.seccomp.SeccompProfile.Condition;
import podvm.engine.seccomp.SeccompProfile.What;

class SeccompProfilesTest {
    private static SeccompProfile parse(String json) throws PodException {
        return SeccompProfiles.parse("/profiles/p.json", json);
    }

    @Test
    void aProfileOfTheRuntimeSpecificationIsReadWhole() throws Exception {
        var profile =
                parse(
                        """
                        {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
                         "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                         "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                         "syscalls": [
                           {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
                           {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
                            "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
                           {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 97,
                            "args": [{"index": 5, "value": 18446744073709551615, "op": "SCMP_CMP_NE"}]}]}
                        """);
        assertThat(profile.defaultAction()).isEqualTo(new Action(What.ERRNO, 38));
        assertThat(profile.architectures()).containsExactly("SCMP_ARCH_X86_64", "SCMP_ARCH_X86");
        assertThat(profile.rules().get(0).names()).containsExactly("read", "write");
        assertThat(profile.rules().get(1).conditions())
                .containsExactly(new Condition(0, Comparison.MASKED_EQUAL, 2114060288L, 0));
        assertThat(profile.rules().get(2).action()).isEqualTo(new Action(What.ERRNO, 97));
        assertThat(profile.rules().get(2).conditions())
                .containsExactly(new Condition(5, Comparison.NOT_EQUAL, -1, 0));
    }

    @Test
    void whatTheContainersProjectAddsIsUnderstood() throws Exception {
        var other = System.getProperty("os.arch").equals("aarch64") ? "amd64" : "arm64";
        var own = other.equals("amd64") ? "arm64" : "amd64";
        var profile =
                parse(
                        """
                        {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS",
                         "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
                         "syscalls": [
                           {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
                           {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
                           {"names": ["here"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["%2$s"]}},
                           {"names": ["there"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["%1$s"]}},
                           {"names": ["nothere"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["%2$s"]}},
                           {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
                           {"names": ["future"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}}]}
                        """
                                .formatted(other, own));
        assertThat(profile.defaultAction()).isEqualTo(new Action(What.ERRNO, 38));
        assertThat(profile.architectures()).containsExactly("SCMP_ARCH_X86");
        assertThat(profile.rules().stream().flatMap(rule -> rule.names().stream()))
                .containsExactly("mount", "clone", "here", "ptrace");
        assertThat(profile.rules().get(0).needed()).isEqualTo(Set.of("CAP_SYS_ADMIN"));
        assertThat(profile.rules().get(1).forbidden()).isEqualTo(Set.of("CAP_SYS_ADMIN"));
    }

    @Test
    void anErrorThatIsNotToldIsEperm() throws Exception {
        var profile =
                parse(
                        """
                        {"defaultAction": "SCMP_ACT_ALLOW",
                         "syscalls": [{"name": "chmod", "action": "SCMP_ACT_ERRNO", "args": []}]}
                        """);
        assertThat(profile.rules().getFirst().action()).isEqualTo(new Action(What.ERRNO, 1));
        assertThat(profile.rules().getFirst().names()).isEqualTo(List.of("chmod"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "[]",
                "{}",
                "{\"defaultAction\": 1}",
                "{\"defaultAction\": \"SCMP_ACT_FORGET\"}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": {}}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": []}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"a\"]}]}",
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": -1}",
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrno\": \"EMANY\"}",
            })
    void whatIsNoProfileIsInvalidAndNamed(String json) {
        var failure = catchThrowableOfType(PodException.class, () -> parse(json));
        assertThat(failure.kind()).isEqualTo(Kind.INVALID);
        assertThat(failure).hasMessageContaining("/profiles/p.json");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"index\": 6, \"op\": \"SCMP_CMP_EQ\"}",
                "{\"index\": -1, \"op\": \"SCMP_CMP_EQ\"}",
                "{\"index\": 0}",
                "{\"index\": 0, \"op\": \"SCMP_CMP_LIKE\"}",
                "{\"index\": 0, \"op\": \"SCMP_CMP_EQ\", \"value\": -1}",
                "{\"index\": 0, \"op\": \"SCMP_CMP_EQ\", \"value\": 18446744073709551616}",
            })
    void wrongConditionsAreInvalid(String args) {
        var failure =
                catchThrowableOfType(
                        PodException.class,
                        () ->
                                parse(
                                        """
                                        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
                                         [{"names": ["a"], "action": "SCMP_ACT_ERRNO", "args": [%s]}]}
                                        """
                                                .formatted(args)));
        assertThat(failure.kind()).isEqualTo(Kind.INVALID);
        assertThat(failure).hasMessageContaining("syscalls.args");
    }

    @Test
    void aSupervisorCannotBeHonoured() {
        var failure =
                catchThrowableOfType(
                        PodException.class,
                        () -> parse("{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}"));
        assertThat(failure.kind()).isEqualTo(Kind.UNSUPPORTED);
    }
}
