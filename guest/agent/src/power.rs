//! The end of the machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::mount::UnmountFlags;
use rustix::system::RebootCommand;

use crate::disks::SCRATCH;
use crate::shares::Shares;
use crate::{log, sys};

/// How long killed processes may hold on to the scratch disk.
const PATIENCE: Duration = Duration::from_secs(3);
/// A thread that makes one system call.
const STACK: usize = 64 * 1024;
/// For the answer to reach the wire.
const ANSWER: Duration = Duration::from_millis(5);

/// Kills everything, writes back what is to be kept and powers off.
pub async fn off(shares: Arc<Shares>) {
    tokio::time::sleep(ANSWER).await;
    sys::signals::kill_everyone();
    if shares.any().await {
        write_back_shares().await;
        shares.end_all().await;
    }
    rustix::fs::sync();
    let start = Instant::now();
    while crate::sandbox::is_mounted(SCRATCH) && rustix::mount::unmount(SCRATCH, UnmountFlags::empty()).is_err() {
        if start.elapsed() > PATIENCE {
            log!("podvm-agent: {SCRATCH} is still in use; powering off without unmounting it");
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    rustix::fs::sync();
    for command in [RebootCommand::PowerOff, RebootCommand::Restart] {
        if let Err(e) = rustix::system::reboot(command) {
            log!("podvm-agent: cannot end the machine ({command:?}): {e}");
        }
    }
}

/// What programs have changed in files of shares by mmap; only the daemon can take it, and this thread has to bring it there.
async fn write_back_shares() {
    let (done, written) = tokio::sync::oneshot::channel();
    let sync = move || {
        rustix::fs::sync();
        let _ = done.send(());
    };
    if std::thread::Builder::new().stack_size(STACK).spawn(sync).is_ok() && tokio::time::timeout(PATIENCE, written).await.is_err() {
        log!("podvm-agent: the daemon does not take what is changed in shares; powering off without it");
    }
}
