//! Starts a copy of this program as a new process.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;

/// Where a child finds its end of the channel to the agent.
pub const CHANNEL: RawFd = 3;
/// Where a child finds the one further descriptor it may be given.
pub const EXTRA: RawFd = 4;

pub struct Child<'a> {
    /// `argv[0]` of the copy, by which it knows its part.
    pub name: &'a CStr,
    pub cgroup: BorrowedFd<'a>,
    /// New ones to begin with: a sum of CLONE_NEW... values.
    pub namespaces: libc::c_int,
    pub stdio: [BorrowedFd<'a>; 3],
    pub channel: BorrowedFd<'a>,
    pub extra: Option<BorrowedFd<'a>>,
}

pub struct Started {
    pub pid: Pid,
    pub pidfd: OwnedFd,
}

impl Child<'_> {
    /// The caller must have no descriptor numbered 0 to 4 among those it passes.
    pub fn start(&self) -> io::Result<Started> {
        let mut pidfd: RawFd = -1;
        let flags = u64::from((libc::CLONE_PIDFD | self.namespaces).unsigned_abs()) | CLONE_INTO_CGROUP;
        let args = CloneArgs {
            flags,
            pidfd: (&raw mut pidfd) as u64,
            exit_signal: u64::from(libc::SIGCHLD.unsigned_abs()),
            cgroup: u64::from(self.cgroup.as_raw_fd().unsigned_abs()),
            ..CloneArgs::default()
        };
        // SAFETY: without CLONE_VM this is fork(): the child has its own copy of all memory. It makes nothing but system calls
        // until execve or _exit, so locks that another thread of the parent held are never touched.
        let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<CloneArgs>()) };
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => self.become_copy(),
            pid => {
                let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
                // SAFETY: the kernel has just opened it for us and nobody else knows the number.
                let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
                Ok(Started { pid, pidfd })
            }
        }
    }

    fn become_copy(&self) -> ! {
        // SAFETY: plain system calls on numbers and on memory that this process owns; the strings end with NUL, the arrays with
        // a null pointer.
        unsafe {
            let mut moves = [
                (self.stdio[0].as_raw_fd(), 0),
                (self.stdio[1].as_raw_fd(), 1),
                (self.stdio[2].as_raw_fd(), 2),
                (self.channel.as_raw_fd(), CHANNEL),
                (-1, EXTRA),
            ];
            if let Some(extra) = self.extra {
                moves[4].0 = extra.as_raw_fd();
            }
            for (from, to) in moves {
                if from >= 0 {
                    libc::dup2(from, to);
                } else {
                    libc::close(to);
                }
            }
            libc::syscall(libc::SYS_close_range, EXTRA + 1, u32::MAX, 0);
            let none: libc::sigset_t = std::mem::zeroed();
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            let argv = [self.name.as_ptr(), std::ptr::null()];
            let envp = [std::ptr::null()];
            libc::execve(c"/proc/self/exe".as_ptr(), argv.as_ptr(), envp.as_ptr());
            libc::_exit(126)
        }
    }
}

/// From linux/sched.h (Linux 5.7); the libc crate has it for some targets only.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// `struct clone_args` of linux/sched.h.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Starts the child in the process id namespace of the process that `pidfd` names. It stays our own child, so we learn how it ends.
pub fn start_beside(child: &Child<'_>, pidfd: BorrowedFd<'_>) -> io::Result<Started> {
    use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
    let own = rustix::fs::open("/proc/self/ns/pid", rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
    move_into_thread_name_spaces(pidfd, ThreadNameSpaceType::PROCESS_ID)?;
    let started = child.start();
    // Without the way back every later child would land in that container: better no machine than that.
    if let Err(e) = move_into_thread_name_spaces(std::os::fd::AsFd::as_fd(&own), ThreadNameSpaceType::PROCESS_ID) {
        panic!("cannot return to the machine's process id namespace: {e}");
    }
    started
}
