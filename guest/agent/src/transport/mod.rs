//! How the daemon reaches the agent: one byte stream at a time, whatever the machine offers.

pub mod handshake;
mod outgoing;
pub mod virtio_serial;

use std::io;

/// A place where the daemon connects. vsock and TLS on TCP are to follow.
pub trait Transport {
    type Stream: hyper::rt::Read + hyper::rt::Write + Unpin;

    /// Waits for the daemon; the stream begins with the HTTP/2 preface.
    async fn accept(&mut self) -> io::Result<Self::Stream>;
}
