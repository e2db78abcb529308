//! mount_setattr(2), for which rustix has no binding.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Sets attributes (MOUNT_ATTR_...) of one mount, or of it and all below.
pub fn set_attributes(mount: impl AsFd, attributes: u64, recursive: bool) -> io::Result<()> {
    let attr = MountAttr { set: attributes, ..MountAttr::default() };
    set(mount, &attr, libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 })
}

/// Shows a mount that is not attached anywhere with the owners that a user namespace maps.
pub fn map_owners(mount: impl AsFd, users: impl AsFd) -> io::Result<()> {
    let users = u64::from(users.as_fd().as_raw_fd().unsigned_abs());
    set(mount, &MountAttr { set: MAP_OWNERS, userns_fd: users, ..MountAttr::default() }, libc::AT_EMPTY_PATH)
}

fn set(mount: impl AsFd, attr: &MountAttr, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: the kernel reads one struct of the size given and an empty string.
    let result = unsafe {
        libc::syscall(libc::SYS_mount_setattr, mount.as_fd().as_raw_fd(), c"".as_ptr(), flags, &raw const *attr, size_of::<MountAttr>())
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

const MAP_OWNERS: u64 = 0x0010_0000;
pub const READ_ONLY: u64 = 0x1;
pub const NO_SUID: u64 = 0x2;
pub const NO_DEV: u64 = 0x4;
pub const NO_EXEC: u64 = 0x8;

/// `struct mount_attr` of linux/mount.h.
#[repr(C)]
#[derive(Default)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}
