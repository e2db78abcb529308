/** The kubelet's door: CRI v1 on top of the engine's pod sandboxes and images. */
@NullMarked
package podvm.cri;

import org.jspecify.annotations.NullMarked;
