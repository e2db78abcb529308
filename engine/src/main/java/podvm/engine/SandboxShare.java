package podvm.engine;

import java.util.List;

/**
 * A share of a pod sandbox, for the next daemon.
 *
 * @param users the containers that mount it; none: it is to be ended
 */
public record SandboxShare(Shares.ShareSpec spec, List<ContainerId> users) {}
