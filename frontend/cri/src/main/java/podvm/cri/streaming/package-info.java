/**
 * The server to which the kubelet's clients are sent for exec, attach and port-forward: SPDY/3.1
 * and WebSocket on one side, a container's streams or a port of a pod on the other.
 */
@NullMarked
package podvm.cri.streaming;

import org.jspecify.annotations.NullMarked;
