/** Containers' logs: the CRI log format, written, read and followed. */
@NullMarked
package podvm.engine.log;

import org.jspecify.annotations.NullMarked;
