//! Builds a container's file tree from the inside of its new mount namespace and makes it the root.

use std::ffi::CString;
use std::path::Path;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};

use crate::api::Security;
use crate::error::{Doing, Error, Result};
use crate::sys::mount as attributes;

use super::dev;
use super::imagefiles;
use super::inroot::{self, Make};
use super::mapping::Users;
use super::plan::{MountPlan, Plan, RootPlan};

/// Where layers are mounted, one directory each, named by serial number.
pub const LAYERS: &str = "/run/podvm/layers";
/// An empty directory: the mount point of a new root, and what masked directories show.
pub const NEW_ROOT: &str = "/run/podvm/root";
pub const EMPTY: &str = "/run/podvm/empty";

/// What container engines hide: information about the machine, and ways to change it.
const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

pub fn build(plan: &Plan, root: &RootPlan, users: Option<&Users>) -> Result<()> {
    let exec = plan.exec.clone().unwrap_or_default();
    let security = exec.security.unwrap_or_default();
    match users {
        None => mount_overlay(LAYERS, root)?,
        Some(users) => {
            let scratch = Path::new(&root.upper).parent().unwrap_or(Path::new("/")).to_string_lossy();
            let (directory, mapped) = users.mapped(root, &scratch)?;
            users.make_files()?;
            mount_overlay(directory, &mapped)?;
        }
    }
    rustix::process::chdir(NEW_ROOT).doing(|| format!("enter {NEW_ROOT}"))?;
    let new_root =
        rustix::fs::open(".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).doing(|| "open the new root")?;
    mount_kernel_trees(&new_root, &security)?;
    dev::populate(&new_root, security.privileged, users)?;
    let mut mounts: Vec<&MountPlan> = plan.mounts.iter().collect();
    mounts.sort_by_key(|m| m.destination.split('/').filter(|part| !part.is_empty()).count());
    for mount in mounts {
        bind(&new_root, mount, users)?;
    }
    if !security.privileged {
        match &security.guarded_paths {
            None => hide(&new_root, &MASKED, &READ_ONLY)?,
            Some(paths) => hide(&new_root, &paths.masked, &paths.read_only)?,
        }
    }
    rustix::process::pivot_root(".", ".").doing(|| "make the new root the root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).doing(|| "leave the machine's own root")?;
    rustix::process::chdir("/").doing(|| "enter /")?;
    if root.read_only {
        let mounted = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| "open /")?;
        attributes::set_attributes(mounted, attributes::READ_ONLY, false).doing(|| "make the root file system read-only")?;
    }
    Ok(())
}

fn mount_overlay(directory: &str, root: &RootPlan) -> Result<()> {
    // Names relative to one directory: the option string is bounded by a page.
    rustix::process::chdir(directory).doing(|| format!("enter {directory}"))?;
    let layers = root.layers.join(":");
    // volatile: the scratch disk ends with the pod, so nothing would be gained by writing it out on every fsync.
    let options = format!("lowerdir={layers},upperdir={},workdir={},volatile", root.upper, root.work);
    let options = CString::new(options).doing(|| "name the layers")?;
    rustix::mount::mount("overlay", NEW_ROOT, "overlay", MountFlags::empty(), options.as_c_str())
        .doing(|| format!("stack the layers {layers}"))
}

fn mount_kernel_trees(root: &OwnedFd, security: &Security) -> Result<()> {
    let careful = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let read_only = if security.privileged { MountFlags::empty() } else { MountFlags::RDONLY };
    for (kind, path, flags) in
        [("proc", "proc", careful), ("sysfs", "sys", careful | read_only), ("cgroup2", "sys/fs/cgroup", careful | read_only)]
    {
        mount_at(root, kind, path, flags, "")?;
    }
    Ok(())
}

/// Mounts a new file system on a path of the root, made where it is missing. The path must have no links of the image's making:
/// the current directory is the new root, and links would be followed out of it.
pub fn mount_at(root: &OwnedFd, kind: &str, path: &str, flags: MountFlags, options: &str) -> Result<()> {
    let place = inroot::open(root, path, Make::Directory(0o755))?;
    let context = rustix::mount::fsopen(kind, rustix::mount::FsOpenFlags::FSOPEN_CLOEXEC).doing(|| format!("make a {kind}"))?;
    for option in options.split(',').filter(|o| !o.is_empty()) {
        match option.split_once('=') {
            Some((key, value)) => rustix::mount::fsconfig_set_string(context.as_fd(), key, value),
            None => rustix::mount::fsconfig_set_flag(context.as_fd(), option),
        }
        .doing(|| format!("set {option} on a {kind}"))?;
    }
    rustix::mount::fsconfig_create(context.as_fd()).doing(|| format!("make a {kind}"))?;
    let attributes = [
        (MountFlags::RDONLY, attributes::READ_ONLY),
        (MountFlags::NOSUID, attributes::NO_SUID),
        (MountFlags::NODEV, attributes::NO_DEV),
        (MountFlags::NOEXEC, attributes::NO_EXEC),
    ];
    let attributes = attributes.iter().filter(|(flag, _)| flags.contains(*flag)).fold(0, |sum, (_, bit)| sum | *bit);
    let attributes = rustix::mount::MountAttrFlags::from_bits_retain(u32::try_from(attributes).unwrap_or(0));
    let mounted = rustix::mount::fsmount(context.as_fd(), rustix::mount::FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .doing(|| format!("mount a {kind}"))?;
    attach(&mounted, &place).doing(|| format!("mount {kind} on /{path}"))
}

pub fn attach(mount: &OwnedFd, place: &OwnedFd) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, "", place, "", flags)
}

/// A copy of the mount at `place`, not yet attached anywhere.
pub fn copy(place: &OwnedFd, recursive: bool) -> rustix::io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(place, "", flags)
}

pub fn bind(root: &OwnedFd, mount: &MountPlan, users: Option<&Users>) -> Result<()> {
    let users = users.filter(|_| mount.map_owners);
    if mount.device != 0 {
        return dev::place_disk(root, &mount.destination, mount.device);
    }
    let stacked = if mount.layers.is_empty() { None } else { Some(imagefiles::Stacked::of(&mount.layers)?) };
    let place = stacked.as_ref().map_or(&mount.source, |stacked| &stacked.place);
    let mut source = rustix::fs::open(place.as_str(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .doing(|| format!("open {place} for {}", mount.destination))?;
    if !mount.sub_path.is_empty() {
        let make = if mount.make_sub_path { Make::Directory(0o777) } else { Make::Nothing };
        let below = || inroot::open(&source, &mount.sub_path, make);
        source = users
            .map_or_else(below, |users| users.aside(below))
            .map_err(|e| Error::new(e.kind, format!("sub path {} of the mount {}: {e}", mount.sub_path, mount.destination)))?;
    }
    let stat = rustix::fs::fstat(&source).doing(|| format!("look at {}", mount.source))?;
    let make = if FileType::from_raw_mode(stat.st_mode) == FileType::Directory { Make::Directory(0o755) } else { Make::File };
    let read_only = if mount.read_only { attributes::READ_ONLY } else { 0 };
    let attributes = if stacked.is_some() { imagefiles::CAREFUL } else { read_only };
    bind_place(root, &source, &mount.destination, make, attributes, users)
}

fn bind_place(root: &OwnedFd, source: &OwnedFd, destination: &str, make: Make, attributes: u64, users: Option<&Users>) -> Result<()> {
    let place = inroot::open(root, destination, make)?;
    let tree = copy(source, false).doing(|| format!("copy the mount for {destination}"))?;
    if let Some(users) = users {
        users.map(&tree)?;
    }
    if attributes != 0 {
        attributes::set_attributes(&tree, attributes, false).doing(|| format!("guard the mount on {destination}"))?;
    }
    attach(&tree, &place).doing(|| format!("mount on {destination}"))
}

/// Puts an existing file of the machine, such as a device, on a path of the root.
pub fn bind_file(root: &OwnedFd, source: &str, destination: &str) -> Result<()> {
    let source = rustix::fs::open(source, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| format!("open {source}"))?;
    bind_place(root, &source, destination, Make::File, 0, None)
}

fn hide<S: AsRef<str>>(root: &OwnedFd, masked: &[S], read_only: &[S]) -> Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| "open /dev/null")?;
    let empty = rustix::fs::open(EMPTY, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| format!("open {EMPTY}"))?;
    for path in masked.iter().map(S::as_ref) {
        let Ok(place) = inroot::open(root, path, Make::Nothing) else {
            continue;
        };
        let stat = rustix::fs::fstat(&place).doing(|| format!("look at {path}"))?;
        let cover = if FileType::from_raw_mode(stat.st_mode) == FileType::Directory { &empty } else { &null };
        let tree = copy(cover, false).doing(|| format!("cover {path}"))?;
        attributes::set_attributes(&tree, attributes::READ_ONLY, false).doing(|| format!("cover {path}"))?;
        attach(&tree, &place).doing(|| format!("cover {path}"))?;
    }
    for path in read_only.iter().map(S::as_ref) {
        let Ok(place) = inroot::open(root, path, Make::Nothing) else {
            continue;
        };
        let tree = copy(&place, true).doing(|| format!("make {path} read-only"))?;
        attributes::set_attributes(&tree, attributes::READ_ONLY, true).doing(|| format!("make {path} read-only"))?;
        attach(&tree, &place).doing(|| format!("make {path} read-only"))?;
    }
    Ok(())
}
