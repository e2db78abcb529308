//! One cgroup (v2) per container, all of them in one of the pod.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;

use crate::api::{CgroupSetting, Resources};
use crate::error::{Doing, Error, Kind, Result};
use crate::hugepages;
use crate::sys::devices::{self, Allowed};

const ROOT: &str = "/sys/fs/cgroup";
/// All containers together.
pub const POD: &str = "/sys/fs/cgroup/pod";

/// What container engines let a container open: the harmless ones, its terminals, and tun.
const DEVICES: [Allowed; 10] = [
    Allowed::characters(1, Some(3)),
    Allowed::characters(1, Some(5)),
    Allowed::characters(1, Some(7)),
    Allowed::characters(1, Some(8)),
    Allowed::characters(1, Some(9)),
    Allowed::characters(5, Some(0)),
    Allowed::characters(5, Some(1)),
    Allowed::characters(5, Some(2)),
    Allowed::characters(136, None),
    Allowed::characters(10, Some(200)),
];

pub fn mount() -> Result<()> {
    rustix::mount::mount("cgroup2", ROOT, "cgroup2", rustix::mount::MountFlags::empty(), None).doing(|| format!("mount {ROOT}"))?;
    enable(ROOT)?;
    std::fs::create_dir(POD).doing(|| format!("make {POD}"))?;
    enable(POD)
}

fn enable(cgroup: &str) -> Result<()> {
    let file = format!("{cgroup}/cgroup.subtree_control");
    std::fs::write(&file, "+cpu +memory +pids").doing(|| format!("enable the controllers of {cgroup}"))?;
    for controller in ["+io", "+cpuset", "+hugetlb"] {
        // What this kernel lacks is not measured, and its limits are refused by name.
        let _ = std::fs::write(&file, controller);
    }
    Ok(())
}

/// Where what belongs to no container runs.
pub fn root() -> Result<OwnedFd> {
    rustix::fs::open(ROOT, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).doing(|| format!("open {ROOT}"))
}

/// Attached to every container that is not privileged; the one without disks is loaded once.
pub fn device_filter(disks: &[Allowed]) -> Result<OwnedFd> {
    let all: Vec<Allowed> = DEVICES.iter().chain(disks).copied().collect();
    devices::load(&all).doing(|| "load the device filter")
}

#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    directory: OwnedFd,
}

impl Cgroup {
    pub fn create(container: &str, resources: &Resources) -> Result<Self> {
        // The prefix keeps an id from being the name of one of the cgroup's own files.
        let path = PathBuf::from(format!("{POD}/c-{container}"));
        std::fs::create_dir(&path).doing(|| format!("make the cgroup of {container}"))?;
        let directory = rustix::fs::open(&path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let cgroup = Self { directory: directory.doing(|| format!("open the cgroup of {container}"))?, path };
        match cgroup.limit(resources) {
            Ok(()) => Ok(cgroup),
            Err(e) => {
                let _ = std::fs::remove_dir(&cgroup.path);
                Err(e)
            }
        }
    }

    fn limit(&self, resources: &Resources) -> Result<()> {
        let number = |n: u64| (n > 0).then(|| n.to_string());
        let period = if resources.cpu_period_us == 0 { 100_000 } else { resources.cpu_period_us };
        let settings = [
            ("memory.max", number(resources.memory_max_bytes)),
            ("memory.min", number(resources.memory_min_bytes)),
            ("cpu.weight", number(resources.cpu_weight)),
            ("cpu.max", number(resources.cpu_quota_us).map(|quota| format!("{quota} {period}"))),
            ("pids.max", number(resources.pids_max)),
            // A container dies as a whole, as Kubernetes has it on cgroup v2.
            ("memory.oom.group", Some("1".to_owned())),
        ];
        for (file, value) in settings {
            if let Some(value) = value {
                write(&self.path, file, &value)?;
            }
        }
        set(&self.path, &resources.settings)
    }

    pub fn filter_devices(&self, filter: &OwnedFd) -> Result<()> {
        devices::attach(filter, &self.directory).doing(|| "attach the device filter")
    }

    pub fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn oom_killed(&self) -> bool {
        std::fs::read_to_string(self.path.join("memory.events")).is_ok_and(|events| killed_for_memory(&events))
    }

    pub fn processes(&self) -> Vec<Pid> {
        let list = std::fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default();
        list.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
    }

    pub fn kill(&self) -> Result<()> {
        match std::fs::write(self.path.join("cgroup.kill"), "1") {
            // removed by an earlier call that did not get further
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            done => done.doing(|| format!("kill the processes in {}", self.path.display())),
        }
    }

    /// The last processes may take a moment to go.
    pub async fn remove(&self) -> Result<()> {
        for attempt in 0..500 {
            match std::fs::remove_dir(&self.path) {
                Err(e) if e.kind() == std::io::ErrorKind::ResourceBusy && attempt < 499 => {
                    tokio::time::sleep(Duration::from_millis(if attempt < 20 { 1 } else { 10 })).await;
                }
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                result => return result.doing(|| format!("remove the cgroup {}", self.path.display())),
            }
        }
        Ok(())
    }
}

/// In their order: a limit may have to move before another can. Where one is refused those before it are taken back.
pub fn set(cgroup: &Path, settings: &[CgroupSetting]) -> Result<()> {
    let mut before: Vec<(&str, String)> = Vec::new();
    for setting in settings {
        if setting.value == "0" && hugepages::limits(&setting.file) && !cgroup.join(&setting.file).exists() {
            continue;
        }
        let was = std::fs::read_to_string(cgroup.join(&setting.file)).unwrap_or_default();
        if let Err(e) = write(cgroup, &setting.file, &setting.value) {
            for (file, value) in before.into_iter().rev() {
                let _ = write(cgroup, file, &value);
            }
            return Err(e);
        }
        before.push((setting.file.as_str(), was));
    }
    Ok(())
}

fn write(cgroup: &Path, file: &str, value: &str) -> Result<()> {
    std::fs::write(cgroup.join(file), value).map_err(|e| Error::new(Kind::Invalid, format!("resources: cannot set {file} to {value}: {e}")))
}

fn killed_for_memory(events: &str) -> bool {
    events.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_limit_is_refused_none_changes() -> std::io::Result<()> {
        let directory = std::env::temp_dir().join(format!("podvm-cgroup-{}", std::process::id()));
        // A directory takes no value.
        std::fs::create_dir_all(directory.join("pids.max"))?;
        std::fs::write(directory.join("memory.max"), "max\n")?;
        let setting = |file: &str| CgroupSetting { file: file.into(), value: "7".into() };
        let refused = set(&directory, &[setting("memory.max"), setting("pids.max")]);
        let kept = std::fs::read_to_string(directory.join("memory.max"))?;
        let taken = set(&directory, &[setting("memory.max")]);
        let written = std::fs::read_to_string(directory.join("memory.max"))?;
        std::fs::remove_dir_all(&directory)?;
        assert!(refused.is_err_and(|e| e.message.contains("pids.max")));
        assert_eq!(kept, "max\n");
        assert!(taken.is_ok());
        assert_eq!(written, "7");
        Ok(())
    }

    #[test]
    fn large_pages_that_the_machine_does_not_have_are_limited_to_none_already() {
        let setting = |value: &str| CgroupSetting { file: "hugetlb.1GB.max".into(), value: value.into() };
        let nowhere = Path::new("/nowhere");
        assert!(set(nowhere, &[setting("0")]).is_ok());
        assert!(set(nowhere, &[setting("1073741824")]).is_err());
    }

    #[test]
    fn only_the_count_of_kills_tells_of_a_kill() {
        assert!(!killed_for_memory("low 0\noom 3\noom_kill 0\noom_group_kill 0\n"));
        assert!(killed_for_memory("low 0\noom 3\noom_kill 2\noom_group_kill 1\n"));
    }
}
