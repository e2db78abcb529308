/** Machines run by QEMU's microvm. */
@NullMarked
package podvm.machine.qemu;

import org.jspecify.annotations.NullMarked;
