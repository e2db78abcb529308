/**
 * Fetches manifests and blobs from registries (OCI distribution specification 1.1, Docker registry
 * HTTP API V2).
 */
@NullMarked
package podvm.image.registry;

import org.jspecify.annotations.NullMarked;
