//! mount_setattr(2), for which rustix has no binding.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Sets attributes (MOUNT_ATTR_...) of one mount, or of it and all below.
pub fn set_attributes(mount: impl AsFd, attributes: u64, recursive: bool) -> io::Result<()> {
    let attr = MountAttr { set: attributes, ..MountAttr::default() };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the kernel reads one struct of the size given and an empty string.
    let result = unsafe {
        libc::syscall(libc::SYS_mount_setattr, mount.as_fd().as_raw_fd(), c"".as_ptr(), flags, &raw const attr, size_of::<MountAttr>())
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

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
