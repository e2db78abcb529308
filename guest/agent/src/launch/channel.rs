//! The copy's end of the socket to the agent. Frames are a length (4 bytes, native order) and a message.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use prost::Message;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::error::{Doing, Error, Result};

/// The wire allows 4 MiB for a request; a plan is never larger than the request it comes from by more than paths.
const MAX: usize = 5 << 20;

pub struct Channel(UnixStream);

impl Channel {
    pub fn new(socket: OwnedFd) -> Self {
        // Closed by a successful execve, which is how the agent learns of it.
        let _ = rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC);
        Self(socket.into())
    }

    pub fn receive<M: Message + Default>(&self) -> Result<M> {
        let mut length = [0u8; 4];
        (&self.0).read_exact(&mut length).doing(|| "read the plan's length")?;
        let length = u32::from_ne_bytes(length) as usize;
        if length > MAX {
            return Err(Error::internal(format!("a plan of {length} bytes is too large")));
        }
        let mut bytes = vec![0; length];
        (&self.0).read_exact(&mut bytes).doing(|| "read the plan")?;
        M::decode(bytes.as_slice()).doing(|| "decode the plan")
    }

    /// The agent may be gone; then there is nobody to tell.
    pub fn send<M: Message>(&self, message: &M, descriptor: Option<&OwnedFd>) {
        let bytes = frame(message);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors;
        if let Some(descriptor) = descriptor {
            descriptors = [descriptor.as_fd()];
            control.push(SendAncillaryMessage::ScmRights(&descriptors));
        }
        let sent = rustix::net::sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL).unwrap_or(bytes.len());
        let _ = (&self.0).write_all(&bytes[sent..]);
    }

    /// False when the agent closed the channel instead.
    pub fn wait_for_start(&self) -> bool {
        (&self.0).read_exact(&mut [0]).is_ok()
    }
}

pub fn frame<M: Message>(message: &M) -> Vec<u8> {
    let length = message.encoded_len();
    let mut bytes = Vec::with_capacity(length + 4);
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
    message.encode_raw(&mut bytes);
    bytes
}
