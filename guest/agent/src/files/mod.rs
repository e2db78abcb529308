//! Files of a running container, read and written below its own root: no path and no link leads out of it.

mod read;
mod write;

use std::fs::read_to_string;
use std::os::fd::AsRawFd;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use tonic::{Status, Streaming};

use crate::api::{FilePiece, ReadFilesRequest, WriteFilesRequest, WriteFilesStart, write_files_request};
use crate::containers::Container;
use crate::error::{Error, Kind, Result};
use crate::launch::inroot::open_in;
use crate::processes::{inside, outside};

/// At a time; each has a thread, since a file of a share waits for the daemon.
const MAX: usize = 8;
static ROOM: Semaphore = Semaphore::const_new(MAX);

const STACK: usize = 1 << 20;
const CHUNK: usize = 32 << 10;
/// How many directories lie in each other.
const DEEPEST: usize = 200;

type Out = mpsc::Sender<std::result::Result<FilePiece, Status>>;

fn room() -> Result<SemaphorePermit<'static>> {
    ROOM.try_acquire().map_err(|_| Error::new(Kind::Exhausted, format!("{MAX} copies are going on already")))
}

pub fn read(container: &Container, request: ReadFilesRequest, out: Out) -> Result<()> {
    let permit = room()?;
    let root = Root::open(container)?;
    on_thread(move || {
        let _permit = permit;
        if let Err(e) = read::run(&root, &request.path, &out) {
            let _ = out.blocking_send(Err(e.into()));
        }
    })
}

pub async fn write(container: &Container, start: WriteFilesStart, mut requests: Streaming<WriteFilesRequest>) -> Result<()> {
    let permit = room()?;
    let root = Root::open(container)?;
    let (pieces, taken) = mpsc::channel(2);
    let (done, result) = oneshot::channel();
    on_thread(move || {
        let _permit = permit;
        let _ = done.send(write::run(&root, &start, taken));
    })?;
    loop {
        let piece = match requests.message().await {
            Ok(Some(WriteFilesRequest { message: Some(write_files_request::Message::Piece(piece)) })) => Some(piece),
            Ok(None) => None,
            Ok(Some(_)) => return Err(Error::invalid("piece: must be in all messages but the first")),
            // The daemon has gone: what was begun is left as it is.
            Err(status) => return Err(Error::new(Kind::Aborted, status.message())),
        };
        let last = piece.is_none();
        if pieces.send(piece).await.is_err() || last {
            break;
        }
    }
    result.await.unwrap_or_else(|_| Err(Error::internal("the copy broke off")))
}

fn on_thread(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = std::thread::Builder::new().name("files".into()).stack_size(STACK).spawn(work);
    started.map(|_| ()).map_err(|e| Error::new(Kind::Exhausted, format!("cannot start a thread that copies: {e}")))
}

/// What a container's processes see as "/".
struct Root {
    fd: OwnedFd,
    users: String,
    groups: String,
}

impl Root {
    fn open(container: &Container) -> Result<Self> {
        let gone = || Error::precondition(format!("container {} is not running", container.id));
        let pid = container.running_pid().ok_or_else(gone)?.as_raw_nonzero();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(format!("/proc/{pid}/root"), flags, Mode::empty()).map_err(|_| gone())?;
        let map = |name: &str| read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let root = Self { fd, users: map("uid_map"), groups: map("gid_map") };
        // Its number may be somebody else's by now.
        container.running_pid().map(|_| root).ok_or_else(gone)
    }

    fn owner_inside(&self, uid: u32, gid: u32) -> (u32, u32) {
        (inside(&self.users, uid), inside(&self.groups, gid))
    }

    fn owner_outside(&self, uid: u32, gid: u32) -> (u32, u32) {
        (outside(&self.users, uid), outside(&self.groups, gid))
    }

    /// As the container would find it: links lead on inside its root.
    fn find(&self, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { "/" } else { path };
        open_in(self.fd.as_fd(), path, OFlags::PATH | flags)
    }
}

/// A file that is only named by its descriptor, opened.
fn reopen(file: BorrowedFd<'_>, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let name = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::open(name, flags | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())
}

/// `what` completes the sentence "cannot ...".
fn refused(what: &str, path: &str, error: Errno) -> Error {
    let kind = match error {
        Errno::NOENT => Kind::NotFound,
        Errno::NOSPC | Errno::DQUOT => Kind::Exhausted,
        _ => Kind::Precondition,
    };
    Error::new(kind, format!("cannot {what} {path:?} in the container: {error}"))
}
