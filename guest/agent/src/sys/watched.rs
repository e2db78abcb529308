//! Descriptors that the runtime waits for.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::io::unix::AsyncFd;

pub fn owned(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd names the same open descriptor until it is dropped, and the AsyncFd lends it out only as shared.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

pub fn shared(fd: Arc<OwnedFd>) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    // SAFETY: as above; the count keeps the descriptor open for as long as it is registered.
    Ok(unsafe { AsyncFd::register(fd) }?)
}
