/**
 * What reading a stranger's content takes: streams that check it, parsers that take it as it is,
 * and the refusal that passes through code which knows IOExceptions alone. It knows none of the
 * other packages here.
 */
@NullMarked
package podvm.image.content;

import org.jspecify.annotations.NullMarked;
