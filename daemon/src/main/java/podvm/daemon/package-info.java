/** podvmd: configuration, wiring by hand, the event log. Only this package sees all others. */
@NullMarked
package podvm.daemon;

import org.jspecify.annotations.NullMarked;
