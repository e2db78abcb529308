/**
 * Holds images: fetches or loads them, and turns each of their layers into one EROFS layer disk.
 *
 * <p>The way of a layer: {@link podvm.image.Inflated} unpacks on a thread of its own, {@link
 * podvm.image.TarReader} finds the entries, {@link podvm.image.LayerTree} gives them their places,
 * {@link podvm.image.LayerWriter} writes data as it comes and metadata after it.
 */
@NullMarked
package podvm.image;

import org.jspecify.annotations.NullMarked;
