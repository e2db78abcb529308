/**
 * What a pod is: specifications, states, events and the ports that do the work. Depends on the JDK
 * alone.
 */
@NullMarked
package podvm.engine;

import org.jspecify.annotations.NullMarked;
