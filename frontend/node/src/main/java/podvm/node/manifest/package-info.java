/** Reads Kubernetes manifests into the engine's pods; nothing in them is ignored silently. */
@NullMarked
package podvm.node.manifest;

import org.jspecify.annotations.NullMarked;
