/** Black-box tests: they know the podvm command, its sockets and files, and boot real machines. */
@NullMarked
package podvm.e2e;

import org.jspecify.annotations.NullMarked;
