/** Connects pods by CNI plugins: the specification 1.1 of the Container Network Interface. */
@NullMarked
package podvm.network.cni;

import org.jspecify.annotations.NullMarked;
