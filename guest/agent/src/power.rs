//! The end of the machine.

use std::time::{Duration, Instant};

use rustix::mount::UnmountFlags;
use rustix::system::RebootCommand;

use crate::disks::SCRATCH;
use crate::{log, sys};

/// How long killed processes may hold on to the scratch disk.
const PATIENCE: Duration = Duration::from_secs(3);
/// For the answer to reach the wire.
const ANSWER: Duration = Duration::from_millis(5);

/// Kills everything, writes back what is to be kept and powers off.
pub async fn off() {
    tokio::time::sleep(ANSWER).await;
    sys::signals::kill_everyone();
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
