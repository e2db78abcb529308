package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.UserMapping;
import podvm.proto.cri.v1.IDMapping;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.NamespaceOption;
import podvm.proto.cri.v1.UserNamespace;

class UserNamespacesTest {
    private static IDMapping mapping(int container, int host, int length) {
        return IDMapping.newBuilder()
                .setContainerId(container)
                .setHostId(host)
                .setLength(length)
                .build();
    }

    private static Optional<UserMapping> read(UserNamespace.Builder users) throws PodException {
        return UserNamespaces.read(
                "", NamespaceOption.newBuilder().setUsernsOptions(users).build());
    }

    private static UserNamespace.Builder pod(IDMapping uids, IDMapping gids) {
        return UserNamespace.newBuilder().setMode(NamespaceMode.POD).addUids(uids).addGids(gids);
    }

    private static Kind refusal(UserNamespace.Builder users) {
        return catchThrowableOfType(PodException.class, () -> read(users)).kind();
    }

    @Test
    void oneRangeOfUsersAndOneOfGroupsIsAMapping() throws Exception {
        assertThat(read(pod(mapping(0, 1000, 100), mapping(0, 2000, 100))))
                .contains(new UserMapping(1000, 2000, 100));
    }

    @Test
    void theMachinesUsersAreNoMapping() throws Exception {
        assertThat(read(UserNamespace.newBuilder().setMode(NamespaceMode.NODE))).isEmpty();
        assertThat(UserNamespaces.read("", NamespaceOption.getDefaultInstance())).isEmpty();
    }

    @Test
    void whatIsNoSuchRangeIsInvalid() {
        var good = mapping(0, 1000, 100);
        assertThat(refusal(pod(good, good).addUids(good))).isEqualTo(Kind.INVALID);
        assertThat(refusal(UserNamespace.newBuilder().setMode(NamespaceMode.POD)))
                .isEqualTo(Kind.INVALID);
        assertThat(refusal(pod(mapping(1, 1000, 100), good))).isEqualTo(Kind.INVALID);
        assertThat(refusal(pod(good, mapping(0, 1000, 99)))).isEqualTo(Kind.INVALID);
        assertThat(refusal(pod(good, mapping(0, 0, 100)))).isEqualTo(Kind.INVALID);
        assertThat(refusal(pod(good, mapping(0, Integer.MAX_VALUE, 100)))).isEqualTo(Kind.INVALID);
        assertThat(refusal(pod(good, good).setMode(NamespaceMode.NODE))).isEqualTo(Kind.INVALID);
    }

    @Test
    void otherModesAreUnsupported() {
        var users = UserNamespace.newBuilder();
        assertThat(refusal(users.setMode(NamespaceMode.CONTAINER))).isEqualTo(Kind.UNSUPPORTED);
        assertThat(refusal(users.setMode(NamespaceMode.TARGET))).isEqualTo(Kind.UNSUPPORTED);
    }

    @Test
    void aContainerHasItsSandboxsMapping() {
        var mapping = Optional.of(new UserMapping(1000, 1000, 100));
        var failure =
                catchThrowableOfType(
                        PodException.class,
                        () -> UserNamespaces.checkSame(Optional.empty(), mapping));
        assertThat(failure.kind()).isEqualTo(Kind.INVALID);
    }
}
