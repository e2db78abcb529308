package podvm.node.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantityTest {
    @ParameterizedTest
    @CsvSource({
        "0,0",
        "1,1",
        "+2,2",
        "1k,1000",
        "1Ki,1024",
        "1.5Gi,1610612736",
        "128Mi,134217728",
        "2e3,2000",
        "2E3,2000",
        "1E,1000000000000000000",
        "1000m,1",
        ".5Ki,512",
        "5.,5",
        "1Ei,1152921504606846976",
        "12e-1k,",
    })
    void wholeNumbersAreExact(String text, Long whole) {
        assertThat(Quantity.parse(text).flatMap(Quantity::whole))
                .isEqualTo(Optional.ofNullable(whole));
    }

    @ParameterizedTest
    @CsvSource({"1,1000", "100m,100", "0.1,100", "1e-3,1", "2500u,", "1500000n,", "2000u,2"})
    void thousandthsAreExact(String text, Long thousandths) {
        assertThat(Quantity.parse(text).flatMap(Quantity::thousandths))
                .isEqualTo(Optional.ofNullable(thousandths));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ".", "Mi", "1 Mi", "1mi", "1KiB", "1e", "1e999", "0x10", "--1", "1,5"})
    void whatIsNoQuantityIsRefused(String text) {
        assertThat(Quantity.parse(text)).isEmpty();
    }

    @Test
    void whatDoesNotFitIsNotCut() {
        assertThat(Quantity.parse("10Ei").flatMap(Quantity::whole)).isEmpty();
        assertThat(Quantity.parse("1e99").flatMap(Quantity::whole)).isEmpty();
    }
}
