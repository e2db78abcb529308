/** Speaks to the process in the guest: {@code podvm.agent.v1} over the machine's byte stream. */
@NullMarked
package podvm.agent;

import org.jspecify.annotations.NullMarked;
