/** A pod's life: from an accepted specification to the last released host object. */
@NullMarked
package podvm.engine.pod;

import org.jspecify.annotations.NullMarked;
