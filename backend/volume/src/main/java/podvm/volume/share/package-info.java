/**
 * Directories of the host for guests: a server of FUSE messages that never leaves a share's tree.
 *
 * <p>Numbers and layouts are those of linux/fuse.h, protocol 7.38, little-endian.
 */
@NullMarked
package podvm.volume.share;

import org.jspecify.annotations.NullMarked;
