package podvm.engine;

import java.util.List;

/**
 * What a removal did.
 *
 * @param names that lead nowhere now
 * @param images that are gone
 * @param bytes given back, or to be given back as soon as work that goes on lets them
 */
public record ImageRemoval(List<String> names, List<Digest> images, long bytes) {}
