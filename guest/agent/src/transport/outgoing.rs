//! What the daemon is sent, gathered for a moment.
//!
//! Each write to the port leaves the machine, which costs more than to copy a page. HTTP/2 writes the head of a frame and its body
//! apart, and flushes after each frame; so the port is written by a task of its own, whose turn comes when those have had theirs that
//! were ready before it.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use rustix::fd::OwnedFd;
use tokio::io::unix::AsyncFd;

/// The driver's largest write.
const WRITE: usize = 32 << 10;
/// Nothing is put behind so much until it is written.
const ROOM: usize = 2 * WRITE;

type Port = AsyncFd<Arc<OwnedFd>>;

pub struct Outgoing {
    port: Port,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// Of `bytes`.
    written: usize,
    /// Nothing is written any more.
    broken: bool,
    /// Waits for room.
    putter: Option<Waker>,
    /// Waits for something to write.
    writer: Option<Waker>,
}

impl Outgoing {
    pub fn new(port: Port) -> Self {
        Self { port, queue: Mutex::default() }
    }

    pub fn port(&self) -> &Port {
        &self.port
    }

    /// Begins to write what is put. The task lets go of the port with the last one who holds it.
    pub fn start(this: &Arc<Self>) {
        let weak: Weak<Self> = Arc::downgrade(this);
        tokio::spawn(std::future::poll_fn(move |cx| weak.upgrade().map_or(Poll::Ready(()), |out| out.poll_write(cx))));
    }

    pub fn end(&self) {
        let mut queue = self.queue();
        queue.broken = true;
        wake(&mut queue.writer);
    }

    /// Before `start`.
    pub async fn write_now(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = std::future::poll_fn(|cx| self.poll_port(cx, bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    pub fn poll_put(&self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut queue = self.queue();
        if queue.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut put = 0;
        for part in parts {
            let room = ROOM.saturating_sub(queue.bytes.len());
            let size = room.min(part.len());
            queue.bytes.extend_from_slice(&part[..size]);
            put += size;
        }
        if put == 0 && parts.iter().any(|part| !part.is_empty()) {
            queue.putter = Some(cx.waker().clone());
            return Poll::Pending;
        }
        wake(&mut queue.writer);
        Poll::Ready(Ok(put))
    }

    /// Ends when the connection does.
    fn poll_write(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue();
        while !queue.broken && queue.written < queue.bytes.len() {
            let end = queue.bytes.len().min(queue.written + WRITE);
            match self.poll_port(cx, &queue.bytes[queue.written..end]) {
                Poll::Ready(Ok(size)) => queue.written += size,
                Poll::Ready(Err(_)) => queue.broken = true,
                Poll::Pending => return Poll::Pending,
            }
        }
        queue.bytes.clear();
        queue.written = 0;
        wake(&mut queue.putter);
        if queue.broken {
            return Poll::Ready(());
        }
        queue.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_port(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = std::task::ready!(self.port.poll_write_ready(cx))?;
            if let Ok(result) = guard.try_io(|port| Ok(rustix::io::write(port.get_ref(), bytes)?)) {
                return Poll::Ready(result);
            }
            // A hang-up counts as writable for ever, but the port takes nothing until the host is back.
            if guard.ready().is_write_closed() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
    }

    /// A socket keeps the bounds of what is written.
    fn pair() -> (Arc<Outgoing>, tokio::net::UnixDatagram) {
        let (ours, theirs) = std::os::unix::net::UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let port = crate::sys::watched::shared(Arc::new(ours.into())).unwrap();
        (Arc::new(Outgoing::new(port)), tokio::net::UnixDatagram::from_std(theirs).unwrap())
    }

    async fn put(out: &Outgoing, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let size = std::future::poll_fn(|cx| out.poll_put(cx, &[IoSlice::new(bytes)])).await.unwrap();
            bytes = &bytes[size..];
        }
    }

    #[test]
    fn what_is_put_in_one_turn_is_written_at_once() {
        run(async {
            let (out, port) = pair();
            Outgoing::start(&out);
            put(&out, b"head").await;
            put(&out, b"body").await;
            let mut read = [0; 100];
            let size = port.recv(&mut read).await.unwrap();
            assert_eq!(&read[..size], b"headbody");
        });
    }

    #[test]
    fn all_arrives_in_order_though_it_is_more_than_there_is_room_for() {
        run(async {
            let (out, port) = pair();
            Outgoing::start(&out);
            let sent: Vec<u8> = (0..5 * ROOM + 7).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let expected = sent.clone();
            let reader = tokio::spawn(async move {
                let mut read = Vec::new();
                let mut piece = vec![0; WRITE];
                while read.len() < expected.len() {
                    let size = port.recv(&mut piece).await.unwrap();
                    read.extend_from_slice(&piece[..size]);
                }
                assert!(read == expected, "other bytes arrived than were sent");
            });
            put(&out, &sent).await;
            reader.await.unwrap();
        });
    }

    #[test]
    fn a_port_that_nobody_reads_holds_the_sender_back() {
        run(async {
            let (out, _port) = pair();
            Outgoing::start(&out);
            let all = vec![0; 64 << 20];
            let filling = tokio::time::timeout(std::time::Duration::from_millis(200), put(&out, &all));
            assert!(filling.await.is_err());
            assert!(out.queue().bytes.capacity() <= 2 * ROOM);
        });
    }

    #[test]
    fn after_its_end_nothing_is_taken() {
        run(async {
            let (out, _port) = pair();
            Outgoing::start(&out);
            out.end();
            tokio::task::yield_now().await;
            let put = std::future::poll_fn(|cx| out.poll_put(cx, &[IoSlice::new(b"x")])).await;
            assert_eq!(put.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        });
    }
}
