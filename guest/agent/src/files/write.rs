//! Files on their way into a container.

use std::fs::File;
use std::io::Write;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use tokio::sync::mpsc;

use crate::api::{FileEntry, FilePiece, WriteFilesStart, file_entry::Kind as Entry, file_piece::Piece};
use crate::error::{Error, Kind, Result};

use super::{Root, refused, reopen};

const LONGEST_PATH: usize = 4096;

pub fn run(root: &Root, start: &WriteFilesStart, mut pieces: mpsc::Receiver<Option<FilePiece>>) -> Result<()> {
    let mut writer = Writer::begin(root, start)?;
    loop {
        match pieces.blocking_recv() {
            Some(Some(FilePiece { piece: Some(Piece::Entry(entry)) })) => writer.entry(&entry)?,
            Some(Some(FilePiece { piece: Some(Piece::Data(data)) })) => writer.data(&data)?,
            Some(Some(FilePiece { piece: None })) => return Err(Error::invalid("piece: neither an entry nor data")),
            Some(None) => return writer.end(),
            None => return Err(Error::new(Kind::Aborted, "the copy was given up")),
        }
    }
}

struct Writer<'a> {
    root: &'a Root,
    asked: String,
    base: OwnedFd,
    /// Under which what is copied stands in `base`; empty: it is `base`.
    name: String,
    /// An existing file that is written anew.
    present: Option<OwnedFd>,
    open: Option<(File, FileEntry)>,
    /// Whose times and modes are set last: to fill them changes the former, and the latter may forbid it.
    directories: Vec<FileEntry>,
}

impl<'a> Writer<'a> {
    fn begin(root: &'a Root, start: &WriteFilesStart) -> Result<Self> {
        let path = start.path.as_str();
        let bare = path.trim_end_matches('/');
        let fail = |e| refused("write to", path, e);
        let writer = |base, name: &str, present| Self {
            root,
            asked: bare.to_owned(),
            base,
            name: name.to_owned(),
            present,
            open: None,
            directories: Vec::new(),
        };
        match root.find(path, OFlags::empty()) {
            Ok(found) => {
                let kind = FileType::from_raw_mode(rustix::fs::fstat(&found).map_err(fail)?.st_mode);
                if kind == FileType::Directory && start.contents {
                    return Ok(writer(found, "", None));
                }
                if kind == FileType::Directory {
                    check(&start.name, true)?;
                    return Ok(writer(found, &start.name, None));
                }
                if start.directory {
                    return Err(Error::precondition(format!("{path:?} in the container is a file, and cannot become a directory")));
                }
                Ok(writer(root.find("/", OFlags::empty()).map_err(fail)?, "", Some(found)))
            }
            Err(Errno::NOENT) => {
                if !start.directory && bare != path {
                    return Err(Error::not_found(format!("there is no directory {path:?} in the container")));
                }
                let (parent, name) = bare.rsplit_once('/').unwrap_or(("", bare));
                check(name, true)?;
                Ok(writer(root.find(parent, OFlags::DIRECTORY).map_err(fail)?, name, None))
            }
            Err(e) => Err(fail(e)),
        }
    }

    fn shown(&self, path: &str) -> String {
        if path.is_empty() { self.asked.clone() } else { format!("{}/{path}", self.asked) }
    }

    /// The directory that holds the entry, and its name there. No link on the way there is followed.
    fn place(&self, path: &str) -> Result<(OwnedFd, String)> {
        if !path.is_empty() {
            check(path, false)?;
        }
        let whole = match (self.name.as_str(), path) {
            ("", path) => path.to_owned(),
            (name, "") => name.to_owned(),
            (name, path) => format!("{name}/{path}"),
        };
        let (parent, name) = whole.rsplit_once('/').unwrap_or((".", whole.as_str()));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let parent = rustix::fs::openat2(&self.base, parent, flags, Mode::empty(), resolve);
        Ok((parent.map_err(|e| refused("write to", &self.shown(path), e))?, name.to_owned()))
    }

    fn entry(&mut self, entry: &FileEntry) -> Result<()> {
        self.finish()?;
        if entry.path.is_empty() && self.name.is_empty() {
            return match (self.present.take(), entry.kind()) {
                (Some(present), Entry::File) => self.again(&present, entry),
                (Some(_), _) => Err(Error::precondition(format!("{:?} in the container is there already", self.asked))),
                // The directory that it goes into keeps what it has.
                (None, _) => Ok(()),
            };
        }
        let (parent, name) = self.place(&entry.path)?;
        let shown = self.shown(&entry.path);
        let fail = |e| refused("make", &shown, e);
        if entry.kind() == Entry::Directory {
            return self.directory(&parent, &name, entry, &shown);
        }
        let first = if entry.kind() == Entry::HardLink { Some(self.place(&entry.target)?) } else { None };
        clear(&parent, &name).map_err(fail)?;
        match entry.kind() {
            Entry::File => {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let made = rustix::fs::openat(&parent, &name, flags, Mode::from_raw_mode(0o600)).map_err(fail)?;
                self.open = Some((File::from(made), entry.clone()));
                return Ok(());
            }
            Entry::HardLink => {
                let Some((from, first)) = first else {
                    return Err(Error::internal("a hard link without its file"));
                };
                return rustix::fs::linkat(&from, &first, &parent, &name, AtFlags::empty()).map_err(fail);
            }
            Entry::Symlink => rustix::fs::symlinkat(&entry.target, &parent, &name).map_err(fail)?,
            Entry::Fifo => {
                let mode = Mode::from_raw_mode(entry.mode & 0o7777);
                rustix::fs::mknodat(&parent, &name, FileType::Fifo, mode, 0).map_err(fail)?;
            }
            _ => return Err(Error::invalid(format!("{shown:?}: nothing that can be copied"))),
        }
        let (uid, gid) = self.owner(entry);
        rustix::fs::chownat(&parent, &name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
        rustix::fs::utimensat(&parent, &name, &times(entry), AtFlags::SYMLINK_NOFOLLOW).map_err(fail)
    }

    fn owner(&self, entry: &FileEntry) -> (Uid, Gid) {
        let (uid, gid) = self.root.owner_outside(entry.uid, entry.gid);
        (Uid::from_raw(uid), Gid::from_raw(gid))
    }

    /// Its owner and its mode stay, as with cp.
    fn again(&mut self, present: &OwnedFd, entry: &FileEntry) -> Result<()> {
        let asked = self.asked.clone();
        let fail = |e| refused("write to", &asked, e);
        let stat = rustix::fs::fstat(present).map_err(fail)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::precondition(format!("{asked:?} in the container is no ordinary file")));
        }
        let open = reopen(present.as_fd(), OFlags::WRONLY | OFlags::TRUNC).map_err(fail)?;
        let (uid, gid) = self.root.owner_inside(stat.st_uid, stat.st_gid);
        self.open = Some((File::from(open), FileEntry { mode: stat.st_mode & 0o7777, uid, gid, ..entry.clone() }));
        Ok(())
    }

    fn directory(&mut self, parent: &OwnedFd, name: &str, entry: &FileEntry, shown: &str) -> Result<()> {
        let fail = |e| refused("make", shown, e);
        match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700)) {
            Ok(()) => {
                let (uid, gid) = self.owner(entry);
                rustix::fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).map_err(fail)?;
                self.directories.push(entry.clone());
                Ok(())
            }
            // One that is there keeps what it has, and is filled; what is no directory is told.
            Err(Errno::EXIST) => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                rustix::fs::openat(parent, name, flags, Mode::empty()).map(|_| ()).map_err(fail)
            }
            Err(e) => Err(fail(e)),
        }
    }

    fn data(&mut self, data: &[u8]) -> Result<()> {
        let asked = &self.asked;
        let Some((file, entry)) = &mut self.open else {
            return Err(Error::invalid("data: they belong to no file"));
        };
        file.write_all(data).map_err(|e| {
            let kind = if e.raw_os_error() == Some(libc::ENOSPC) { Kind::Exhausted } else { Kind::Precondition };
            Error::new(kind, format!("cannot write {asked}/{} in the container, which is there in part: {e}", entry.path))
        })
    }

    fn finish(&mut self) -> Result<()> {
        let Some((file, entry)) = self.open.take() else {
            return Ok(());
        };
        let fail = |e| refused("finish", &self.shown(&entry.path), e);
        let (uid, gid) = self.owner(&entry);
        rustix::fs::fchown(&file, Some(uid), Some(gid)).map_err(fail)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(entry.mode & 0o7777)).map_err(fail)?;
        rustix::fs::futimens(&file, &times(&entry)).map_err(fail)
    }

    fn end(mut self) -> Result<()> {
        self.finish()?;
        for entry in self.directories.iter().rev() {
            let fail = |e| refused("finish", &self.shown(&entry.path), e);
            let (parent, name) = self.place(&entry.path)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let made = rustix::fs::openat(&parent, &name, flags, Mode::empty()).map_err(fail)?;
            rustix::fs::fchmod(&made, Mode::from_raw_mode(entry.mode & 0o7777)).map_err(fail)?;
            rustix::fs::futimens(&made, &times(entry)).map_err(fail)?;
        }
        Ok(())
    }
}

/// A directory is never removed for a file.
fn clear(parent: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

fn times(entry: &FileEntry) -> Timestamps {
    let time =
        Timespec { tv_sec: entry.modified_unix_ns.div_euclid(1_000_000_000), tv_nsec: entry.modified_unix_ns.rem_euclid(1_000_000_000) };
    Timestamps { last_access: time, last_modification: time }
}

fn check(path: &str, one: bool) -> Result<()> {
    let good = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if path.len() > LONGEST_PATH || !path.split('/').all(good) || (one && path.contains('/')) {
        return Err(Error::invalid(format!("not a name of a file: {:?}", path.chars().take(200).collect::<String>())));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;

    fn root(name: &str) -> (PathBuf, Root) {
        let path = std::env::temp_dir().join(format!("podvm-files-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("root")).unwrap();
        let fd = rustix::fs::open(path.join("root"), OFlags::PATH, Mode::empty()).unwrap();
        (path, Root { fd, users: String::new(), groups: String::new() })
    }

    fn entry(path: &str, kind: Entry, target: &str) -> FilePiece {
        let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let mode = if kind == Entry::Directory { 0o750 } else { 0o640 };
        let entry = FileEntry { path: path.into(), kind: kind.into(), mode, uid, gid, target: target.into(), ..FileEntry::default() };
        FilePiece { piece: Some(Piece::Entry(entry)) }
    }

    fn data(text: &str) -> FilePiece {
        FilePiece { piece: Some(Piece::Data(text.as_bytes().to_vec())) }
    }

    fn start(path: &str, name: &str, directory: bool, contents: bool) -> WriteFilesStart {
        WriteFilesStart { path: path.into(), name: name.into(), directory, contents, ..WriteFilesStart::default() }
    }

    fn write(root: &Root, start: &WriteFilesStart, pieces: Vec<FilePiece>) -> Result<()> {
        let (sender, receiver) = mpsc::channel(100);
        for piece in pieces {
            sender.blocking_send(Some(piece)).unwrap();
        }
        sender.blocking_send(None).unwrap();
        run(root, start, receiver)
    }

    fn copied(root: &Root, path: &str) -> Vec<String> {
        let (out, mut taken) = mpsc::channel(100);
        super::super::read::run(root, path, &out).unwrap();
        drop(out);
        let mut told = Vec::new();
        while let Some(Ok(piece)) = taken.blocking_recv() {
            match piece.piece {
                Some(Piece::Entry(e)) => told.push(format!("{:?} {} {}", e.kind(), e.path, e.target)),
                Some(Piece::Data(d)) => told.push(String::from_utf8_lossy(&d).into_owned()),
                None => {}
            }
        }
        told
    }

    #[test]
    fn what_is_written_is_read_again() {
        let (path, root) = root("again");
        std::fs::create_dir(path.join("root/tmp")).unwrap();
        let tree = vec![
            entry("", Entry::Directory, ""),
            entry("a", Entry::File, ""),
            data("one"),
            data(" two"),
            entry("b", Entry::HardLink, "a"),
            entry("c", Entry::Symlink, "/nowhere"),
            entry("d", Entry::Directory, ""),
            entry("d/e", Entry::Fifo, ""),
        ];
        write(&root, &start("/tmp", "tree", true, false), tree.clone()).unwrap();
        assert_eq!(
            copied(&root, "/tmp/tree"),
            ["Directory  ", "File a ", "one two", "HardLink b a", "Symlink c /nowhere", "Directory d ", "Fifo d/e "]
        );
        let file = std::fs::metadata(path.join("root/tmp/tree/a")).unwrap();
        assert_eq!((file.permissions().mode() & 0o7777, file.nlink(), file.mtime()), (0o640, 2, 0));
        // A name that is not there becomes the copy itself; contents go into what is there.
        write(&root, &start("/tmp/new", "tree", true, false), tree.clone()).unwrap();
        assert!(path.join("root/tmp/new/d").is_dir());
        write(&root, &start("/tmp/new", "tree", true, true), tree).unwrap();
        assert!(!path.join("root/tmp/new/tree").exists());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_file_finds_its_place_as_with_cp() {
        let (path, root) = root("place");
        std::fs::create_dir(path.join("root/dir")).unwrap();
        std::fs::write(path.join("root/old"), "longer than before").unwrap();
        let file = || vec![entry("", Entry::File, ""), data("new")];
        write(&root, &start("/dir", "f", false, false), file()).unwrap();
        write(&root, &start("/dir/g", "f", false, false), file()).unwrap();
        write(&root, &start("/old", "f", false, false), file()).unwrap();
        for name in ["dir/f", "dir/g", "old"] {
            assert_eq!(std::fs::read_to_string(path.join("root").join(name)).unwrap(), "new", "{name}");
        }
        assert_eq!(write(&root, &start("/none/", "f", false, false), file()).unwrap_err().kind, Kind::NotFound);
        assert_eq!(write(&root, &start("/none/f", "f", false, false), file()).unwrap_err().kind, Kind::NotFound);
        assert_eq!(write(&root, &start("/old", "t", true, false), vec![]).unwrap_err().kind, Kind::Precondition);
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn nothing_is_written_outside() {
        let (path, root) = root("outside");
        std::fs::create_dir(path.join("root/in")).unwrap();
        symlink("../..", path.join("root/in/up")).unwrap();
        symlink("/", path.join("root/whole")).unwrap();
        let into = start("/in", "", true, true);
        for bad in ["../x", "a/../../x", "/x", "a//x", ".", "up/x"] {
            let refused = write(&root, &into, vec![entry("", Entry::Directory, ""), entry(bad, Entry::File, ""), data("x")]);
            assert!(refused.is_err(), "{bad}");
        }
        let link = vec![entry("l", Entry::Symlink, "../.."), entry("l/x", Entry::File, ""), data("x")];
        assert!(write(&root, &into, link).is_err());
        assert!(write(&root, &into, vec![entry("h", Entry::HardLink, "../../secret")]).is_err());
        // A link in the path itself stays inside the root.
        write(&root, &start("/whole/in/up", "f", false, false), vec![entry("", Entry::File, ""), data("x")]).unwrap();
        assert!(path.join("root/f").exists());
        assert!(!path.join("x").exists() && !path.join("f").exists());
        std::fs::remove_dir_all(path).unwrap();
    }
}
