/** The writable disks of pods. */
@NullMarked
package podvm.volume;

import org.jspecify.annotations.NullMarked;
