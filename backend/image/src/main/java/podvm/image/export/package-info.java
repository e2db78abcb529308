/**
 * Makes archives again from what the store holds: layer disks back into tars, images into layouts.
 */
@NullMarked
package podvm.image.export;

import org.jspecify.annotations.NullMarked;
