package podvm.image.layer;

import java.util.List;

/**
 * What became of a layer.
 *
 * @param bytes of its image
 * @param implied directories of which it tells nothing but what they hold: paths without slashes
 *     around them, one char per byte, sorted; empty text: the root. Only the 4096 nearest to the
 *     root are listed.
 */
public record WrittenLayer(long bytes, List<String> implied) {}
