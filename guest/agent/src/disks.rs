//! Disks are known by serial number (SCSI VPD page 0x80), because their names depend on the order in which they were found.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::mount::MountFlags;
use tokio::sync::Mutex;

use crate::error::{Doing, Error, Result};
use crate::launch::rootfs::LAYERS;

const PATIENCE: Duration = Duration::from_secs(10);
const RESCAN: Duration = Duration::from_millis(500);
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
        let device = find(serial).await?;
        let directory = format!("{LAYERS}/{serial}");
        make_directory(&directory)?;
        rustix::mount::mount(&device, &directory, "erofs", MountFlags::RDONLY | MountFlags::NODEV | MountFlags::NOATIME, None)
            .doing(|| format!("mount the layer disk {serial} ({device}) as erofs"))?;
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
        let device = find(serial).await?;
        rustix::mount::mount(&device, SCRATCH, "ext4", MountFlags::NOATIME, Some(c"discard"))
            .doing(|| format!("mount the scratch disk {serial} ({device}) as ext4"))
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

/// Waits for a disk that is being attached; returns its device file.
async fn find(serial: &str) -> Result<String> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut scanned = start;
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
        if scanned.elapsed() > RESCAN {
            // Its announcement was lost, or the host attaches disks elsewhere: slow, but they are found.
            scan_for("- - -");
            scanned = Instant::now();
            continue;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(8));
    }
}

/// Asks the one target that has all disks for them, since the kernel does not look by itself (`scan=manual`). Disks that are
/// attached later announce themselves.
pub fn scan() {
    scan_for("0 0 -");
}

/// `places` are channel, target and LUN; a dash stands for all of them.
fn scan_for(places: &str) {
    let Ok(hosts) = fs::read_dir(HOSTS) else {
        return;
    };
    for host in hosts.flatten() {
        let _ = fs::write(host.path().join("scan"), places);
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
