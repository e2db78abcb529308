//! Collects every process that ends: the machine's orphans, and those somebody here waits for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, WaitOptions, WaitStatus};
use tokio::sync::oneshot;

use crate::error::{Doing, Result};
use crate::sys;

/// How a process ended, in the terms of a shell: 128 + signal for a killed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    pub exit_code: i32,
    /// 0: it exited by itself.
    pub signal: u32,
}

impl From<WaitStatus> for Ending {
    fn from(status: WaitStatus) -> Self {
        Self::of(status.exit_status(), status.terminating_signal())
    }
}

impl Ending {
    fn of(exit_code: Option<i32>, signal: Option<i32>) -> Self {
        match signal {
            Some(signal) => Self { exit_code: 128 + signal, signal: signal.unsigned_abs() },
            None => Self { exit_code: exit_code.unwrap_or(0), signal: 0 },
        }
    }
}

#[derive(Clone, Default)]
pub struct Reaper {
    waiting: Arc<Mutex<HashMap<Pid, oneshot::Sender<Ending>>>>,
}

impl Reaper {
    /// To be called right after the start, before anything is awaited: nothing is reaped meanwhile.
    pub fn expect(&self, pid: Pid) -> oneshot::Receiver<Ending> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(pid, sender);
        receiver
    }

    /// Begins to listen; call before the first child is started.
    pub fn start(&self) -> Result<()> {
        let signals = sys::signals::child_ended().doing(|| "listen for ended processes")?;
        let signals = sys::watched::owned(signals).doing(|| "listen for ended processes")?;
        let reaper = self.clone();
        tokio::spawn(async move {
            while let Ok(mut guard) = signals.readable().await {
                // One record of 128 bytes per signal; signals merge, so all ended processes are collected each time.
                let mut record = [0u8; 128];
                if rustix::io::read(signals.get_ref(), &mut record).is_err() {
                    guard.clear_ready();
                }
                reaper.collect();
            }
        });
        Ok(())
    }

    fn collect(&self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
            if let Some(waiting) = waiting {
                let _ = waiting.send(status.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_process_counts_as_128_and_its_signal() {
        assert_eq!(Ending::of(None, Some(9)), Ending { exit_code: 137, signal: 9 });
        assert_eq!(Ending::of(Some(3), None), Ending { exit_code: 3, signal: 0 });
    }
}
