//! Directories and files of the host in the guest: FUSE mounts whose requests the daemon answers.
//!
//! Nothing here may touch a path of a share: this process would wait for an answer that only it can bring.

mod message;
mod pipe;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, UnmountFlags};
use tokio::io::unix::AsyncFd;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::api::mount_share_request::Root;
use crate::api::{Mount, MountShareRequest, Propagation, mount};
use crate::disks::make_directory;
use crate::error::{Doing, Error, Kind, Result};
use crate::log;

pub use pipe::Daemon;
use pipe::Pipe;

pub const ROOT: &str = "/run/podvm/shares";
const MAX: usize = 256;
/// Requests for what a program reads in order are as large as the largest ones that a daemon takes.
const READ_AHEAD_KIB: &str = "1024";

/// Whether this machine has had a share; it stays so.
static ANY: AtomicBool = AtomicBool::new(false);

/// Does what may wait for a pipe's lock. Whoever splices between a share and a pipe holds that lock while it waits for the daemon's
/// answer, which this process has to bring: so with shares another thread waits.
pub async fn aside<T: Send + 'static>(
    pipe: &Arc<AsyncFd<OwnedFd>>,
    work: impl FnOnce(&OwnedFd) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if !ANY.load(Ordering::Relaxed) {
        return work(pipe.get_ref());
    }
    let pipe = pipe.clone();
    tokio::task::spawn_blocking(move || work(pipe.get_ref())).await.unwrap_or_else(|e| Err(io::Error::other(e)))
}

#[derive(Default)]
pub struct Shares(Mutex<BTreeMap<String, Share>>);

struct Share {
    root: Root,
    read_only: bool,
    daemons: mpsc::Sender<Daemon>,
    pipe: JoinHandle<()>,
}

impl Shares {
    pub async fn mount(&self, request: &MountShareRequest) -> Result<()> {
        let name = &request.name;
        let root = match request.root() {
            Root::Unspecified => return Err(Error::invalid("root: neither a directory nor a file")),
            root => root,
        };
        let mut shares = self.0.lock().await;
        if let Some(there) = shares.get(name) {
            return if there.root == root && there.read_only == request.read_only {
                Ok(())
            } else {
                Err(Error::new(Kind::AlreadyExists, format!("name: the share {name} is mounted as something else; end it first")))
            };
        }
        if shares.len() >= MAX {
            return Err(Error::new(Kind::Exhausted, format!("share {name}: there are {MAX} shares already")));
        }
        ANY.store(true, Ordering::Relaxed);
        make_directory(ROOT)?;
        let place = place(name);
        make_mount_point(&place, root)?;
        let device = mount_fuse(name, &place, root, request.read_only)?;
        if let Err(e) = widen_read_ahead(&place) {
            log!("podvm-agent: share {name}: {e}");
        }
        let (daemons, comers) = mpsc::channel(1);
        let pipe = Pipe::new(name.clone(), device)?;
        shares.insert(name.clone(), Share { root, read_only: request.read_only, daemons, pipe: tokio::spawn(pipe.run(comers)) });
        Ok(())
    }

    /// Hands the share to a daemon; the one that had it before learns it.
    pub async fn serve(&self, name: &str, daemon: Daemon) -> Result<()> {
        let unknown = || Error::not_found(format!("name: there is no share {name}; mount it with MountShare first"));
        let daemons = self.0.lock().await.get(name).ok_or_else(unknown)?.daemons.clone();
        daemons.send(daemon).await.map_err(|_| unknown())
    }

    pub async fn end(&self, name: &str) {
        let Some(share) = self.0.lock().await.remove(name) else {
            return;
        };
        drop(share.daemons);
        // Only a file system without its other end can be unmounted without waiting for answers.
        let _ = share.pipe.await;
        let place = place(name);
        if let Err(e) = rustix::mount::unmount(place.as_str(), UnmountFlags::DETACH) {
            log!("podvm-agent: cannot unmount the share {name}: {e}");
        }
        let _ = fs::remove_dir(&place).or_else(|_| fs::remove_file(&place));
    }

    pub async fn end_all(&self) {
        let names: Vec<String> = self.0.lock().await.keys().cloned().collect();
        for name in names {
            self.end(&name).await;
        }
    }

    pub async fn any(&self) -> bool {
        !self.0.lock().await.is_empty()
    }

    /// Refuses mounts of shares that are not there; looking at their paths instead would wait for the daemon.
    pub async fn check(&self, mounts: &[Mount]) -> Result<()> {
        let shares = self.0.lock().await;
        for mount in mounts {
            if let Some(mount::Source::Share(share)) = &mount.source {
                if !shares.contains_key(&share.name) {
                    let message = format!("mounts.share: there is no share {}; mount it with MountShare first", share.name);
                    return Err(Error::not_found(message));
                }
                if share.propagation() == Propagation::Bidirectional {
                    let message = format!(
                        "mounts.share.propagation: Bidirectional for {}: what a container mounts in its machine cannot appear on the host",
                        mount.destination
                    );
                    return Err(Error::precondition(message));
                }
            }
        }
        Ok(())
    }
}

/// Ends a daemon's call that nobody will serve.
pub fn refuse(daemon_out: &mpsc::Sender<std::result::Result<crate::api::ShareRequest, Status>>, error: Error) {
    let _ = daemon_out.try_send(Err(error.into()));
}

pub fn place(name: &str) -> String {
    format!("{ROOT}/{name}")
}

fn make_mount_point(place: &str, root: Root) -> Result<()> {
    match root {
        Root::Directory => make_directory(place),
        _ => fs::write(place, "").doing(|| format!("make {place}")),
    }
}

/// The kernel checks permissions by owner and mode (`default_permissions`), for all users (`allow_other`). Devices of the host mean
/// nothing here, so none can be opened.
fn mount_fuse(name: &str, place: &str, root: Root, read_only: bool) -> Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let device = rustix::fs::open("/dev/fuse", flags, Mode::empty()).doing(|| format!("open /dev/fuse for the share {name}"))?;
    let kind = if root == Root::Directory { "40000" } else { "100000" };
    let options = format!("fd={},rootmode={kind},user_id=0,group_id=0,allow_other,default_permissions", device.as_raw_fd());
    let options = std::ffi::CString::new(options).doing(|| format!("mount the share {name}"))?;
    let mut flags = MountFlags::NODEV;
    if read_only {
        flags |= MountFlags::RDONLY;
    }
    rustix::mount::mount(name, place, "fuse", flags, options.as_c_str()).doing(|| format!("mount the share {name}"))?;
    Ok(device)
}

fn widen_read_ahead(place: &str) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").doing(|| "read the list of mounts")?;
    let device = device_of(&mounts, place).ok_or_else(|| Error::internal(format!("no mount at {place}")))?;
    fs::write(format!("/sys/class/bdi/{device}/read_ahead_kb"), READ_AHEAD_KIB).doing(|| "set how far to read ahead")
}

/// Fields of mountinfo: number, parent, device, root, place, ... (proc(5)).
fn device_of<'a>(mounts: &'a str, place: &str) -> Option<&'a str> {
    mounts.lines().rev().map(|line| line.split(' ').collect::<Vec<_>>()).find(|fields| fields.get(4) == Some(&place))?.get(2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_of_a_mount_is_that_of_the_last_one_at_its_place() {
        let mounts = "30 1 0:5 / /a rw - tmpfs x rw\n31 1 0:6 / /b rw - fuse x rw\n32 1 0:7 / /a rw - fuse y rw\n";
        assert_eq!(device_of(mounts, "/a"), Some("0:7"));
        assert_eq!(device_of(mounts, "/c"), None);
    }
}
