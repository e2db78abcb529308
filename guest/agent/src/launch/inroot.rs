//! Paths of a container's file system, resolved so that symbolic links never lead out of it.

use std::path::{Component, Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::{Doing, Error, Result};

/// As many as the kernel follows in one path.
const MAX_LINKS: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    Nothing,
    Directory(u32),
    File,
}

/// Opens `path` below `root` as a place (`O_PATH`), following links inside `root`; makes what is missing.
pub fn open(root: impl AsFd, path: &str, make: Make) -> Result<OwnedFd> {
    let root = root.as_fd();
    match place(root, path) {
        Err(Errno::NOENT) if make != Make::Nothing => {
            let parts = parts(path)?;
            let mut links = 0;
            let made = make_parts(root, &parts, make, &mut links)?;
            place(root, &made).doing(|| format!("open {path}"))
        }
        result => result.doing(|| format!("open {path}")),
    }
}

fn place(root: BorrowedFd<'_>, path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    open_in(root, path, OFlags::PATH)
}

/// Opens a file or directory of the container.
pub fn open_in(root: BorrowedFd<'_>, path: impl rustix::path::Arg, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
}

/// The names that make up a path; ".." is resolved by its text, as container engines do for mount points.
fn parts(path: &str) -> Result<Vec<String>> {
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::RootDir | Component::CurDir => {}
            Component::Prefix(_) => return Err(Error::invalid(format!("not a path: {path}"))),
        }
    }
    Ok(parts)
}

/// Returns the path under which the last part was made or found.
fn make_parts(root: BorrowedFd<'_>, parts: &[String], make: Make, links: &mut usize) -> Result<PathBuf> {
    let mut at = PathBuf::from("/");
    for (i, part) in parts.iter().enumerate() {
        let next = at.join(part);
        let is_last = i + 1 == parts.len();
        match place(root, &next) {
            Ok(_) => at = next,
            Err(Errno::NOENT) => {
                let parent = place(root, &at).doing(|| format!("open {}", at.display()))?;
                if let Ok(target) = rustix::fs::readlinkat(&parent, part.as_str(), Vec::new()) {
                    at = follow(root, &at, &target.to_string_lossy(), if is_last { make } else { Make::Directory(0o755) }, links)?;
                    continue;
                }
                let made = match make {
                    Make::File if is_last => rustix::fs::openat(
                        &parent,
                        part.as_str(),
                        OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC,
                        0o644.into(),
                    )
                    .map(|_| ()),
                    Make::Directory(mode) if is_last => rustix::fs::mkdirat(&parent, part.as_str(), mode.into()),
                    _ => rustix::fs::mkdirat(&parent, part.as_str(), 0o755.into()),
                };
                match made {
                    Ok(()) | Err(Errno::EXIST) => at = next,
                    Err(e) => return Err(e).doing(|| format!("make {}", next.display())),
                }
            }
            Err(e) => return Err(e).doing(|| format!("open {}", next.display())),
        }
    }
    Ok(at)
}

/// A link that leads nowhere yet: makes its target.
fn follow(root: BorrowedFd<'_>, at: &Path, target: &str, make: Make, links: &mut usize) -> Result<PathBuf> {
    *links += 1;
    if *links > MAX_LINKS {
        return Err(Error::invalid(format!("too many symbolic links at {}", at.display())));
    }
    let target = at.join(target);
    make_parts(root, &parts(&target.to_string_lossy())?, make, links)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn root(name: &str) -> (PathBuf, OwnedFd) {
        let path = std::env::temp_dir().join(format!("podvm-inroot-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("root")).unwrap();
        let fd = rustix::fs::open(path.join("root"), OFlags::PATH, Mode::empty()).unwrap();
        (path, fd)
    }

    #[test]
    fn missing_directories_are_made_below_the_root() {
        let (path, fd) = root("make");
        open(&fd, "/a/b/file", Make::File).unwrap();
        assert!(path.join("root/a/b/file").is_file());
        open(&fd, "/../../c", Make::Directory(0o700)).unwrap();
        assert!(path.join("root/c").is_dir());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn links_that_point_outside_stay_inside() {
        let (path, fd) = root("links");
        symlink("/run", path.join("root/var-run")).unwrap();
        symlink("../../../outside", path.join("root/up")).unwrap();
        open(&fd, "/var-run/secrets", Make::Directory(0o755)).unwrap();
        open(&fd, "/up/x", Make::File).unwrap();
        assert!(path.join("root/run/secrets").is_dir());
        assert!(path.join("root/up").is_symlink());
        assert!(path.join("root/outside/x").is_file());
        assert!(!path.join("outside").exists());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn links_in_a_circle_end_with_an_error() {
        let (path, fd) = root("circle");
        symlink("/b", path.join("root/a")).unwrap();
        symlink("/a", path.join("root/b")).unwrap();
        assert!(open(&fd, "/a/x", Make::File).is_err());
        std::fs::remove_dir_all(path).unwrap();
    }
}
