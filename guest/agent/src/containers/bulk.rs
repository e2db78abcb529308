//! Streams that carry much.
//!
//! With one CPU a program that writes page after page would be displaced by this process at each of them. So while a stream carries
//! much the agent is patient, and the pipe holds more than the usual 64 KiB: both sides then do more in a turn.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sys::schedule;

/// A read of so much tells of more to come.
pub const MUCH: usize = 4 << 10;
const PIPE: usize = 256 << 10;
/// What is read at once from a wide pipe.
pub const PIECE: usize = 96 << 10;
/// Each holds a pipe and four pieces: 12 MiB at most, and only while nobody takes them.
const MOST_WIDE: usize = 16;

static PATIENT: AtomicUsize = AtomicUsize::new(0);
static WIDE: AtomicUsize = AtomicUsize::new(0);

/// One direction of one stream.
#[derive(Default)]
pub struct Bulk {
    patient: bool,
    wide: bool,
}

impl Bulk {
    /// To be told of each piece; whether the next may be a large one.
    pub fn carried(&mut self, size: usize, pipe: impl AsFd) -> bool {
        let much = size >= MUCH;
        if much != self.patient {
            self.patient = much;
            count(much);
        }
        if much && !self.wide {
            self.wide = widen(pipe);
        }
        self.wide
    }

    /// Nothing is there at the moment.
    fn paused(&mut self) {
        if std::mem::take(&mut self.patient) {
            count(false);
        }
    }
}

impl Drop for Bulk {
    fn drop(&mut self) {
        self.paused();
        if self.wide {
            WIDE.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn count(more: bool) {
    if more {
        if PATIENT.fetch_add(1, Ordering::Relaxed) == 0 {
            schedule::patient(true);
        }
    } else if PATIENT.fetch_sub(1, Ordering::Relaxed) == 1 {
        schedule::patient(false);
    }
}

/// Terminals and sockets stay as they are.
fn widen(pipe: impl AsFd) -> bool {
    let room = WIDE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < MOST_WIDE).then_some(n + 1));
    if room.is_err() {
        return false;
    }
    if rustix::pipe::fcntl_setpipe_size(pipe, PIPE).is_err() {
        WIDE.fetch_sub(1, Ordering::Relaxed);
        return false;
    }
    true
}
