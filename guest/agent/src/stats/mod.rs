//! What the machine and its containers use, read when somebody asks and at no other time.

mod layers;
mod numbers;

use std::path::Path;
use std::sync::Arc;

use crate::api::{CgroupUse, ContainerUse, DeviceUse, OpenFiles, PressureUse, ScratchUse, StatsRequest, StatsResponse};
use crate::containers::{Container, Containers};
use crate::disks::SCRATCH;
use crate::error::Result;

pub use layers::Layers;

/// A container with more processes than this has its open files counted in this many of them.
const MAX_COUNTED: usize = 1024;

pub async fn answer(containers: &Containers, layers: &Arc<Layers>, request: StatsRequest) -> Result<StatsResponse> {
    let all = containers.present();
    let ids: Vec<String> = all.iter().map(|c| c.id.clone()).collect();
    let mut written = layers.count(ids).await;
    let meminfo = read("/proc/meminfo");
    Ok(StatsResponse {
        pod: Some(cgroup(Path::new(crate::cgroup::POD))),
        containers: all
            .iter()
            .map(|container| ContainerUse {
                id: container.id.clone(),
                cgroup: Some(cgroup(container.cgroup().path())),
                writable_layer: written.remove(&container.id),
                open_files: if request.open_files { open_files(container) } else { None },
            })
            .collect(),
        interfaces: numbers::interfaces(&read("/proc/net/dev")),
        memory_total_bytes: numbers::meminfo(&meminfo, "MemTotal"),
        memory_available_bytes: numbers::meminfo(&meminfo, "MemAvailable"),
        scratch: scratch(),
    })
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A cgroup that is being removed has nothing to tell, and that is no failure.
fn cgroup(path: &Path) -> CgroupUse {
    let file = |name: &str| read(path.join(name));
    let mut memory = numbers::memory(&file("memory.stat"), &file("memory.events"));
    memory.usage_bytes = numbers::number(&file("memory.current"));
    memory.max_bytes = numbers::number(&file("memory.max"));
    memory.min_bytes = numbers::number(&file("memory.min"));
    memory.swap_bytes = numbers::number(&file("memory.swap.current"));
    memory.peak_bytes = numbers::number(&file("memory.peak"));
    let mut devices = numbers::devices(&file("io.stat"));
    for device in &mut devices {
        device.name = name(device);
    }
    CgroupUse {
        cpu: Some(numbers::cpu(&file("cpu.stat"))),
        memory: Some(memory),
        devices,
        cpu_pressure: pressure(path, "cpu.pressure"),
        memory_pressure: pressure(path, "memory.pressure"),
        io_pressure: pressure(path, "io.pressure"),
        processes: processes(path),
        threads: numbers::number(&file("pids.current")),
        threads_max: numbers::number(&file("pids.max")),
    }
}

/// With those in the cgroups below: a pod's own has none.
fn processes(path: &Path) -> u64 {
    let own = read(path.join("cgroup.procs")).lines().count() as u64;
    let below = std::fs::read_dir(path).into_iter().flatten().flatten();
    own + below.filter(|entry| entry.file_type().is_ok_and(|t| t.is_dir())).map(|entry| processes(&entry.path())).sum::<u64>()
}

/// A kernel that does not measure pressure has no such file, or one that cannot be read.
fn pressure(path: &Path, file: &str) -> Option<PressureUse> {
    std::fs::read_to_string(path.join(file)).ok().map(|text| numbers::pressure(&text))
}

fn name(device: &DeviceUse) -> String {
    let uevent = read(format!("/sys/dev/block/{}:{}/uevent", device.major, device.minor));
    uevent.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(|name| format!("/dev/{name}")).unwrap_or_default()
}

fn open_files(container: &Container) -> Option<OpenFiles> {
    let processes = container.cgroup().processes();
    let first = processes.first()?;
    let mut open = OpenFiles {
        max_open_files: numbers::max_open_files(&read(format!("/proc/{}/limits", first.as_raw_nonzero()))),
        ..OpenFiles::default()
    };
    for process in processes.iter().take(MAX_COUNTED) {
        for entry in std::fs::read_dir(format!("/proc/{}/fd", process.as_raw_nonzero())).into_iter().flatten().flatten() {
            open.files += 1;
            if std::fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:")) {
                open.sockets += 1;
            }
        }
    }
    Some(open)
}

fn scratch() -> Option<ScratchUse> {
    let space = rustix::fs::statvfs(SCRATCH).ok()?;
    let disk = rustix::fs::stat(SCRATCH).ok()?.st_dev;
    let device = DeviceUse { major: rustix::fs::major(disk), minor: rustix::fs::minor(disk), ..DeviceUse::default() };
    Some(ScratchUse {
        device: name(&device),
        total_bytes: space.f_blocks * space.f_frsize,
        free_bytes: space.f_bavail * space.f_frsize,
        total_inodes: space.f_files,
        free_inodes: space.f_favail,
    })
}
