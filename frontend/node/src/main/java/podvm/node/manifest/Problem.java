package podvm.node.manifest;

/**
 * One thing that is wrong in a manifest.
 *
 * @param line counted from 1, as is the column
 * @param field such as "spec.containers[0].image"; empty for what is wrong with the whole
 */
public record Problem(int line, int column, String field, String message) {}
