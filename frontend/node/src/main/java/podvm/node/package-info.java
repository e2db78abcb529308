/** The node's own API on a Unix socket: what the podvm command asks of podvmd. */
@NullMarked
package podvm.node;

import org.jspecify.annotations.NullMarked;
