package podvm.engine;

import java.util.List;

/**
 * What was found of one layer disk.
 *
 * @param images that have the layer: a name of each, or its id
 * @param detail empty where all is well
 */
public record LayerCheck(
        Digest diffId, List<String> images, long bytes, State state, String detail) {
    public enum State {
        WHOLE,
        /** Set aside: a pull fetches it again. */
        DAMAGED,
        /** Set aside earlier, or removed by somebody else. */
        MISSING
    }
}
