/**
 * Holds images: fetches or loads them, and turns each of their layers into one layer disk, which is
 * the work of {@link podvm.image.layer}.
 */
@NullMarked
package podvm.image;

import org.jspecify.annotations.NullMarked;
