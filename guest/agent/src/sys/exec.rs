//! Replaces this process by another program.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

use super::clone::{CHANNEL, EXTRA};

/// Returns only when the program could not be executed.
pub fn execve(path: &CStr, args: &[CString], env: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| strings.iter().map(|s| s.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>();
    let (argv, envp) = (pointers(args), pointers(env));
    // SAFETY: both arrays end with a null pointer and point to strings that outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    io::Error::last_os_error()
}

/// Takes the descriptors that the agent handed to this copy of it. To be called once, first of all.
pub fn inherited(extra: bool) -> (OwnedFd, Option<OwnedFd>) {
    // SAFETY: sys::clone placed them at these numbers for this process alone, and this is their only owner.
    unsafe { (OwnedFd::from_raw_fd(CHANNEL), extra.then(|| OwnedFd::from_raw_fd(EXTRA))) }
}

/// Leaves part of what is shared with the parent; `flags` are CLONE_NEW... values.
pub fn unshare_cgroup() -> io::Result<()> {
    // SAFETY: a cgroup namespace changes what paths are shown, nothing that memory safety rests on.
    match unsafe { libc::unshare(libc::CLONE_NEWCGROUP) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes files as this user of the machine from now on; the process stays who it is.
pub fn make_files_as(uid: u32, gid: u32) {
    // SAFETY: both change who owns what is made, nothing that memory safety rests on. They tell no errors.
    unsafe {
        libc::syscall(libc::SYS_setfsgid, gid);
        libc::syscall(libc::SYS_setfsuid, uid);
    }
}

/// Enters the user namespace that this descriptor, or the process of this pidfd, stands for.
pub fn join_users(users: &OwnedFd) -> io::Result<()> {
    // SAFETY: setns changes what this process may do, nothing that memory safety rests on; it has one thread.
    match unsafe { libc::setns(users.as_raw_fd(), libc::CLONE_NEWUSER) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Enters the mount and cgroup namespaces of the process that `pidfd` names.
pub fn join(pidfd: &OwnedFd) -> io::Result<()> {
    // SAFETY: setns changes which files names lead to, nothing that memory safety rests on; this process has one thread.
    match unsafe { libc::setns(pidfd.as_raw_fd(), libc::CLONE_NEWNS | libc::CLONE_NEWCGROUP) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
