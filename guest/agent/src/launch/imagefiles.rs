//! The files of an image as a volume: its layers, stacked where there are several, never written to.

use std::ffi::CString;

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, UnmountFlags};

use crate::error::{Doing, Result};
use crate::sys::mount as attributes;

use super::rootfs::{self, EMPTY, LAYERS, NEW_ROOT};

/// A mount of them that is attached nowhere.
///
/// The current directory is the new root, before and after.
pub fn open(layers: &[String]) -> Result<OwnedFd> {
    let stacked = match layers {
        // overlayfs wants two directories at least
        [one] => copy_of(&format!("{LAYERS}/{one}"))?,
        many => stack(many)?,
    };
    // What an image calls a device or gives another user's rights was not made for this container.
    let careful = attributes::READ_ONLY | attributes::NO_SUID | attributes::NO_DEV;
    attributes::set_attributes(&stacked, careful, false).doing(|| "guard the files of an image")?;
    Ok(stacked)
}

fn copy_of(path: &str) -> Result<OwnedFd> {
    let place = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| format!("open {path}"))?;
    rootfs::copy(&place, false).doing(|| format!("copy the mount {path}"))
}

/// Mounted in passing: the copy stays when it has gone.
fn stack(layers: &[String]) -> Result<OwnedFd> {
    // Names relative to one directory: the option string is bounded by a page.
    rustix::process::chdir(LAYERS).doing(|| format!("enter {LAYERS}"))?;
    let names = layers.join(":");
    let options = CString::new(format!("lowerdir={names}")).doing(|| "name the layers of an image")?;
    rustix::mount::mount("overlay", EMPTY, "overlay", MountFlags::RDONLY, options.as_c_str())
        .doing(|| format!("stack the layers {names}"))?;
    rustix::process::chdir(NEW_ROOT).doing(|| format!("enter {NEW_ROOT}"))?;
    let stacked = copy_of(EMPTY)?;
    rustix::mount::unmount(EMPTY, UnmountFlags::DETACH).doing(|| format!("leave {EMPTY}"))?;
    Ok(stacked)
}
