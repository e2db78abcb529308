/** The journal: one small JSON file per pod, replaced as a whole. */
@NullMarked
package podvm.journal;

import org.jspecify.annotations.NullMarked;
