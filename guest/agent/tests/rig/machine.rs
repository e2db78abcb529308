//! One QEMU microvm per test.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::client::{Connected, connect};
use super::{Outcome, image};

pub const LAYERS: [&str; 2] = ["layer-base", "layer-top"];
pub const SCRATCH: &str = "scratch";
pub const MAC: &str = "52:54:00:12:34:56";

static NEXT: AtomicU32 = AtomicU32::new(0);

pub struct Machine {
    directory: PathBuf,
    qemu: Arc<Mutex<Child>>,
}

/// No test runs longer; a machine that hangs is killed, and all calls to it fail.
const LIFETIME: Duration = Duration::from_secs(150);

impl Machine {
    /// As the product boots one without KVM.
    pub fn boot() -> Outcome<Self> {
        let guest = guest()?;
        let [base, top] = image::layers()?;
        let directory = std::env::temp_dir().join(format!("podvm-machine-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&directory)?;
        let scratch = directory.join("scratch.ext4");
        image::scratch(&scratch)?;
        // Whatever becomes of the test, its machine ends with it.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "qemu-system-x86_64"])
            .args(["-M", "microvm,acpi=on,memory-backend=mem", "-object", "memory-backend-ram,id=mem,dump=off,size=256M"])
            .args(["-m", "256M", "-smp", "1", "-accel", "tcg,tb-size=64", "-cpu", "max,erms=off"])
            .args(["-global", "virtio-mmio.force-legacy=false", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"])
            .args(["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"])
            .arg("-kernel")
            .arg(guest.join("vmlinux"))
            .arg("-initrd")
            .arg(guest.join("initramfs.cpio"))
            .arg("-append")
            .arg(format!("console=ttyS0 quiet reboot=t panic=-1 cryptomgr.notests tsc_early_khz={}", tsc_khz()))
            .arg("-serial")
            .arg(format!("file:{}", directory.join("console.log").display()))
            .args(["-device", "virtio-serial-device", "-chardev"])
            .arg(format!("socket,id=agent,path={},server=on,wait=off", directory.join("agent.sock").display()))
            .args(["-device", "virtserialport,chardev=agent,name=podvm.agent", "-device", "virtio-scsi-device,id=scsi0"])
            .args(["-netdev", "user,id=net0", "-device"])
            .arg(format!("virtio-net-device,netdev=net0,mac={MAC}"))
            .args(["-device", "virtio-balloon-device,free-page-reporting=on"]);
        for (file, serial, read_only) in [(&base, LAYERS[0], "on"), (&top, LAYERS[1], "on"), (&scratch, SCRATCH, "off")] {
            qemu.arg("-blockdev")
                .arg(format!("driver=file,node-name={serial},read-only={read_only},discard=unmap,locking=off,filename={}", file.display()));
            qemu.arg("-device").arg(format!("scsi-hd,bus=scsi0.0,scsi-id=0,drive={serial},serial={serial},rotation_rate=1"));
        }
        let qemu =
            qemu.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(|e| format!("cannot start QEMU through setpriv: {e}"))?;
        let qemu = Arc::new(Mutex::new(qemu));
        let watched = Arc::downgrade(&qemu);
        std::thread::spawn(move || {
            std::thread::sleep(LIFETIME);
            if let Some(qemu) = watched.upgrade() {
                eprintln!("a machine lived longer than {} s", LIFETIME.as_secs());
                let _ = qemu.lock().unwrap().kill();
            }
        });
        Ok(Self { directory, qemu })
    }

    pub async fn connect(&self) -> Outcome<Connected> {
        let socket = self.directory.join("agent.sock");
        let start = Instant::now();
        // The file is there a moment before anybody listens.
        while UnixStream::connect(&socket).is_err() && start.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        match tokio::time::timeout(Duration::from_secs(60), connect(&socket)).await {
            Ok(result) => result,
            Err(_) => Err(format!("no answer in 60 s; console:\n{}", self.console()).into()),
        }
    }

    pub fn console(&self) -> String {
        fs::read_to_string(self.directory.join("console.log")).unwrap_or_default()
    }

    /// True when the VMM ended by itself in time.
    pub async fn ends_within(&mut self, limit: Duration) -> Outcome<bool> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if self.qemu.lock().unwrap().try_wait()?.is_some() {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(false)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.lock().unwrap().kill();
        let _ = self.qemu.lock().unwrap().wait();
        if std::thread::panicking() || std::env::var_os("PODVM_TEST_VERBOSE").is_some() {
            eprintln!("--- console\n{}", self.console());
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The folder with vmlinux and initramfs.cpio. The agent in it is this tree's where set-up has just made it.
fn guest() -> Outcome<PathBuf> {
    const REMEDY: &str =
        "run `setup/run test`, then these tests again with PODVM_GUEST as it is in setup/place.sh; `./mvnw verify` does both";
    let guest =
        PathBuf::from(std::env::var_os("PODVM_GUEST").ok_or_else(|| format!("PODVM_GUEST names no folder to boot from: {REMEDY}"))?);
    for file in ["vmlinux", "initramfs.cpio"] {
        let file = guest.join(file);
        if !file.is_file() {
            return Err(format!("no {}: {REMEDY}", file.display()).into());
        }
    }
    Ok(guest)
}

/// Without it a busy host hangs in the calibration of the emulated clock.
fn tsc_khz() -> u64 {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mips = info.lines().find_map(|l| l.strip_prefix("bogomips")?.split(':').nth(1)?.trim().parse::<f64>().ok());
    (mips.unwrap_or(4000.0) * 500.0) as u64
}
