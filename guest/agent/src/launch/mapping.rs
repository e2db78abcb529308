//! A container whose users are others in the machine. Its tree is built by the machine's root, who may mount and make devices, but
//! with files that belong to the container's root; the process enters the user namespace when nothing else is left to be done.
//!
//! Layers and the scratch disk know nothing of it: they are shown with other owners (mount_setattr(2), idmapped mounts), so that
//! containers with and without mapping share them.

use rustix::fd::OwnedFd;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::mount::MountFlags;

use crate::api::UserNamespace;
use crate::error::{Doing, Result};
use crate::sys;
use crate::sys::mount as attributes;

use super::capabilities;
use super::plan::RootPlan;
use super::rootfs;

/// Where the copies of layers and scratch disk are attached, seen by the one container alone.
const MAPPED: &str = "/run/podvm/mapped";
const SCRATCH: &str = "scratch";

/// A user namespace and what it maps.
pub struct Users {
    namespace: OwnedFd,
    wire: UserNamespace,
}

impl Users {
    pub fn new(namespace: OwnedFd, wire: UserNamespace) -> Self {
        Self { namespace, wire }
    }

    pub fn open(path: &str, wire: UserNamespace) -> Result<Self> {
        let namespace = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).doing(|| "open the user namespace")?;
        Ok(Self::new(namespace, wire))
    }

    /// A user of the container in the machine.
    pub fn uid(&self, uid: u32) -> u32 {
        self.wire.first_uid.saturating_add(uid)
    }

    pub fn gid(&self, gid: u32) -> u32 {
        self.wire.first_gid.saturating_add(gid)
    }

    /// What is made from now on belongs to the container's root.
    pub fn make_files(&self) -> Result<()> {
        sys::exec::make_files_as(self.uid(0), self.gid(0));
        // without this, a process that makes files as a user has no more rights over files than that
        capabilities::set_all()
    }

    /// Does what is to be done with the owners of the disk itself.
    pub fn aside<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        sys::exec::make_files_as(0, 0);
        let result = work();
        self.make_files()?;
        result
    }

    /// Shows a copy of a mount, attached nowhere, with the container's owners.
    pub fn map(&self, tree: &OwnedFd) -> Result<()> {
        attributes::map_owners(tree, &self.namespace).doing(|| "show a file system with other owners")
    }

    /// Becomes the container's root.
    pub fn enter(&self) -> Result<()> {
        sys::exec::join_users(&self.namespace).doing(|| "enter the user namespace")?;
        rustix::thread::set_thread_groups(&[]).doing(|| "leave the machine's groups")?;
        rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).doing(|| "become the user namespace's root group")?;
        rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).doing(|| "become the user namespace's root")
    }

    /// Attaches copies of what a root is made of; returns the plan of a root made of those, relative to the directory returned.
    pub fn mapped(&self, root: &RootPlan, scratch: &str) -> Result<(&'static str, RootPlan)> {
        match std::fs::create_dir(MAPPED) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e).doing(|| format!("make {MAPPED}")),
            _ => {}
        }
        rustix::mount::mount("mapped", MAPPED, "tmpfs", MountFlags::empty(), Some(c"mode=700")).doing(|| format!("mount {MAPPED}"))?;
        let mut layers = Vec::with_capacity(root.layers.len());
        for (number, layer) in root.layers.iter().enumerate() {
            self.attach(&format!("{}/{layer}", rootfs::LAYERS), &number.to_string())?;
            layers.push(number.to_string());
        }
        self.attach(scratch, SCRATCH)?;
        let below = |path: &str| path.replacen(scratch, SCRATCH, 1);
        Ok((MAPPED, RootPlan { layers, upper: below(&root.upper), work: below(&root.work), read_only: root.read_only }))
    }

    fn attach(&self, source: &str, name: &str) -> Result<()> {
        let place = format!("{MAPPED}/{name}");
        std::fs::create_dir(&place).doing(|| format!("make {place}"))?;
        let open = |path: &str| rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| format!("open {path}"));
        let tree = rootfs::copy(&open(source)?, false).doing(|| format!("copy the mount {source}"))?;
        self.map(&tree)?;
        rootfs::attach(&tree, &open(&place)?).doing(|| format!("mount {source} on {place}"))
    }
}
