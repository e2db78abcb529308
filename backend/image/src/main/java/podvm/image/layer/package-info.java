/**
 * Turns a layer's tar, packed or not, into an EROFS disk.
 *
 * <p>The way of its bytes: {@link podvm.image.layer.Inflated} unpacks on a thread of its own,
 * {@link podvm.image.layer.HashedStream} hashes on another, {@link podvm.image.layer.TarReader}
 * finds the entries, {@link podvm.image.layer.LayerTree} gives them their places, {@link
 * podvm.image.layer.LayerWriter} writes data as it comes and metadata after it. {@link
 * podvm.image.layer.VerityTree} makes the hash tree of a finished disk.
 */
@NullMarked
package podvm.image.layer;

import org.jspecify.annotations.NullMarked;
