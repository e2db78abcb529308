package podvm.image.registry;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import podvm.engine.Deadline;
import podvm.engine.Digest;

/**
 * Hosts that did not bring a blob to its right end. For a while others are asked for it before
 * them, so that a pull that is tried again does not meet the same bytes.
 */
final class Distrust {
    private static final Duration WHILE = Duration.ofMinutes(10);
    private static final int MOST = 10_000;

    private record Offence(String host, Digest digest) {}

    private final Map<Offence, Deadline> offences = new LinkedHashMap<>();

    synchronized void add(RegistryHost host, Digest digest) {
        offences.values().removeIf(Deadline::passed);
        if (offences.size() < MOST) {
            offences.put(new Offence(host.name(), digest), Deadline.after(WHILE));
        }
    }

    synchronized boolean has(RegistryHost host, Digest digest) {
        var until = offences.get(new Offence(host.name(), digest));
        return until != null && !until.passed();
    }
}
