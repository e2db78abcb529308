//! Bounds of what the daemon may send. Every refusal names the field.

use crate::api::{CgroupSetting, CreateContainerRequest, Mount, Process, Resources, SeccompMode, User, mount};
use crate::disks::check_serial;
use crate::error::{Error, Result};
use crate::hugepages;
use crate::launch::{capabilities, prepare, seccomp};

const MAX_LAYERS: usize = 200;
const MAX_MOUNTS: usize = 512;
const MAX_STRINGS: usize = 16 * 1024;
const MAX_BYTES: usize = 2 << 20;
const MAX_GUARDED: usize = 256;
const MAX_PATH: usize = 4095;
/// The last number means "none".
const MAX_ID: u64 = u32::MAX as u64;
const MAX_GROUPS: usize = 65_536;
const MAX_SETTINGS: usize = 64;
const MAX_VALUE: usize = 4096;

fn refuse<T>(field: &str, why: impl std::fmt::Display) -> Result<T> {
    Err(Error::invalid(format!("{field}: {why}")))
}

/// Names become file names and cgroup names.
pub fn id(field: &str, id: &str) -> Result<()> {
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && id != "."
        && id != "..";
    if fits { Ok(()) } else { refuse(field, format_args!("not 1 to 64 of a-z, 0-9, '.', '_', '-': {id:?}")) }
}

pub fn at_most(field: &str, count: usize, max: usize) -> Result<()> {
    if count <= max { Ok(()) } else { refuse(field, format_args!("{count} are more than {max}")) }
}

pub fn container(request: &CreateContainerRequest) -> Result<()> {
    id("id", &request.id)?;
    let Some(root) = &request.root else {
        return refuse("root", "missing");
    };
    layers("root.layer_serials", &root.layer_serials)?;
    let Some(process) = &request.process else {
        return refuse("process", "missing");
    };
    self::process(process)?;
    if process.args.is_empty() {
        return refuse("process.args", "no program is named");
    }
    at_most("mounts", request.mounts.len(), MAX_MOUNTS)?;
    request.mounts.iter().try_for_each(mount)?;
    if let Some(security) = &request.security {
        let granted = capabilities::parse(&security.capabilities)?;
        let ambient = capabilities::parse(&security.ambient_capabilities)?;
        if !security.privileged && !granted.contains(ambient) {
            return refuse("security.ambient_capabilities", "not among the capabilities");
        }
        if security.seccomp() == SeccompMode::Filter {
            seccomp::from_wire(&security.seccomp_filter)?;
        }
        let guarded = security.guarded_paths.clone().unwrap_or_default();
        at_most("security.guarded_paths", guarded.masked.len() + guarded.read_only.len(), MAX_GUARDED)?;
        guarded.masked.iter().chain(&guarded.read_only).try_for_each(|p| path("security.guarded_paths", p))?;
    }
    if let Some(users) = &request.user_namespace {
        let last = |first: u32| u64::from(first) + u64::from(users.length);
        if users.length == 0 || users.first_uid == 0 || users.first_gid == 0 || last(users.first_uid.max(users.first_gid)) > MAX_ID {
            return refuse("user_namespace", format_args!("not a mapping to users of the machine other than root: {users:?}"));
        }
    }
    resources(&request.resources.clone().unwrap_or_default())
}

fn layers(field: &str, serials: &[String]) -> Result<()> {
    if serials.is_empty() {
        return refuse(field, "at least one layer is needed");
    }
    at_most(field, serials.len(), MAX_LAYERS)?;
    for (i, serial) in serials.iter().enumerate() {
        check_serial(field, serial)?;
        if serials[..i].contains(serial) {
            return refuse(field, format_args!("{serial} is named twice"));
        }
    }
    Ok(())
}

pub fn process(process: &Process) -> Result<()> {
    strings("process.args", &process.args)?;
    strings("process.env", &process.env)?;
    if process.env.iter().any(|e| e.find('=').is_none_or(|at| at == 0)) {
        return refuse("process.env", "an entry is not NAME=value");
    }
    if !process.working_dir.is_empty() {
        path("process.working_dir", &process.working_dir)?;
    }
    if let Some(limit) = process.rlimits.iter().find(|l| prepare::resource(&l.name).is_none() || l.soft > l.hard) {
        return refuse("process.rlimits", format_args!("unknown, or soft above hard: {} {}:{}", limit.name, limit.soft, limit.hard));
    }
    if !(-1000..=1000).contains(&process.oom_score_adj) {
        return refuse("process.oom_score_adj", format_args!("{} is not in -1000..1000", process.oom_score_adj));
    }
    user(&process.user.clone().unwrap_or_default())
}

fn user(user: &User) -> Result<()> {
    if user.user.len() > 256 || user.user.contains(['\0', '\n']) {
        return refuse("process.user.user", "not a user name");
    }
    at_most("process.user.supplemental_gids", user.supplemental_gids.len(), MAX_GROUPS)
}

fn strings(field: &str, strings: &[String]) -> Result<()> {
    at_most(field, strings.len(), MAX_STRINGS)?;
    if strings.iter().map(String::len).sum::<usize>() > MAX_BYTES {
        return refuse(field, format_args!("longer than {MAX_BYTES} bytes together"));
    }
    if strings.iter().any(|s| s.contains('\0')) {
        return refuse(field, "holds a NUL character");
    }
    Ok(())
}

fn path(field: &str, path: &str) -> Result<()> {
    if path.starts_with('/') && path.len() <= MAX_PATH && !path.contains('\0') {
        Ok(())
    } else {
        refuse(field, format_args!("not an absolute path: {path:?}"))
    }
}

fn mount(mount: &Mount) -> Result<()> {
    path("mounts.destination", &mount.destination)?;
    if mount.destination.split('/').all(|part| part.is_empty() || part == ".") {
        return refuse("mounts.destination", "the root itself cannot be mounted over");
    }
    match &mount.source {
        Some(mount::Source::Volume(name)) => id("mounts.volume", name)?,
        Some(mount::Source::EmptyDir(name)) => id("mounts.empty_dir", name)?,
        Some(mount::Source::Tmpfs(tmpfs)) => id("mounts.tmpfs.name", &tmpfs.name)?,
        Some(mount::Source::Share(share)) => id("mounts.share.name", &share.name)?,
        Some(mount::Source::Image(image)) => layers("mounts.image.layer_serials", &image.layer_serials)?,
        Some(mount::Source::DiskSerial(serial)) => check_serial("mounts.disk_serial", serial)?,
        Some(mount::Source::Hugepages(pages)) => id("mounts.hugepages.name", &pages.name)?,
        Some(mount::Source::Socket(name)) => id("mounts.socket", name)?,
        None => return refuse("mounts.source", format_args!("missing for {}", mount.destination)),
    }
    if mount.sub_path.len() > MAX_PATH || mount.sub_path.contains('\0') {
        return refuse("mounts.sub_path", "not a path");
    }
    Ok(())
}

fn resources(resources: &Resources) -> Result<()> {
    if resources.cpu_weight > 10_000 {
        return refuse("resources.cpu_weight", format_args!("{} is not in 1..10000", resources.cpu_weight));
    }
    if resources.cpu_period_us != 0 && !(1000..=1_000_000).contains(&resources.cpu_period_us) {
        return refuse("resources.cpu_period_us", format_args!("{} is not in 1000..1000000", resources.cpu_period_us));
    }
    if resources.cpu_quota_us != 0 && resources.cpu_quota_us < 1000 {
        return refuse("resources.cpu_quota_us", format_args!("{} is less than the kernel's 1000", resources.cpu_quota_us));
    }
    settings("resources.settings", &resources.settings)
}

/// Files of a cgroup that the daemon may write.
const SETTINGS: [&str; 13] = [
    "cpu.idle",
    "cpu.max",
    "cpu.max.burst",
    "cpu.weight",
    "cpuset.cpus",
    "cpuset.mems",
    "io.max",
    "io.weight",
    "memory.high",
    "memory.low",
    "memory.max",
    "memory.min",
    "pids.max",
];

pub fn settings(field: &str, settings: &[CgroupSetting]) -> Result<()> {
    at_most(field, settings.len(), MAX_SETTINGS)?;
    for setting in settings {
        if !SETTINGS.contains(&setting.file.as_str()) && !hugepages::limits(&setting.file) {
            return refuse(field, format_args!("not a limit that can be set: {:?}", setting.file));
        }
        if setting.value.is_empty() || setting.value.len() > MAX_VALUE || setting.value.contains('\0') {
            return refuse(field, format_args!("{} has no value that a file of a cgroup could take", setting.file));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_written_by_its_known_files_alone() {
        let setting = |file: &str, value: &str| [CgroupSetting { file: file.into(), value: value.into() }];
        assert!(settings("s", &setting("memory.max", "max")).is_ok());
        for (file, value) in [("cgroup.procs", "1"), ("../memory.max", "1"), ("memory.max", ""), ("memory.max", "1\0"), ("hugetlb.x", "1")]
        {
            assert!(settings("s", &setting(file, value)).is_err(), "{file}");
        }
    }

    #[test]
    fn an_id_is_a_plain_name() {
        for bad in ["", ".", "..", "a/b", "A", "a b", &"x".repeat(65)] {
            assert!(id("id", bad).is_err(), "{bad:?}");
        }
        assert!(id("id", "web-1_a.b").is_ok());
    }

    #[test]
    fn a_refusal_names_the_field() {
        let error = container(&CreateContainerRequest { id: "a".into(), ..Default::default() }).err();
        assert!(error.is_some_and(|e| e.message.starts_with("root:")));
        let wrong = Process { env: vec!["=x".into()], ..Process::default() };
        assert!(process(&wrong).err().is_some_and(|e| e.message.starts_with("process.env:")));
    }
}
