//! Signals: as a readable descriptor for the agent, as they were at boot for a program about to start.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

use rustix::process::Pid;

/// Becomes readable when a child has ended. Blocks SIGCHLD in this thread and those it starts.
pub fn child_ended() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by sigemptyset before use; the new descriptor has no other owner.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        match libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// Rust's start-up code ignores SIGPIPE, which a program would inherit.
pub fn restore_defaults() {
    // SAFETY: SIG_DFL is a valid disposition and no handler of ours is replaced.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Children that end are reaped by the kernel.
pub fn ignore_children() {
    // SAFETY: SIG_IGN is a valid disposition and no handler of ours is replaced.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// `signal` may be any number, also a real-time signal.
pub fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: kill touches no memory; a positive pid names one process.
    match unsafe { libc::kill(pid.as_raw_nonzero().get(), signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// All processes but this one (and kernel threads), as only process 1 may.
pub fn kill_everyone() {
    // SAFETY: as above; -1 means every process.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}
