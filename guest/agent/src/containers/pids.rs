//! Whose processes a container sees: its own, another container's, or those of the whole pod.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, PoisonError};

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};

use crate::api::pid_namespace::Of;
use crate::cgroup;
use crate::error::{Doing, Error, Result};
use crate::launch;
use crate::sys::clone::{Child, Started, start_beside};

use super::{Container, Containers};

/// The process that keeps the pod's own process id namespace, for as long as the machine runs.
pub struct PodPids {
    pidfd: OwnedFd,
    /// It ends when this closes.
    _channel: OwnedFd,
}

pub enum Beside {
    Nobody,
    Pod(Arc<PodPids>),
    Container(Arc<Container>),
}

impl Beside {
    /// The namespaces that a container's first process begins with.
    pub fn namespaces(&self) -> libc::c_int {
        match self {
            Self::Nobody => libc::CLONE_NEWNS | libc::CLONE_NEWPID,
            Self::Pod(_) | Self::Container(_) => libc::CLONE_NEWNS,
        }
    }

    pub fn start(&self, child: &Child<'_>) -> io::Result<Started> {
        match self.pidfd() {
            None => child.start(),
            Some(pidfd) => start_beside(child, pidfd),
        }
    }

    fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Nobody => None,
            Self::Pod(pod) => Some(pod.pidfd.as_fd()),
            Self::Container(container) => Some(container.pidfd.as_fd()),
        }
    }
}

impl Containers {
    pub(super) fn beside(&self, of: Option<&Of>) -> Result<Beside> {
        match of {
            None | Some(Of::Pod(false)) => Ok(Beside::Nobody),
            Some(Of::Pod(true)) => self.pod_pids().map(Beside::Pod),
            Some(Of::Container(id)) => {
                let container = self.get(id)?;
                if container.has_ended() {
                    return Err(Error::precondition(format!("pid_namespace: container {id} has ended")));
                }
                Ok(Beside::Container(container))
            }
        }
    }

    /// Made when the first container asks for it.
    fn pod_pids(&self) -> Result<Arc<PodPids>> {
        let mut pod = self.pod_pids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pod) = pod.as_ref() {
            return Ok(pod.clone());
        }
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).doing(|| "open /dev/null")?;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().doing(|| "make a socket pair")?;
        let cgroup = cgroup::root()?;
        let child = Child {
            name: launch::POD,
            cgroup: cgroup.as_fd(),
            namespaces: libc::CLONE_NEWPID,
            stdio: [null.as_fd(), null.as_fd(), null.as_fd()],
            channel: theirs.as_fd(),
            extra: None,
        };
        let started = child.start().doing(|| "start the process that keeps the pod's process id namespace")?;
        let made = Arc::new(PodPids { pidfd: started.pidfd, _channel: ours.into() });
        *pod = Some(made.clone());
        Ok(made)
    }
}
