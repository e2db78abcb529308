//! Files of a container on their way out.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::api::{FileEntry, FilePiece, file_entry::Kind as Entry, file_piece::Piece};
use crate::error::{Error, Kind, Result};

use super::{CHUNK, DEEPEST, Out, Root, refused, reopen};

/// Of proc, sysfs and cgroup2 (linux/magic.h): endless, or blocking, and of no use elsewhere.
const MADE_UP: [u64; 3] = [0x9fa0, 0x6265_6572, 0x6367_7270];

pub fn run(root: &Root, path: &str, out: &Out) -> Result<()> {
    let follow = path.ends_with('/') || path.ends_with("/.");
    let flags = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let start = root.find(path, flags).map_err(|e| refused("read", path, e))?;
    Walk { root, out, asked: path, links: HashMap::new() }.visit(&start, String::new(), 0)
}

struct Walk<'a> {
    root: &'a Root,
    out: &'a Out,
    asked: &'a str,
    /// Files with several names, and the one under which each was told.
    links: HashMap<(u64, u64), String>,
}

impl Walk<'_> {
    fn visit(&mut self, file: &OwnedFd, path: String, depth: usize) -> Result<()> {
        let shown = self.shown(&path);
        let stat = rustix::fs::fstat(file).map_err(|e| refused("look at", &shown, e))?;
        let mut entry = self.entry(&stat, path);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => return self.file(file, &stat, entry, &shown),
            FileType::Directory => {
                entry.set_kind(Entry::Directory);
                let path = entry.path.clone();
                self.tell(entry)?;
                return self.directory(file, &path, &shown, depth);
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(file, "", Vec::new()).map_err(|e| refused("read the link", &shown, e))?;
                entry.set_kind(Entry::Other);
                if let Ok(target) = target.into_string() {
                    entry.set_kind(Entry::Symlink);
                    entry.target = target;
                }
            }
            FileType::Fifo => entry.set_kind(Entry::Fifo),
            _ => entry.set_kind(Entry::Other),
        }
        self.tell(entry)
    }

    fn shown(&self, path: &str) -> String {
        if path.is_empty() { self.asked.to_owned() } else { format!("{}/{path}", self.asked.trim_end_matches('/')) }
    }

    fn entry(&self, stat: &Stat, path: String) -> FileEntry {
        let (uid, gid) = self.root.owner_inside(stat.st_uid, stat.st_gid);
        let nanos = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
        FileEntry {
            path,
            mode: stat.st_mode & 0o7777,
            uid,
            gid,
            modified_unix_ns: stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanos),
            ..FileEntry::default()
        }
    }

    fn file(&mut self, file: &OwnedFd, stat: &Stat, mut entry: FileEntry, shown: &str) -> Result<()> {
        if stat.st_nlink > 1 {
            if let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) {
                entry.set_kind(Entry::HardLink);
                entry.target.clone_from(first);
                return self.tell(entry);
            }
            self.links.insert((stat.st_dev, stat.st_ino), entry.path.clone());
        }
        entry.set_kind(Entry::File);
        entry.size = u64::try_from(stat.st_size).unwrap_or(0);
        let open = reopen(file.as_fd(), OFlags::RDONLY).map_err(|e| refused("read", shown, e))?;
        self.tell(entry)?;
        let mut open = File::from(open);
        loop {
            let mut data = vec![0; CHUNK];
            let read = open.read(&mut data).map_err(|e| Error::precondition(format!("cannot read {shown:?} in the container: {e}")))?;
            if read == 0 {
                return Ok(());
            }
            data.truncate(read);
            self.send(Piece::Data(data))?;
        }
    }

    fn directory(&mut self, file: &OwnedFd, path: &str, shown: &str, depth: usize) -> Result<()> {
        let fail = |e| refused("read", shown, e);
        let kind = rustix::fs::fstatfs(file).map_err(fail)?.f_type;
        if u64::try_from(kind).is_ok_and(|kind| MADE_UP.contains(&kind)) {
            return Ok(());
        }
        if depth >= DEEPEST {
            return Err(Error::precondition(format!("cannot read {shown:?}: it lies in more than {DEEPEST} directories")));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = rustix::fs::openat(file, ".", flags, Mode::empty()).map_err(fail)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&open).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_owned();
            if name.as_bytes() != b"." && name.as_bytes() != b".." {
                names.push(name);
            }
        }
        names.sort();
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        for name in names {
            let Ok(text) = name.to_str() else {
                let entry = FileEntry { path: below(&name.to_string_lossy()), kind: Entry::Other.into(), ..FileEntry::default() };
                self.tell(entry)?;
                continue;
            };
            let found = rustix::fs::openat(&open, name.as_c_str(), OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
            match found {
                Ok(found) => self.visit(&found, below(text), depth + 1)?,
                // It has gone since the directory was read.
                Err(Errno::NOENT) => {}
                Err(e) => return Err(refused("read", &self.shown(&below(text)), e)),
            }
        }
        Ok(())
    }

    fn tell(&self, entry: FileEntry) -> Result<()> {
        self.send(Piece::Entry(entry))
    }

    fn send(&self, piece: Piece) -> Result<()> {
        let sent = self.out.blocking_send(Ok(FilePiece { piece: Some(piece) }));
        sent.map_err(|_| Error::new(Kind::Aborted, "nobody reads any more"))
    }
}
