//! Directories of files that the daemon keeps up to date, laid out as Kubernetes does: the files lie in a dated directory, `..data`
//! points to it, and every top-level name is a link through `..data`, so that all files change at once.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path};

use rustix::fs::{Gid, Mode, Uid};

use crate::api::VolumeFile;
use crate::disks::make_directory;
use crate::error::{Doing, Error, Kind, Result};

pub const ROOT: &str = "/run/podvm/volumes";
const MAX_VOLUMES: usize = 512;
const MAX_FILES: usize = 8192;
const MAX_PATH: usize = 1024;

/// Replaces all files of a volume, or makes it.
pub fn put(name: &str, files: &[VolumeFile]) -> Result<()> {
    put_below(Path::new(ROOT), name, files)
}

fn put_below(root: &Path, name: &str, files: &[VolumeFile]) -> Result<()> {
    if files.len() > MAX_FILES {
        return Err(Error::invalid(format!("files: {} are more than {MAX_FILES}", files.len())));
    }
    for file in files {
        check_path(&file.path)?;
    }
    let volume = root.join(name);
    if !volume.exists() {
        if fs::read_dir(root).doing(|| "list the volumes")?.count() >= MAX_VOLUMES {
            return Err(Error::new(Kind::Exhausted, format!("volume {name}: there are {MAX_VOLUMES} volumes already")));
        }
        make_directory(&volume.to_string_lossy())?;
    }
    let old = fs::read_link(volume.join("..data")).ok();
    let dated = unused_name(&volume)?;
    let new = volume.join(&dated);
    fs::create_dir(&new).doing(|| format!("make volume {name}"))?;
    let filled = files.iter().try_for_each(|file| write(&new, file)).and_then(|()| swap(&volume, &dated, files));
    if filled.is_err() {
        let _ = fs::remove_dir_all(&new);
    } else if let Some(old) = old {
        let _ = fs::remove_dir_all(volume.join(old));
    }
    filled.map_err(|e| Error::new(e.kind, format!("volume {name}: {e}")))
}

fn unused_name(volume: &Path) -> Result<String> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    (0..1000)
        .map(|i| format!("..{}.{:09}.{i}", now.tv_sec, now.tv_nsec))
        .find(|name| !volume.join(name).exists())
        .ok_or_else(|| Error::internal("no free name for the files"))
}

fn write(directory: &Path, file: &VolumeFile) -> Result<()> {
    let path = directory.join(&file.path);
    let doing = || format!("write {}", file.path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).doing(doing)?;
    }
    let mut out = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).doing(doing)?;
    std::io::Write::write_all(&mut out, &file.content).doing(doing)?;
    rustix::fs::fchown(&out, Some(Uid::from_raw(file.uid)), Some(Gid::from_raw(file.gid))).doing(doing)?;
    rustix::fs::fchmod(&out, Mode::from_bits_retain(file.mode & 0o7777)).doing(doing)
}

/// Points `..data` to the new files, then brings the top-level names in line.
fn swap(volume: &Path, dated: &str, files: &[VolumeFile]) -> Result<()> {
    let fresh = volume.join("..data_tmp");
    let _ = fs::remove_file(&fresh);
    symlink(dated, &fresh).doing(|| "link the new files")?;
    fs::rename(&fresh, volume.join("..data")).doing(|| "swap in the new files")?;
    let names: BTreeSet<&str> = files.iter().filter_map(|f| f.path.split('/').next()).collect();
    for name in &names {
        let link = volume.join(name);
        if fs::symlink_metadata(&link).is_err() {
            symlink(Path::new("..data").join(name), &link).doing(|| format!("link {name}"))?;
        }
    }
    for entry in fs::read_dir(volume).doing(|| "list the files")?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("..") && !names.contains(name.as_str()) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn check_path(path: &str) -> Result<()> {
    let plain = Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    let clean = !path.is_empty() && path.len() <= MAX_PATH && !path.ends_with('/') && !path.contains("//") && !path.contains('\0');
    // Names that begin with two dots are those of the layout itself.
    if plain && clean && !path.starts_with("..") && !path.split('/').any(|part| part == ".") {
        Ok(())
    } else {
        Err(Error::invalid(format!("files.path: not a relative path without empty elements and '..': {path:?}")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::path::PathBuf;

    fn root(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("podvm-volumes-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn file(path: &str, content: &str) -> VolumeFile {
        let meta = fs::metadata("/proc/self").unwrap();
        VolumeFile { path: path.into(), content: content.into(), mode: 0o640, uid: meta.uid(), gid: meta.gid() }
    }

    #[test]
    fn a_second_put_replaces_all_files_at_once() {
        let root = root("replace");
        put_below(&root, "v", &[file("a", "1"), file("dir/b", "2")]).unwrap();
        assert_eq!(fs::read_to_string(root.join("v/dir/b")).unwrap(), "2");
        assert_eq!(fs::metadata(root.join("v/a")).unwrap().mode() & 0o777, 0o640);
        put_below(&root, "v", &[file("a", "3"), file("c", "4")]).unwrap();
        assert_eq!(fs::read_to_string(root.join("v/a")).unwrap(), "3");
        assert_eq!(fs::read_to_string(root.join("v/c")).unwrap(), "4");
        assert!(fs::symlink_metadata(root.join("v/dir")).is_err());
        let dated = fs::read_dir(root.join("v")).unwrap().flatten().filter(|e| e.file_type().unwrap().is_dir()).count();
        assert_eq!(dated, 1);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for bad in ["", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a/./b", "..data", "..", "a\0b"] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "a/b.c", "a..b", ".hidden"] {
            assert!(check_path(good).is_ok(), "{good:?}");
        }
    }
}
