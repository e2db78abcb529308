package podvm.cri;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Base64;
import org.junit.jupiter.api.Test;
import podvm.engine.Credentials;
import podvm.engine.PodException;
import podvm.proto.cri.v1.AuthConfig;

class LoginsTest {
    private static AuthConfig auth(String text) {
        var encoded = Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
        return AuthConfig.newBuilder().setAuth(encoded).build();
    }

    @Test
    void nothingMeansTheNodesOwn() throws Exception {
        assertThat(Logins.read(AuthConfig.getDefaultInstance())).isEmpty();
    }

    @Test
    void aPasswordMayHaveColonsAndEndInZeroBytes() throws Exception {
        assertThat(Logins.read(auth("user:pass:word\0\0")))
                .contains(new Credentials.Password("user", "pass:word"));
    }

    @Test
    void nonsenseIsRefusedWithoutBeingShown() {
        assertThatThrownBy(() -> Logins.read(auth("secret")))
                .isInstanceOf(PodException.class)
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> Logins.read(AuthConfig.newBuilder().setAuth("%").build()))
                .isInstanceOf(PodException.class);
    }
}
