/** The one door to the kernel: native calls behind objects that are closed by their owner. */
@NullMarked
package podvm.linux;

import org.jspecify.annotations.NullMarked;
