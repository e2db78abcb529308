/**
 * Holds images: fetches or loads them, and turns each of their layers into one layer disk.
 *
 * <p>It stands above its parts, which do not know it: {@link podvm.image.registry} fetches, {@link
 * podvm.image.trust} decides what may be used, {@link podvm.image.layer} makes disks, {@link
 * podvm.image.export} makes archives of them. Nor do these know each other; all may use {@link
 * podvm.image.content}.
 */
@NullMarked
package podvm.image;

import org.jspecify.annotations.NullMarked;
