//! The first steps of process 1, before anybody can be answered.

use rustix::mount::MountFlags;

use crate::containers::create::TMPFS;
use crate::disks::{SCRATCH, make_directory};
use crate::error::{Doing, Result};
use crate::launch::dev::SHM;
use crate::launch::rootfs::{EMPTY, LAYERS, NEW_ROOT};
use crate::sandbox::ETC;
use crate::volumes;

/// The kernel's file systems, on a root that containers can pivot away from.
pub fn mount() -> Result<()> {
    leave_rootfs()?;
    let careful = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    for (kind, path, flags) in [("devtmpfs", "/dev", MountFlags::NOSUID), ("proc", "/proc", careful), ("sysfs", "/sys", careful)] {
        make_directory(path)?;
        rustix::mount::mount(kind, path, kind, flags, None).doing(|| format!("mount {path}"))?;
    }
    Ok(())
}

/// The initramfs is the one file system that `pivot_root` refuses to leave; a bind mount of it on top of itself is not.
fn leave_rootfs() -> Result<()> {
    const HERE: &str = "/run";
    make_directory(HERE)?;
    rustix::mount::mount_bind("/", HERE).doing(|| "bind the initramfs")?;
    rustix::process::chdir(HERE).doing(|| "enter the bound initramfs")?;
    rustix::mount::mount_move(".", "/").doing(|| "move the bound initramfs to the root")?;
    rustix::process::chroot(".").doing(|| "make the bound initramfs the root")
}

/// What containers will need; done while the daemon may already be answered.
pub fn prepare() -> Result<()> {
    for path in ["/run/podvm", LAYERS, NEW_ROOT, EMPTY, SHM, volumes::ROOT, TMPFS, ETC, SCRATCH] {
        make_directory(path)?;
    }
    raise_limits()?;
    crate::cgroup::mount()
}

/// What processes of containers have unless they ask for something else: that of a container engine which systemd runs (1024 open files,
/// which a program may raise to 524288 itself; systemd-system.conf(5)), and none for processes and core dumps. The kernel's own for
/// process 1 are 4096 files at most, and processes by the size of the memory.
fn raise_limits() -> Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: None, maximum: None };
    let files = Rlimit { current: Some(1024), maximum: Some(524_288) };
    for (name, resource, limit) in [("nofile", Resource::Nofile, files), ("nproc", Resource::Nproc, none), ("core", Resource::Core, none)] {
        setrlimit(resource, limit).doing(|| format!("set the limit {name}"))?;
    }
    Ok(())
}
