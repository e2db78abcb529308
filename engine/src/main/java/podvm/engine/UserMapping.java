package podvm.engine;

/**
 * Users and groups of a pod as others of its machine: 0 to length - 1 are those from the first ones
 * on.
 *
 * @param firstUid not root's, nor is {@code firstGid}
 */
public record UserMapping(int firstUid, int firstGid, int length) {}
