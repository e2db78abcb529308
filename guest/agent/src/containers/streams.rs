//! Reads what containers write, feeds what they read, and hands output to the daemon.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::fd::OwnedFd;
use rustix::time::ClockId;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

use crate::api::{OutputChunk, OutputStream, ReadOutputRequest, read_output_request};
use crate::error::{Error, Kind, Result};
use crate::shares::aside;

use super::Container;
use super::output::{CHUNK, Queue};

/// Where every read lands first, but for one beside another that waits for its pipe.
static READ_BUFFER: Mutex<[u8; CHUNK]> = Mutex::new([0; CHUNK]);

/// A terminal that nobody holds any more reads as an error.
pub fn read_some(fd: &OwnedFd) -> io::Result<Bytes> {
    let Ok(mut buffer) = READ_BUFFER.try_lock() else {
        return read_into(fd, &mut vec![0; CHUNK]);
    };
    read_into(fd, buffer.as_mut_slice())
}

fn read_into(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<Bytes> {
    match rustix::io::read(fd, &mut *buffer) {
        Ok(size) => Ok(Bytes::copy_from_slice(&buffer[..size])),
        Err(rustix::io::Errno::IO) => Ok(Bytes::new()),
        Err(e) => Err(e.into()),
    }
}

/// Takes all that is there, up to `most`.
pub fn read_much(fd: &OwnedFd, most: usize) -> io::Result<Bytes> {
    let there = rustix::io::ioctl_fionread(fd).map_or(0, |n| usize::try_from(n).unwrap_or(0));
    if there <= CHUNK {
        return read_some(fd);
    }
    let mut data = Vec::with_capacity(there.min(most));
    rustix::io::read(fd, rustix::buffer::spare_capacity(&mut data))?;
    Ok(data.into())
}

/// Waits while the reader's pipe is full. False when there is no reader any more.
pub async fn write_all(fd: &Arc<AsyncFd<OwnedFd>>, mut bytes: Bytes) -> bool {
    while !bytes.is_empty() {
        let Ok(mut guard) = fd.writable().await else {
            return false;
        };
        let data = bytes.clone();
        match aside(fd, move |fd| Ok(rustix::io::write(fd, &data)?)).await {
            Ok(written) => drop(bytes.split_to(written)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
            Err(_) => return false,
        }
    }
    true
}

pub fn now_unix_ns() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Realtime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// stdout and stderr of one container.
pub struct Streams {
    queues: [Mutex<Queue>; 2],
    /// Counts everything that may matter to a reader or a pump.
    changed: watch::Sender<u64>,
    /// Number of the newest reader; older ones end.
    reader: Mutex<u64>,
}

impl Streams {
    pub fn new() -> Self {
        Self { queues: Default::default(), changed: watch::Sender::new(0), reader: Mutex::new(0) }
    }

    fn queue(&self, index: usize) -> MutexGuard<'_, Queue> {
        self.queues[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn wake(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub fn close(&self, index: usize) {
        self.queue(index).close();
        self.wake();
    }

    /// Moves what the container writes into the queue, as long as there is room.
    pub async fn pump(self: Arc<Self>, index: usize, source: Arc<AsyncFd<OwnedFd>>) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if !self.queue(index).has_room() {
                if changed.changed().await.is_err() {
                    break;
                }
                continue;
            }
            let Ok(mut guard) = source.readable().await else {
                break;
            };
            match aside(&source, read_some).await {
                Ok(data) if data.is_empty() => break,
                Ok(data) => {
                    self.queue(index).push(data, now_unix_ns());
                    self.wake();
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                Err(_) => break,
            }
        }
        self.close(index);
    }

    fn drained(&self) -> bool {
        (0..2).all(|i| self.queue(i).is_drained())
    }

    fn acknowledge(&self, stream: OutputStream, offset: u64) -> Result<()> {
        let index = match stream {
            OutputStream::Stdout => 0,
            OutputStream::Stderr => 1,
            OutputStream::Unspecified => return Err(Error::invalid("ack.stream: missing")),
        };
        self.queue(index).acknowledge(offset)?;
        self.wake();
        Ok(())
    }
}

/// How far one reader has got.
#[derive(Default, Clone, Copy)]
struct Cursor {
    offset: u64,
    eof_sent: bool,
}

/// The earlier of the two streams' next chunks; then their ends.
fn next_chunk(streams: &Streams, cursors: &mut [Cursor; 2]) -> Option<OutputChunk> {
    let mut best: Option<OutputChunk> = None;
    for (index, cursor) in cursors.iter().enumerate() {
        let queue = streams.queue(index);
        let candidate = match (queue.chunk_from(cursor.offset), queue.ended_at()) {
            (Some(chunk), _) => OutputChunk {
                stream: stream_of(index),
                offset: chunk.offset,
                data: chunk.data.clone(),
                time_unix_ns: chunk.time_unix_ns,
                eof: false,
            },
            (None, Some(end)) if !cursor.eof_sent => {
                OutputChunk { stream: stream_of(index), offset: end, time_unix_ns: u64::MAX, eof: true, ..OutputChunk::default() }
            }
            _ => continue,
        };
        if best.as_ref().is_none_or(|b| candidate.time_unix_ns < b.time_unix_ns) {
            best = Some(candidate);
        }
    }
    if let Some(chunk) = &mut best {
        let cursor = &mut cursors[usize::from(chunk.stream != stream_of(0))];
        cursor.offset = chunk.offset + chunk.data.len() as u64;
        if chunk.eof {
            cursor.eof_sent = true;
            chunk.time_unix_ns = now_unix_ns();
        }
    }
    best
}

fn stream_of(index: usize) -> i32 {
    if index == 0 { OutputStream::Stdout.into() } else { OutputStream::Stderr.into() }
}

/// Serves one ReadOutput call until the container is gone and drained, another reader takes over, or the daemon leaves.
pub async fn serve_output(
    container: Arc<Container>,
    mut requests: Streaming<ReadOutputRequest>,
    out: mpsc::Sender<Result<OutputChunk, Status>>,
) {
    let streams = &container.streams;
    let mine = {
        let mut newest = streams.reader.lock().unwrap_or_else(PoisonError::into_inner);
        *newest += 1;
        *newest
    };
    streams.wake();
    let mut changed = streams.changed.subscribe();
    let mut cursors = [Cursor::default(); 2];
    let mut next = None;
    let mut may_acknowledge = true;
    loop {
        changed.mark_unchanged();
        if *streams.reader.lock().unwrap_or_else(PoisonError::into_inner) != mine {
            let status = Error::new(Kind::Aborted, format!("another call reads the output of container {}", container.id));
            let _ = out.send(Err(status.into())).await;
            return;
        }
        if next.is_none() {
            next = next_chunk(streams, &mut cursors);
        }
        if next.is_none() && (container.is_removed() || (container.has_ended() && streams.drained())) {
            return;
        }
        tokio::select! {
            biased;
            request = requests.message(), if may_acknowledge => match request {
                Ok(Some(ReadOutputRequest { message: Some(read_output_request::Message::Ack(ack)) })) => {
                    if let Err(e) = streams.acknowledge(ack.stream(), ack.offset) {
                        let _ = out.send(Err(e.into())).await;
                        return;
                    }
                }
                Ok(Some(_)) => {
                    let _ = out.send(Err(Error::invalid("message: only acknowledgements follow the first message").into())).await;
                    return;
                }
                Ok(None) => may_acknowledge = false,
                Err(_) => return,
            },
            permit = out.reserve(), if next.is_some() => match permit {
                Ok(permit) => {
                    if let Some(chunk) = next.take() {
                        permit.send(Ok(chunk));
                    }
                }
                Err(_) => return,
            },
            _ = changed.changed() => {}
            () = out.closed() => return,
        }
    }
}
