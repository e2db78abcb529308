/** The podvm command: what a person or a script asks of the node's daemon. */
@NullMarked
package podvm.cli;

import org.jspecify.annotations.NullMarked;
