/**
 * An in-memory stand-in for each port of the engine, with a guest whose containers are lambdas.
 * They fail where a real port would, and know what is open, so that a test can say that nothing is
 * left.
 */
@NullMarked
package podvm.engine.fake;

import org.jspecify.annotations.NullMarked;
