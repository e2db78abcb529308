/** Boots virtual machines; here what every VMM on this node shares, a package below per VMM. */
@NullMarked
package podvm.machine;

import org.jspecify.annotations.NullMarked;
