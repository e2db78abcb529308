/**
 * Decides whether an image may be used: signature policies and the signatures that they ask for.
 */
@NullMarked
package podvm.image.trust;

import org.jspecify.annotations.NullMarked;
