//! One share's way between the kernel and the daemon: what the daemon has not answered is kept for the next one.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::ControlFlow;

use bytes::Bytes;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::message::{self, EINTR, EIO, Request};
use crate::api::{ShareAnswer, ShareRequest};
use crate::error::{Doing, Error, Kind, Result};
use crate::log;

/// What one request may hold: the kernel wants room for the largest write that was agreed on (1 MiB) and its headers.
const BUFFER: usize = (1 << 20) + 4096;
/// What waits for answers; beyond it requests wait in the kernel.
const MAX_CALLS: usize = 256;
const MAX_BYTES: usize = 8 << 20;
/// So many requests are read before others have their turn.
const TURN: usize = 16;

/// A daemon's call of `ServeShare`.
pub struct Daemon {
    pub answers: Streaming<ShareAnswer>,
    pub requests: mpsc::Sender<std::result::Result<ShareRequest, Status>>,
}

pub struct Pipe {
    name: String,
    device: AsyncFd<OwnedFd>,
    waiting: Waiting,
    daemon: Option<Daemon>,
}

/// Requests that the kernel waits for.
#[derive(Default)]
struct Waiting {
    calls: BTreeMap<u64, Bytes>,
    bytes: usize,
    /// What the present daemon has not been sent yet.
    unsent: VecDeque<ShareRequest>,
}

enum Event {
    Comes(Option<Box<Daemon>>),
    Answered(Bytes),
    Gone,
    Sent,
    Readable,
    Lost(io::Error),
}

impl Pipe {
    pub fn new(name: String, device: OwnedFd) -> Result<Self> {
        let device = crate::sys::watched::owned(device).doing(|| format!("watch the share {name}"))?;
        Ok(Self { name, device, waiting: Waiting::default(), daemon: None })
    }

    /// Ends when nobody can bring a daemon any more, or when the file system has ended.
    pub async fn run(mut self, mut daemons: mpsc::Receiver<Daemon>) {
        loop {
            match self.next(&mut daemons).await {
                Event::Comes(None) => return,
                Event::Comes(Some(daemon)) => self.change(*daemon),
                Event::Answered(answer) => self.answer(&answer),
                Event::Gone => {
                    self.daemon = None;
                    self.waiting.unsent.clear();
                }
                Event::Sent => {}
                Event::Readable => {
                    if let ControlFlow::Break(error) = self.read() {
                        log!("podvm-agent: the share {} has ended: {error}", self.name);
                        return;
                    }
                }
                Event::Lost(error) => {
                    log!("podvm-agent: cannot wait for requests of the share {}: {error}", self.name);
                    return;
                }
            }
        }
    }

    async fn next(&mut self, daemons: &mut mpsc::Receiver<Daemon>) -> Event {
        let room = self.waiting.has_room();
        let Self { device, waiting, daemon, .. } = self;
        let (answers, requests) = match daemon {
            Some(Daemon { answers, requests }) => (Some(answers), Some(requests)),
            None => (None, None),
        };
        let answer = async {
            match answers {
                Some(answers) => answers.message().await,
                None => std::future::pending().await,
            }
        };
        let permit = async {
            match requests {
                Some(requests) => requests.reserve().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            comer = daemons.recv() => Event::Comes(comer.map(Box::new)),
            answer = answer => match answer {
                Ok(Some(answer)) => Event::Answered(answer.data),
                Ok(None) | Err(_) => Event::Gone,
            },
            permit = permit, if !waiting.unsent.is_empty() => {
                if let (Ok(permit), Some(request)) = (permit, waiting.unsent.pop_front()) {
                    permit.send(Ok(request));
                    Event::Sent
                } else {
                    Event::Gone
                }
            }
            ready = device.readable(), if room => match ready {
                Ok(mut ready) => {
                    // Whether there is more is found out by reading.
                    ready.retain_ready();
                    Event::Readable
                }
                Err(error) => Event::Lost(error),
            },
        }
    }

    fn change(&mut self, daemon: Daemon) {
        if let Some(old) = self.daemon.replace(daemon) {
            let error = Error::new(Kind::Aborted, format!("another call serves the share {} now", self.name));
            super::refuse(&old.requests, error);
        }
        self.waiting.send_again();
    }

    fn answer(&mut self, answer: &[u8]) {
        let unique = message::answers(answer);
        let Some(unique) = unique.filter(|unique| self.waiting.answered(*unique)) else {
            // The first message of a call carries the name alone.
            if !answer.is_empty() {
                log!("podvm-agent: share {}: an answer to nothing that was asked", self.name);
            }
            return;
        };
        match rustix::io::write(self.device.get_ref(), answer) {
            // The kernel has given the request up.
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => {
                log!("podvm-agent: share {}: the kernel refuses an answer: {error}", self.name);
                self.fail(unique, EIO);
            }
        }
    }

    fn fail(&self, unique: u64, errno: i32) {
        let _ = rustix::io::write(self.device.get_ref(), &message::error(unique, errno));
    }

    fn read(&mut self) -> ControlFlow<Errno> {
        for _ in 0..TURN {
            if !self.waiting.has_room() {
                break;
            }
            match read_request(&self.device) {
                Ok(request) => self.take(request),
                // NOENT: given up while it was being read.
                Err(Errno::INTR | Errno::NOENT) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }

    fn take(&mut self, bytes: Bytes) {
        match message::request(&bytes) {
            Some(Request::Call(unique)) => self.waiting.called(unique, bytes, self.daemon.is_some()),
            // A daemon that comes later begins without what this would have it forget.
            Some(Request::Forget) if self.daemon.is_some() => self.waiting.unsent.push_back(ShareRequest { data: bytes, again: false }),
            Some(Request::Forget) | None => {}
            // What the daemon is at work on, it finishes: a local file system cannot be interrupted either.
            Some(Request::Interrupt(unique)) => {
                if self.waiting.give_up(unique, self.daemon.is_some()) {
                    self.fail(unique, EINTR);
                }
            }
        }
    }
}

fn read_request(device: &AsyncFd<OwnedFd>) -> rustix::io::Result<Bytes> {
    thread_local! {
        // One for all shares; pages that no request ever filled take no memory.
        static BUFFER_OF_ALL: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; BUFFER]);
    }
    BUFFER_OF_ALL.with_borrow_mut(|buffer| {
        // The registration learns here that there is nothing more to read.
        let read = device.try_io(Interest::READABLE, |device| match rustix::io::read(device, &mut buffer[..]) {
            Err(Errno::AGAIN) => Err(io::ErrorKind::WouldBlock.into()),
            other => Ok(other),
        });
        let size = read.unwrap_or(Err(Errno::AGAIN))?;
        Ok(Bytes::copy_from_slice(&buffer[..size]))
    })
}

impl Waiting {
    fn has_room(&self) -> bool {
        self.calls.len() < MAX_CALLS && self.bytes < MAX_BYTES && self.unsent.len() < 2 * MAX_CALLS
    }

    fn called(&mut self, unique: u64, data: Bytes, send: bool) {
        self.bytes += data.len();
        if send {
            self.unsent.push_back(ShareRequest { data: data.clone(), again: false });
        }
        self.calls.insert(unique, data);
    }

    /// False for what was not asked, or answered before.
    fn answered(&mut self, unique: u64) -> bool {
        let call = self.calls.remove(&unique);
        self.bytes -= call.as_ref().map_or(0, Bytes::len);
        call.is_some()
    }

    /// Whether nobody will answer the request unless this side does.
    fn give_up(&mut self, unique: u64, served: bool) -> bool {
        let unsent = self.unsent.iter().position(|r| message::request(&r.data) == Some(Request::Call(unique)));
        if let Some(at) = unsent {
            self.unsent.remove(at);
        }
        (unsent.is_some() || !served) && self.answered(unique)
    }

    fn send_again(&mut self) {
        self.unsent = self.calls.values().map(|data| ShareRequest { data: data.clone(), again: true }).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::message::tests::call;
    use super::*;

    fn lookup(unique: u64) -> Bytes {
        Bytes::from(call(1, unique, b"a\0"))
    }

    #[test]
    fn what_was_not_answered_is_sent_again_in_order_and_marked() {
        let mut waiting = Waiting::default();
        for unique in [2, 4, 6] {
            waiting.called(unique, lookup(unique), true);
        }
        waiting.unsent.clear();
        assert!(waiting.answered(4));
        waiting.send_again();
        let again: Vec<_> = waiting.unsent.iter().map(|r| (message::request(&r.data), r.again)).collect();
        assert_eq!(again, [(Some(Request::Call(2)), true), (Some(Request::Call(6)), true)]);
    }

    #[test]
    fn only_the_first_answer_counts() {
        let mut waiting = Waiting::default();
        waiting.called(2, lookup(2), true);
        assert!(waiting.answered(2));
        assert!(!waiting.answered(2));
        assert_eq!(waiting.bytes, 0);
    }

    #[test]
    fn a_request_that_no_daemon_has_seen_is_given_up_when_interrupted() {
        let mut waiting = Waiting::default();
        waiting.called(2, lookup(2), false);
        assert!(waiting.give_up(2, false));
        waiting.called(4, lookup(4), true);
        assert!(waiting.give_up(4, true));
        assert!(waiting.unsent.is_empty());
        waiting.called(6, lookup(6), true);
        waiting.unsent.clear();
        assert!(!waiting.give_up(6, true));
    }

    #[test]
    fn many_or_large_requests_wait_in_the_kernel() {
        let mut waiting = Waiting::default();
        for unique in 0..MAX_CALLS as u64 {
            assert!(waiting.has_room());
            waiting.called(unique, lookup(unique), false);
        }
        assert!(!waiting.has_room());
        let mut waiting = Waiting::default();
        waiting.called(2, Bytes::from(vec![0; MAX_BYTES]), false);
        assert!(!waiting.has_room());
    }
}
