//! One stream of a container's output: what was read and is not yet safe with the daemon.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::error::{Error, Result};

/// Bytes of unacknowledged output after which a stream is not read any more.
const LIMIT: usize = 1 << 20;
/// What a chunk costs besides its bytes, so that a program that writes single bytes fills the queue too.
const OVERHEAD: usize = 128;
/// What one read takes at most.
pub const CHUNK: usize = 32 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub offset: u64,
    pub data: Bytes,
    pub time_unix_ns: u64,
}

impl Chunk {
    fn end(&self) -> u64 {
        self.offset + self.data.len() as u64
    }
}

#[derive(Debug, Default)]
pub struct Queue {
    chunks: VecDeque<Chunk>,
    cost: usize,
    /// Offset of the next byte to be read.
    end: u64,
    acknowledged: u64,
    last_time: u64,
    ended: bool,
}

impl Queue {
    pub fn has_room(&self) -> bool {
        self.cost < LIMIT
    }

    pub fn push(&mut self, data: Bytes, now_unix_ns: u64) {
        self.last_time = now_unix_ns.max(self.last_time + 1);
        self.cost += data.len() + OVERHEAD;
        let chunk = Chunk { offset: self.end, data, time_unix_ns: self.last_time };
        self.end = chunk.end();
        self.chunks.push_back(chunk);
    }

    pub fn close(&mut self) {
        self.ended = true;
    }

    /// Where the stream ended, once it has.
    pub fn ended_at(&self) -> Option<u64> {
        self.ended.then_some(self.end)
    }

    pub fn is_drained(&self) -> bool {
        self.ended && self.acknowledged == self.end
    }

    /// The chunk that holds the byte at `offset`, or the first one behind it.
    pub fn chunk_from(&self, offset: u64) -> Option<&Chunk> {
        let at = self.chunks.partition_point(|c| c.end() <= offset);
        self.chunks.get(at)
    }

    /// All bytes below `offset` are safe.
    pub fn acknowledge(&mut self, offset: u64) -> Result<()> {
        if offset > self.end {
            return Err(Error::invalid(format!("ack.offset: {offset} is beyond the {} bytes there are", self.end)));
        }
        self.acknowledged = self.acknowledged.max(offset);
        while let Some(first) = self.chunks.front_mut() {
            if first.end() <= offset {
                self.cost -= first.data.len() + OVERHEAD;
                self.chunks.pop_front();
                continue;
            }
            if first.offset < offset {
                let cut = usize::try_from(offset - first.offset).unwrap_or(0);
                self.cost -= cut;
                first.data = first.data.slice(cut..);
                first.offset = offset;
            }
            break;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn queue(parts: &[&'static str]) -> Queue {
        let mut queue = Queue::default();
        for part in parts {
            queue.push(Bytes::from_static(part.as_bytes()), 5);
        }
        queue
    }

    #[test]
    fn times_increase_even_when_the_clock_does_not() {
        let queue = queue(&["ab", "c", "d"]);
        let times: Vec<u64> = queue.chunks.iter().map(|c| c.time_unix_ns).collect();
        assert_eq!(times, [5, 6, 7]);
    }

    #[test]
    fn unacknowledged_chunks_come_again_with_the_same_bounds() {
        let mut queue = queue(&["abc", "def", "ghi"]);
        queue.acknowledge(3).unwrap();
        let again = queue.chunk_from(0).unwrap().clone();
        assert_eq!((again.offset, &again.data[..], again.time_unix_ns), (3, b"def".as_slice(), 6));
        assert_eq!(queue.chunk_from(6).unwrap().data, "ghi");
        assert!(queue.chunk_from(9).is_none());
    }

    #[test]
    fn a_partly_acknowledged_chunk_loses_its_head_but_keeps_its_time() {
        let mut queue = queue(&["abcdef"]);
        queue.acknowledge(2).unwrap();
        let rest = queue.chunk_from(0).unwrap();
        assert_eq!((rest.offset, &rest.data[..], rest.time_unix_ns), (2, b"cdef".as_slice(), 5));
        queue.acknowledge(1).unwrap();
        assert_eq!(queue.chunk_from(0).unwrap().offset, 2);
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_there_is_refused() {
        assert!(queue(&["ab"]).acknowledge(3).is_err());
    }

    #[test]
    fn the_stream_is_drained_when_it_ended_and_all_is_acknowledged() {
        let mut queue = queue(&["ab"]);
        queue.close();
        assert!(!queue.is_drained());
        assert_eq!(queue.ended_at(), Some(2));
        queue.acknowledge(2).unwrap();
        assert!(queue.is_drained());
    }

    #[test]
    fn single_bytes_fill_the_queue_before_they_fill_the_memory() {
        let mut queue = Queue::default();
        let mut count = 0;
        while queue.has_room() {
            queue.push(Bytes::from_static(b"x"), 0);
            count += 1;
        }
        assert!(count < 10_000);
        queue.acknowledge(count / 2).unwrap();
        assert!(queue.has_room());
    }
}
