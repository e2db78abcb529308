package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import podvm.proto.cri.v1.Signal;

class StopSignalsTest {
    @ParameterizedTest
    @CsvSource({
        "SIGINT, SIGINT",
        "SIGRTMIN, 34",
        "SIGRTMINPLUS15, 49",
        "SIGRTMAXMINUS14, 50",
        "SIGRTMAX, 64"
    })
    void realTimeSignalsAreNumbers(Signal signal, String text) throws Exception {
        assertThat(StopSignals.text(signal)).isEqualTo(text);
    }

    @ParameterizedTest
    @EnumSource(value = Signal.class, mode = EnumSource.Mode.EXCLUDE, names = "UNRECOGNIZED")
    void eachComesBackAsItself(Signal signal) throws Exception {
        assertThat(StopSignals.message(StopSignals.text(signal))).isEqualTo(signal);
    }
}
