package podvm.engine;

/**
 * What a machine costs the node at one moment: all that its containers use, and the machine itself.
 *
 * @param pid of the process that runs it
 * @param cpuNanos since its start, in and outside of the guest
 * @param rssBytes of its memory in RAM, with what it shares
 * @param pssBytes of that its share, where it shares with others
 * @param threads of the process
 */
public record MachineCost(long pid, long cpuNanos, long rssBytes, long pssBytes, long threads) {}
