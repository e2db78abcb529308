//! The pod's user namespace: one for all containers that have any.

use std::os::fd::AsFd;
use std::sync::{Arc, PoisonError};

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;

use crate::api::UserNamespace;
use crate::cgroup;
use crate::error::{Doing, Error, Result};
use crate::launch;
use crate::sys::clone::Child;

use super::Containers;

/// The process that keeps it, for as long as the machine runs.
pub struct PodUsers {
    pid: Pid,
    wire: UserNamespace,
    /// It ends when this closes.
    _channel: OwnedFd,
}

impl PodUsers {
    /// The namespace in the machine's /proc.
    pub fn path(&self) -> String {
        format!("/proc/{}/ns/user", self.pid.as_raw_nonzero())
    }
}

impl Containers {
    /// Made when the first container asks for it.
    pub(super) fn pod_users(&self, wire: UserNamespace) -> Result<Arc<PodUsers>> {
        let mut pod = self.pod_users.lock().unwrap_or_else(PoisonError::into_inner);
        match pod.as_ref() {
            Some(users) if users.wire == wire => return Ok(users.clone()),
            Some(_) => return Err(Error::precondition("user_namespace: the pod has another mapping already")),
            None => {}
        }
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).doing(|| "open /dev/null")?;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().doing(|| "make a socket pair")?;
        let cgroup = cgroup::root()?;
        let child = Child {
            name: launch::POD,
            cgroup: cgroup.as_fd(),
            namespaces: libc::CLONE_NEWUSER,
            stdio: [null.as_fd(), null.as_fd(), null.as_fd()],
            channel: theirs.as_fd(),
            extra: None,
        };
        let started = child.start().doing(|| "start the process that keeps the pod's user namespace")?;
        for (file, first) in [("uid_map", wire.first_uid), ("gid_map", wire.first_gid)] {
            let path = format!("/proc/{}/{file}", started.pid.as_raw_nonzero());
            std::fs::write(&path, format!("0 {first} {}\n", wire.length)).doing(|| format!("write {path}"))?;
        }
        let made = Arc::new(PodUsers { pid: started.pid, wire, _channel: ours.into() });
        *pod = Some(made.clone());
        Ok(made)
    }
}
