package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class GuestTextTest {
    @Test
    void ordinaryTextStaysAsItIs() {
        assertThat(GuestText.clean("exec: “tini” nicht gefunden 🙂"))
                .isEqualTo("exec: “tini” nicht gefunden 🙂");
    }

    @Test
    void whatSteersATerminalOrHidesIsReplaced() {
        assertThat(GuestText.clean("a\u001b[2J\r\n\u202eb\u2028c\ud800d\0"))
                .isEqualTo("a?[2J???b?c?d?");
    }

    @Test
    void longTextIsCutBetweenCharacters() {
        assertThat(GuestText.clean("x".repeat(5000))).hasSize(1024);
        assertThat(GuestText.clean("x" + "🙂".repeat(5000))).hasSize(1023).endsWith("🙂");
    }
}
