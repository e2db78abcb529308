/**
 * Benchmarks: PodVM against a control, alternating in one run, told as ratios. docs/benchmarks.md
 * has the method.
 */
@NullMarked
package podvm.bench;

import org.jspecify.annotations.NullMarked;
