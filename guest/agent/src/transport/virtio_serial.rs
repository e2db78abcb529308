//! The named port of a virtio serial device.
//!
//! While nobody is connected on the host's side the port reads as ended and polls as hung up, so waiting means asking again.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::ReadBufCursor;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};

use super::Transport;
use super::handshake::{Found, Scanner, is_line};
use super::outgoing::Outgoing;

const PORT_NAME: &str = "podvm.agent";
const PORTS: &str = "/sys/class/virtio-ports";
/// What is taken at a time, if it is there. The driver hands over at most a page with each read.
const BUFFER: usize = 64 << 10;
const PAGE: usize = 4 << 10;

pub struct VirtioSerial {
    port: Arc<OwnedFd>,
    /// A line that interrupted the last connection, to be answered in the next.
    interruption: Arc<Mutex<Vec<u8>>>,
}

impl VirtioSerial {
    /// Waits until the driver shows the port.
    pub async fn find() -> io::Result<Self> {
        let mut pause = Pause::new(Duration::from_millis(1));
        loop {
            if let Some(device) = device() {
                match rustix::fs::open(&device, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
                    Ok(port) => {
                        return Ok(Self { port: Arc::new(port), interruption: Arc::default() });
                    }
                    Err(rustix::io::Errno::NOENT) => {}
                    Err(e) => return Err(io::Error::other(format!("cannot open {device}: {e}"))),
                }
            }
            pause.wait().await;
        }
    }

    fn hung_up(&self) -> bool {
        let mut poll = [PollFd::new(&self.port, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut poll, Some(&now)).is_ok() && poll[0].revents().contains(PollFlags::HUP)
    }
}

fn device() -> Option<String> {
    std::fs::read_dir(PORTS).ok()?.flatten().find_map(|port| {
        let name = std::fs::read_to_string(port.path().join("name")).ok()?;
        (name.trim_end() == PORT_NAME).then(|| format!("/dev/{}", port.file_name().to_string_lossy()))
    })
}

impl Transport for VirtioSerial {
    type Stream = Stream;

    async fn accept(&mut self) -> io::Result<Stream> {
        let mut pause = Pause::new(Duration::from_millis(1));
        let mut scanner = Scanner::default();
        scanner.feed(&std::mem::take(&mut *self.interruption.lock().unwrap_or_else(PoisonError::into_inner)));
        loop {
            while self.hung_up() {
                pause.wait().await;
            }
            let mut stream = Stream {
                // Made anew each time: a registration that has seen a hang-up stays hung up.
                out: Arc::new(Outgoing::new(crate::sys::watched::shared(self.port.clone())?)),
                interruption: self.interruption.clone(),
                buffer: vec![0; BUFFER].into_boxed_slice(),
                filled: 0..0,
                last: 0..0,
            };
            if stream.shake_hands(&mut scanner).await? {
                Outgoing::start(&stream.out);
                return Ok(stream);
            }
            pause.wait().await;
        }
    }
}

pub struct Stream {
    out: Arc<Outgoing>,
    interruption: Arc<Mutex<Vec<u8>>>,
    buffer: Box<[u8]>,
    /// The part of `buffer` that is read but not yet handed on.
    filled: Range<usize>,
    /// What the last read brought.
    last: Range<usize>,
}

impl Stream {
    /// False when the host went away before HTTP/2 began.
    async fn shake_hands(&mut self, scanner: &mut Scanner) -> io::Result<bool> {
        loop {
            match scanner.next() {
                Found::Answer(line) => self.out.write_now(&line).await?,
                Found::Http2(bytes) => {
                    self.buffer[..bytes.len()].copy_from_slice(&bytes);
                    self.filled = 0..bytes.len();
                    return Ok(true);
                }
                Found::Nothing => {
                    // Half a buffer leaves room for what the scanner keeps.
                    let size = std::future::poll_fn(|cx| self.poll_fill(cx, BUFFER / 2)).await?;
                    if size == 0 {
                        return Ok(false);
                    }
                    scanner.feed(&self.buffer[..size]);
                }
            }
        }
    }

    /// Takes all that is there: who reads page by page parses and wakes page by page.
    fn poll_fill(&mut self, cx: &mut Context<'_>, limit: usize) -> Poll<io::Result<usize>> {
        let mut filled = 0;
        loop {
            let Poll::Ready(guard) = self.out.port().poll_read_ready(cx) else {
                return if filled > 0 { Poll::Ready(Ok(filled)) } else { Poll::Pending };
            };
            let buffer = &mut self.buffer[filled..limit];
            match guard?.try_io(|port| Ok(rustix::io::read(port.get_ref(), buffer)?)) {
                Ok(Ok(size)) => {
                    self.last = filled..filled + size;
                    filled += size;
                    if size == 0 || limit - filled < PAGE || is_line(&self.buffer[self.last.clone()]) {
                        return Poll::Ready(Ok(filled));
                    }
                }
                Ok(Err(_)) if filled > 0 => return Poll::Ready(Ok(filled)),
                Ok(Err(e)) => return Poll::Ready(Err(e)),
                Err(_would_block) => {}
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.out.end();
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut out: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        if stream.filled.is_empty() {
            let size = ready!(stream.poll_fill(cx, BUFFER))?;
            let last = &stream.buffer[stream.last.clone()];
            if is_line(last) {
                *stream.interruption.lock().unwrap_or_else(PoisonError::into_inner) = last.to_vec();
                return Poll::Ready(Ok(()));
            }
            stream.filled = 0..size;
        }
        let size = stream.filled.len().min(out.remaining());
        out.put_slice(&stream.buffer[stream.filled.start..stream.filled.start + size]);
        stream.filled.start += size;
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.out.poll_put(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.out.poll_put(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is put is sent without being asked.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Waits that grow, so that an idle machine stays idle.
struct Pause(Duration);

impl Pause {
    const LONGEST: Duration = Duration::from_millis(50);

    fn new(first: Duration) -> Self {
        Self(first)
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 + self.0 / 8 + Duration::from_micros(100)).min(Self::LONGEST);
    }
}
