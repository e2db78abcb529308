package podvm.node.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NamesTest {
    @Test
    void labelsHaveAtMost63Characters() {
        assertThat(Names.isLabel("a".repeat(63))).isTrue();
        assertThat(Names.isLabel("a".repeat(64))).isFalse();
        assertThat(Names.isLabel("a-b")).isTrue();
        assertThat(Names.isLabel("-a")).isFalse();
        assertThat(Names.isLabel("a.b")).isFalse();
    }

    @Test
    void subdomainsMayHaveDots() {
        assertThat(Names.isSubdomain("a.b-c.d")).isTrue();
        assertThat(Names.isSubdomain("a..b")).isFalse();
        assertThat(Names.isSubdomain("a".repeat(254))).isFalse();
    }

    @Test
    void keysCannotLeaveTheirDirectory() {
        assertThat(Names.isKey("nginx.conf")).isTrue();
        assertThat(Names.isKey("..")).isFalse();
        assertThat(Names.isKey("..data")).isFalse();
        assertThat(Names.isKey("a/b")).isFalse();
    }

    @Test
    void addressesAreTakenAsTheyAre() {
        assertThat(IpAddress.isValid("10.0.0.255")).isTrue();
        assertThat(IpAddress.isValid("::1")).isTrue();
        assertThat(IpAddress.isValid("10.0.0")).isFalse();
        assertThat(IpAddress.isValid("10.0.0.256")).isFalse();
        assertThat(IpAddress.isValid("example.com")).isFalse();
        assertThat(IpAddress.isValid("::g")).isFalse();
    }

    @Test
    void pathsAreComparedInOneSpelling() {
        assertThat(MountPath.normal("//a///b/./c/")).isEqualTo("/a/b/c");
        assertThat(MountPath.normal("/")).isEqualTo("/");
    }
}
