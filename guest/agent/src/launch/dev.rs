//! A container's /dev.

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, makedev, mknodat, symlinkat};
use rustix::mount::MountFlags;

use crate::error::{Doing, Result};

use super::inroot::{self, Make};
use super::mapping::Users;
use super::rootfs::{bind_file, mount_at};

/// The pod's shared memory, one tmpfs for all its containers.
pub const SHM: &str = "/run/podvm/shm";

/// Name, major and minor number.
const DEVICES: [(&str, u32, u32); 6] = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// The group of terminals.
const TTY: u32 = 5;

const LINKS: [(&str, &str); 5] = [
    ("ptmx", "pts/ptmx"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

pub fn populate(root: &OwnedFd, all_devices: bool, users: Option<&Users>) -> Result<()> {
    let careful = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount_at(root, "tmpfs", "dev", MountFlags::NOSUID, "mode=755,size=65536k")?;
    let dev = inroot::open(root, "dev", Make::Nothing)?;
    rustix::process::umask(Mode::empty());
    for (name, major, minor) in DEVICES {
        make_device(&dev, name, FileType::CharacterDevice, 0o666, makedev(major, minor))?;
    }
    for (name, target) in LINKS {
        symlinkat(target, &dev, name).doing(|| format!("make /dev/{name}"))?;
    }
    if all_devices {
        copy_devices(&dev)?;
    }
    rustix::process::umask(Mode::from_bits_retain(0o022));
    let tty = users.map_or(TTY, |users| users.gid(TTY));
    mount_at(root, "devpts", "dev/pts", careful, &format!("newinstance,ptmxmode=0666,mode=0620,gid={tty}"))?;
    mount_at(root, "mqueue", "dev/mqueue", careful | MountFlags::NODEV, "")?;
    let shm = super::plan::MountPlan { source: SHM.to_owned(), destination: "/dev/shm".to_owned(), ..Default::default() };
    super::rootfs::bind(root, &shm, None)
}

fn make_device(dev: &OwnedFd, name: &str, kind: FileType, mode: u32, number: u64) -> Result<()> {
    mknodat(dev, name, kind, Mode::from_bits_retain(mode), number).doing(|| format!("make /dev/{name}"))
}

/// A device file that only the container's cgroup tells whether it can be opened. In place of what a privileged container has there.
pub fn place_disk(root: &OwnedFd, path: &str, number: u64) -> Result<()> {
    let (parent, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
    let directory = inroot::open(root, parent, Make::Directory(0o755))?;
    let _ = rustix::fs::unlinkat(&directory, name, rustix::fs::AtFlags::empty());
    let mode = Mode::from_bits_retain(0o660);
    mknodat(&directory, name, FileType::BlockDevice, mode, number).doing(|| format!("make the device {path}"))
}

/// The machine's own devices, but for its channel to the daemon.
fn copy_devices(dev: &OwnedFd) -> Result<()> {
    let entries = std::fs::read_dir("/dev").doing(|| "list the machine's devices")?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(stat) = rustix::fs::lstat(entry.path()) else {
            continue;
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        let known = DEVICES.iter().any(|d| d.0 == name) || LINKS.iter().any(|l| l.0 == name);
        if known || name.starts_with("vport") || !matches!(kind, FileType::BlockDevice | FileType::CharacterDevice) {
            continue;
        }
        make_device(dev, &name, kind, stat.st_mode & 0o777, stat.st_rdev)?;
    }
    Ok(())
}

/// Shows the terminal of process 1 as /dev/console. The root is already the container's.
pub fn console(slave: &str) -> Result<()> {
    let root = rustix::fs::open("/", rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC, Mode::empty()).doing(|| "open /")?;
    bind_file(&root, slave, "/dev/console")
}
