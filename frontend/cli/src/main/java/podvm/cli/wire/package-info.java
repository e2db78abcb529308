/**
 * A gRPC client of one call per connection on a Unix socket (HTTP/2 by RFC 9113, HPACK by RFC
 * 7541). It starts in a few milliseconds where a general one takes more than the rest of the
 * command together. What the server sends is bounded and never trusted.
 */
@NullMarked
package podvm.cli.wire;

import org.jspecify.annotations.NullMarked;
