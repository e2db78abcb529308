/** Connects pods. */
@NullMarked
package podvm.network;

import org.jspecify.annotations.NullMarked;
