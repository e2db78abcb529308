//! The files of an image as a volume: its layers, stacked where there are several, never written to.

use std::ffi::CString;

use rustix::mount::{MountFlags, UnmountFlags};

use crate::error::{Doing, Result};
use crate::sys::mount as attributes;

use super::rootfs::{EMPTY, LAYERS, NEW_ROOT};

/// What an image calls a device, or gives another user's rights, was not made for this container.
pub const CAREFUL: u64 = attributes::READ_ONLY | attributes::NO_SUID | attributes::NO_DEV;

/// Where they are, until the end of this.
pub struct Stacked {
    pub place: String,
    mounted: bool,
}

impl Stacked {
    /// The current directory is the new root, before and after.
    pub fn of(layers: &[String]) -> Result<Self> {
        // overlayfs wants two directories at least
        if let [one] = layers {
            return Ok(Self { place: format!("{LAYERS}/{one}"), mounted: false });
        }
        // Names relative to one directory: the option string is bounded by a page.
        rustix::process::chdir(LAYERS).doing(|| format!("enter {LAYERS}"))?;
        let names = layers.join(":");
        let options = CString::new(format!("lowerdir={names}")).doing(|| "name the layers of an image")?;
        rustix::mount::mount("overlay", EMPTY, "overlay", MountFlags::RDONLY, options.as_c_str())
            .doing(|| format!("stack the layers {names}"))?;
        rustix::process::chdir(NEW_ROOT).doing(|| format!("enter {NEW_ROOT}"))?;
        Ok(Self { place: EMPTY.to_owned(), mounted: true })
    }
}

/// Copies of the mount stay.
impl Drop for Stacked {
    fn drop(&mut self) {
        if self.mounted {
            let _ = rustix::mount::unmount(EMPTY, UnmountFlags::DETACH);
        }
    }
}
