//! Disks are known by serial number (SCSI VPD page 0x80), because their names depend on the order in which they were found.

use std::collections::HashSet;
use std::ffi::CStr;
use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::mount::MountFlags;
use tokio::sync::Mutex;

use crate::error::{Doing, Error, Result};
use crate::launch::rootfs::LAYERS;
use crate::log;

const PATIENCE: Duration = Duration::from_secs(10);
/// A disk that is attached announces itself; one that has not appeared after this is asked for.
const ANNOUNCED: Duration = Duration::from_secs(1);
/// A thread that writes one line to sysfs.
const STACK: usize = 64 * 1024;
const HOSTS: &str = "/sys/class/scsi_host";
const BLOCK: &str = "/sys/block";
/// QEMU takes no longer ones.
const MAX_SERIAL: usize = 36;

pub const SCRATCH: &str = "/run/podvm/scratch";

/// Layers that are mounted; each is mounted once and shared by all containers.
#[derive(Default)]
pub struct Layers(Mutex<HashSet<String>>);

impl Layers {
    pub async fn mount(&self, serial: &str) -> Result<()> {
        let mut mounted = self.0.lock().await;
        if mounted.contains(serial) {
            return Ok(());
        }
        let directory = format!("{LAYERS}/{serial}");
        make_directory(&directory)?;
        mount_disk(serial, &directory, "erofs", MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOATIME, None).await?;
        mounted.insert(serial.to_owned());
        Ok(())
    }
}

pub async fn mount_scratch(serial: &str) -> Result<()> {
    make_directory(SCRATCH)?;
    if serial.is_empty() {
        rustix::mount::mount("tmpfs", SCRATCH, "tmpfs", MountFlags::empty(), Some(c"mode=700"))
            .doing(|| format!("mount a tmpfs on {SCRATCH}"))
    } else {
        mount_disk(serial, SCRATCH, "ext4", MountFlags::NOATIME, Some(c"discard")).await
    }
}

async fn mount_disk(serial: &str, directory: &str, kind: &str, flags: MountFlags, options: Option<&CStr>) -> Result<()> {
    let start = Instant::now();
    loop {
        let device = find(serial).await?;
        match rustix::mount::mount(&device, directory, kind, flags, options) {
            // The kernel makes a disk's device file before the disk can be opened (device_add_disk): between the two is no device.
            Err(Errno::NXIO) if start.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(1)).await,
            done => return done.doing(|| format!("mount the disk {serial} ({device}) as {kind}")),
        }
    }
}

pub fn make_directory(path: &str) -> Result<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e).doing(|| format!("make {path}")),
        _ => Ok(()),
    }
}

pub fn check_serial(field: &str, serial: &str) -> Result<()> {
    let fits = (1..=MAX_SERIAL).contains(&serial.len())
        && serial.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !serial.starts_with('.');
    if fits {
        Ok(())
    } else {
        Err(Error::invalid(format!("{field}: not a serial number of 1 to {MAX_SERIAL} letters, digits, '.', '_', '-': {serial:?}")))
    }
}

/// Waits for a disk that is being attached; returns its device number.
pub async fn number(serial: &str) -> Result<u64> {
    let device = find(serial).await?;
    Ok(rustix::fs::stat(&device).doing(|| format!("look at {device}"))?.st_rdev)
}

/// Waits for a disk that is being attached; returns its device file.
async fn find(serial: &str) -> Result<String> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut asked = start;
    loop {
        let disks = present();
        if let Some((name, _)) = disks.iter().find(|(_, s)| s == serial) {
            let device = format!("/dev/{name}");
            if fs::exists(&device).unwrap_or(false) {
                return Ok(device);
            }
        }
        if start.elapsed() > PATIENCE {
            let there: Vec<String> = disks.into_iter().map(|(name, serial)| format!("{name}={serial:?}")).collect();
            let there = if there.is_empty() { "no disk".to_owned() } else { there.join(" ") };
            return Err(Error::not_found(format!(
                "disk {serial:?} did not appear in {} s; there is {there}; attach it with this serial number",
                PATIENCE.as_secs()
            )));
        }
        if asked.elapsed() > ANNOUNCED {
            scan_beside();
            asked = Instant::now();
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(8));
    }
}

/// Asks the one target that has all disks for them, since the kernel does not look by itself (`scan=manual`): 256 targets may be
/// there. Returns when those that are attached are known.
pub fn scan() {
    const CHANNEL_TARGET_LUN: &str = "0 0 -";
    let Ok(hosts) = fs::read_dir(HOSTS) else {
        return;
    };
    for host in hosts.flatten() {
        let file = host.path().join("scan");
        if let Err(e) = fs::write(&file, CHANNEL_TARGET_LUN) {
            log!("podvm-agent: cannot look for disks: {}: {e}", file.display());
        }
    }
}

/// Looks for disks that were not announced, or whose announcement was lost. Requests are served meanwhile: a scan waits for every disk's answer.
pub fn scan_beside() {
    static SCANNING: AtomicBool = AtomicBool::new(false);
    if SCANNING.swap(true, Ordering::AcqRel) {
        return;
    }
    let look = || {
        scan();
        SCANNING.store(false, Ordering::Release);
    };
    if let Err(e) = std::thread::Builder::new().stack_size(STACK).spawn(look) {
        SCANNING.store(false, Ordering::Release);
        log!("podvm-agent: cannot start the thread that looks for disks: {e}");
    }
}

fn present() -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(BLOCK) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter_map(|name| {
            let page = fs::read(format!("{BLOCK}/{name}/device/vpd_pg80")).ok()?;
            Some((name, serial(&page)?))
        })
        .collect()
}

/// Four bytes of header (the last two are the length), then the number, padded with blanks.
fn serial(page: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes([*page.get(2)?, *page.get(3)?]));
    let number = page.get(4..)?;
    let number = &number[..length.min(number.len())];
    Some(String::from_utf8_lossy(number).trim_matches([' ', '\0']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_number_is_what_the_page_header_bounds() {
        assert_eq!(serial(b"\0\x80\0\x05abc  rest").as_deref(), Some("abc"));
        assert_eq!(serial(b"\0\x80\0\xffabc").as_deref(), Some("abc"));
        assert_eq!(serial(b"\0\x80"), None);
    }

    #[test]
    fn a_serial_number_cannot_be_a_path_or_an_option() {
        for bad in ["", "a/b", "..", "a,b", "a:b", "é", &"x".repeat(37)] {
            assert!(check_serial("root", bad).is_err(), "{bad}");
        }
        assert!(check_serial("root", "layer-0a.1_b").is_ok());
    }
}
