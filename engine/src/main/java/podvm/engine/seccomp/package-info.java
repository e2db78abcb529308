/** Profiles of system calls and the programs that the guest's kernel runs for them. */
@NullMarked
package podvm.engine.seccomp;

import org.jspecify.annotations.NullMarked;
