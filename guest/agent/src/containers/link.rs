//! The agent's side of starting a process: its standard streams, and the socket to the copy that prepares it.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use prost::Message;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use rustix::pipe::PipeFlags;
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::error::{Doing, Error, Result};
use crate::launch::channel::frame;
use crate::launch::plan::Report;

const MAX_REPORT: usize = 64 * 1024;

pub struct Link {
    socket: UnixStream,
    received: Vec<u8>,
    descriptor: Option<OwnedFd>,
}

impl Link {
    /// The link and the end for the child.
    pub fn pair() -> Result<(Self, OwnedFd)> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().doing(|| "make a socket pair")?;
        ours.set_nonblocking(true).doing(|| "use a socket")?;
        let link = Self { socket: UnixStream::from_std(ours).doing(|| "use a socket")?, received: Vec::new(), descriptor: None };
        Ok((link, theirs.into()))
    }

    pub async fn send<M: Message>(&self, message: &M) -> Result<()> {
        self.write(&frame(message)).await
    }

    pub async fn start(&self) -> Result<()> {
        self.write(&[1]).await
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let written = self.socket.async_io(Interest::WRITABLE, || self.socket.try_write(bytes)).await;
            bytes = &bytes[written.doing(|| "speak to the new process")?..];
        }
        Ok(())
    }

    /// None when the other end is closed: the program was executed, or the process died.
    pub async fn report(&mut self) -> Result<Option<(Report, Option<OwnedFd>)>> {
        loop {
            if let Some((head, rest)) = self.received.split_first_chunk::<4>() {
                let length = u32::from_ne_bytes(*head) as usize;
                if length > MAX_REPORT {
                    return Err(Error::internal(format!("the new process sent {length} bytes")));
                }
                if let Some(message) = rest.get(..length) {
                    let report = Report::decode(message).doing(|| "decode what the new process says")?;
                    self.received.drain(..4 + length);
                    return Ok(Some((report, self.descriptor.take())));
                }
            }
            if self.receive().await.doing(|| "listen to the new process")? == 0 {
                return Ok(None);
            }
        }
    }

    async fn receive(&mut self) -> io::Result<usize> {
        let socket = &self.socket;
        let (received, descriptor) = (&mut self.received, &mut self.descriptor);
        socket
            .async_io(Interest::READABLE, || {
                let mut bytes = [0u8; 1024];
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut control = RecvAncillaryBuffer::new(&mut space);
                let message =
                    rustix::net::recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
                for part in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = part {
                        *descriptor = descriptors.last();
                    }
                }
                received.extend_from_slice(&bytes[..message.bytes]);
                Ok(message.bytes)
            })
            .await
    }
}

/// Standard streams of a process to be started, and our ends of them.
pub struct Stdio {
    pub theirs: [OwnedFd; 3],
    pub stdin: Option<OwnedFd>,
    /// stdout, stderr; none for a terminal, whose master comes later.
    pub outputs: Option<[OwnedFd; 2]>,
}

impl Stdio {
    pub fn make(stdin: bool, terminal: bool) -> Result<Self> {
        let null = || rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).doing(|| "open /dev/null");
        if terminal {
            return Ok(Self { theirs: [null()?, null()?, null()?], stdin: None, outputs: None });
        }
        let (their_input, stdin) = if stdin {
            let (read, write) = pipe()?;
            set_nonblocking(&write)?;
            (read, Some(write))
        } else {
            (null()?, None)
        };
        let ((out, their_out), (err, their_err)) = (pipe()?, pipe()?);
        set_nonblocking(&out)?;
        set_nonblocking(&err)?;
        Ok(Self { theirs: [their_input, their_out, their_err], stdin, outputs: Some([out, err]) })
    }
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC).doing(|| "make a pipe")
}

/// Only our end: the other one has its own flags.
pub fn set_nonblocking(fd: &OwnedFd) -> Result<()> {
    rustix::fs::fcntl_setfl(fd, OFlags::NONBLOCK).doing(|| "use a pipe")
}
