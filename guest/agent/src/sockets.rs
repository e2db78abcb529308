//! Unix sockets of the host in the guest: programs connect to one of the same name here, and the daemon to the host's.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::net::Shutdown;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

use crate::api::{AcceptSocketRequest, AcceptSocketResponse, OpenSocketRequest, accept_socket_request, accept_socket_response};
use crate::disks::make_directory;
use crate::error::{Doing, Error, Kind, Result};

const ROOT: &str = "/run/podvm/sockets";
const MAX: usize = 256;
/// Read at once; also the largest message.
const CHUNK: usize = 32 << 10;

type Out = mpsc::Sender<std::result::Result<AcceptSocketResponse, Status>>;

#[derive(Default)]
pub struct Sockets(Mutex<BTreeMap<String, Arc<Socket>>>);

struct Socket {
    listener: UnixListener,
    ended: watch::Sender<bool>,
}

/// What containers mount.
pub fn place(name: &str) -> String {
    format!("{ROOT}/{name}")
}

impl Sockets {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Socket>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn open(&self, request: &OpenSocketRequest) -> Result<()> {
        let name = &request.name;
        let mut all = self.all();
        if all.contains_key(name) {
            return Ok(());
        }
        if all.len() >= MAX {
            return Err(Error::new(Kind::Exhausted, format!("socket {name}: there are {MAX} sockets already")));
        }
        make_directory(ROOT)?;
        let place = place(name);
        let _ = fs::remove_file(&place);
        let doing = || format!("make the socket {name}");
        let listener = UnixListener::bind(&place).doing(doing)?;
        std::os::unix::fs::chown(&place, Some(request.uid), Some(request.gid)).doing(doing)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(request.mode & 0o777)).doing(doing)?;
        all.insert(name.clone(), Arc::new(Socket { listener, ended: watch::Sender::new(false) }));
        Ok(())
    }

    /// Who connects from now on is refused; connections that are there stay.
    pub fn end(&self, name: &str) {
        if let Some(socket) = self.all().remove(name) {
            let _ = fs::remove_file(place(name));
            socket.ended.send_replace(true);
        }
    }

    fn get(&self, name: &str) -> Result<Arc<Socket>> {
        let unknown = || Error::not_found(format!("name: there is no socket {name}; make it with OpenSocket first"));
        self.all().get(name).cloned().ok_or_else(unknown)
    }
}

/// Serves one call to its end.
pub async fn serve(sockets: Arc<Sockets>, requests: Streaming<AcceptSocketRequest>, out: Out) {
    // a daemon that leaves takes its connection along, whatever that waits for
    tokio::select! {
        () = out.closed() => {}
        result = accept(&sockets, requests, &out) => {
            if let Err(e) = result {
                let _ = out.send(Err(e.into())).await;
            }
        }
    }
}

async fn accept(sockets: &Sockets, mut requests: Streaming<AcceptSocketRequest>, out: &Out) -> Result<()> {
    let Some(accept_socket_request::Message::Name(name)) = next(&mut requests).await? else {
        return Err(Error::invalid("name: must be the first message"));
    };
    let stream = connection(sockets.get(&name)?, &name).await?;
    tell(out, accept_socket_response::Message::Accepted(true)).await?;
    let Some(accept_socket_request::Message::Connected(true)) = next(&mut requests).await? else {
        return Err(Error::invalid("connected: must be the second message"));
    };
    let feed = feed(&stream, requests);
    let drain = drain(&stream, out);
    tokio::pin!(feed, drain);
    let (mut fed, mut drained) = (false, false);
    while !(fed && drained) {
        tokio::select! {
            result = &mut feed, if !fed => {
                result?;
                fed = true;
            }
            result = &mut drain, if !drained => {
                result?;
                drained = true;
            }
        }
    }
    Ok(())
}

/// Waits for a program. The listener is let go before data flow: who has ended the socket need not wait for that.
async fn connection(socket: Arc<Socket>, name: &str) -> Result<UnixStream> {
    let mut ended = socket.ended.subscribe();
    tokio::select! {
        accepted = socket.listener.accept() => Ok(accepted.doing(|| format!("accept a connection to the socket {name}"))?.0),
        _ = ended.wait_for(|ended| *ended) => Err(Error::not_found(format!("name: the socket {name} has ended"))),
    }
}

async fn next(requests: &mut Streaming<AcceptSocketRequest>) -> Result<Option<accept_socket_request::Message>> {
    let message = requests.message().await.map_err(|status| Error::new(Kind::Aborted, status.message()))?;
    Ok(message.and_then(|request| request.message))
}

async fn tell(out: &Out, message: accept_socket_response::Message) -> Result<()> {
    let sent = out.send(Ok(AcceptSocketResponse { message: Some(message) })).await;
    sent.map_err(|_| Error::new(Kind::Aborted, "the daemon has gone"))
}

/// Passes on what comes until the host's side has ended its direction, or the program takes no more: what that sends still counts.
async fn feed(stream: &UnixStream, mut requests: Streaming<AcceptSocketRequest>) -> Result<()> {
    loop {
        match next(&mut requests).await? {
            Some(accept_socket_request::Message::Data(data)) => {
                if write(stream, data).await.is_err() {
                    return Ok(());
                }
            }
            Some(_) => return Err(Error::invalid("message: only data follows the second message")),
            None => {
                let _ = rustix::net::shutdown(stream, Shutdown::Write);
                return Ok(());
            }
        }
    }
}

async fn write(stream: &UnixStream, mut data: Bytes) -> io::Result<()> {
    while !data.is_empty() {
        stream.writable().await?;
        match stream.try_write(&data) {
            Ok(size) => drop(data.split_to(size)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Passes on what the program sends, and its end.
async fn drain(stream: &UnixStream, out: &Out) -> Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        // room first: what is read has left the kernel's account of the program
        let permit = out.reserve().await.map_err(|_| Error::new(Kind::Aborted, "the daemon has gone"))?;
        let size = loop {
            let ready = stream.readable().await;
            match ready.and_then(|()| stream.try_read(&mut buffer)) {
                Ok(size) => break size,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // It left without reading all that it was sent.
                Err(_) => break 0,
            }
        };
        let message = match size {
            0 => accept_socket_response::Message::End(true),
            _ => accept_socket_response::Message::Data(Bytes::copy_from_slice(&buffer[..size])),
        };
        permit.send(Ok(AcceptSocketResponse { message: Some(message) }));
        if size == 0 {
            return Ok(());
        }
    }
}
