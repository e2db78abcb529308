//! A container's standard input.

use std::sync::Arc;

use bytes::Bytes;
use rustix::fd::OwnedFd;
use tokio::io::unix::AsyncFd;
use tonic::Streaming;

use crate::api::WriteInputRequest;
use crate::error::{Error, Kind, Result};

use super::Container;
use super::streams::write_all;

/// A pipe or a terminal that the container reads.
pub struct Input {
    target: Arc<AsyncFd<OwnedFd>>,
    /// Close it when the first writer ends.
    once: bool,
}

impl Input {
    pub fn new(target: Arc<AsyncFd<OwnedFd>>, once: bool) -> Self {
        Self { target, once }
    }
}

/// Feeds the container until the writer ends, or the container reads no more.
pub async fn serve(container: Arc<Container>, first: Bytes, mut requests: Streaming<WriteInputRequest>) -> Result<()> {
    let Ok(mut input) = container.input.try_lock() else {
        return Err(Error::new(Kind::Aborted, format!("another call writes to container {}", container.id)));
    };
    let Some(Input { target, once }) = input.as_ref() else {
        return Err(Error::precondition(format!("container {} has no standard input", container.id)));
    };
    let (target, once) = (target.clone(), *once);
    // Runs also when the call is cancelled in the middle of a wait.
    let mut guard = CloseOnce { input: &mut input, once };
    let _ = &mut guard;
    let mut data = first;
    loop {
        let open = tokio::select! {
            open = write_all(&target, data) => open,
            () = container.wait_for_end() => false,
        };
        if !open {
            return Ok(());
        }
        match requests.message().await {
            Ok(Some(request)) => data = request.data,
            Ok(None) => return Ok(()),
            Err(status) => return Err(Error::new(Kind::Aborted, status.message())),
        }
    }
}

struct CloseOnce<'a> {
    input: &'a mut Option<Input>,
    once: bool,
}

impl Drop for CloseOnce<'_> {
    fn drop(&mut self) {
        if self.once {
            *self.input = None;
        }
    }
}
