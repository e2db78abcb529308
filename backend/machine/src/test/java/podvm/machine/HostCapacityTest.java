package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.AbstractObjectAssert;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

class HostCapacityTest {
    private final HostCapacity node = new HostCapacity(4, 8000, 3000);

    @Test
    void whatFitsIsAccepted() throws Exception {
        node.check(new MachineSize(4, 3000));
    }

    @Test
    void moreThanTheNodeHasIsInvalidAndBothNumbersAreTold() {
        refused(new MachineSize(5, 100), Kind.INVALID, "5", "4");
        refused(new MachineSize(1, 8001), Kind.INVALID, "8001", "8000");
    }

    @Test
    void moreThanIsFreeNowIsExhausted() {
        refused(new MachineSize(1, 3001), Kind.EXHAUSTED, "3001", "3000");
    }

    @Test
    void nothingIsNoMachine() {
        refused(new MachineSize(0, 100), Kind.INVALID, "CPU");
    }

    @Test
    void theNodeItselfHasSomething() throws Exception {
        assertThat(HostCapacity.now().totalMib()).isGreaterThan(100);
    }

    private void refused(MachineSize size, Kind kind, String... words) {
        AbstractObjectAssert<?, PodException> refusal =
                assertThatThrownBy(() -> node.check(size))
                        .asInstanceOf(InstanceOfAssertFactories.type(PodException.class));
        refusal.matches(e -> e.kind() == kind);
        for (var word : words) {
            refusal.matches(e -> e.getMessage().contains(word), word);
        }
    }
}
