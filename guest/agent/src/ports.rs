//! Connections of the daemon's clients to programs of the pod.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use rustix::net::Shutdown;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tonic::{Status, Streaming};

use crate::api::{ConnectPortRequest, ConnectPortResponse, connect_port_request, connect_port_response};
use crate::error::{Error, Kind, Result};

/// At a time; each takes a descriptor and the kernel's buffers of a socket.
const MAX: usize = 512;
static ROOM: Semaphore = Semaphore::const_new(MAX);

/// The kernel answers for loopback at once, unless a listener's queue is full.
const PATIENCE: Duration = Duration::from_secs(10);

/// Read at once; also the largest message.
const CHUNK: usize = 32 << 10;

type Out = mpsc::Sender<std::result::Result<ConnectPortResponse, Status>>;

/// Serves one call to its end.
pub async fn serve(requests: Streaming<ConnectPortRequest>, out: Out) {
    // a caller that leaves takes its connection along, whatever that waits for
    tokio::select! {
        () = out.closed() => {}
        result = forward(requests, &out) => {
            if let Err(e) = result {
                let _ = out.send(Err(e.into())).await;
            }
        }
    }
}

async fn forward(mut requests: Streaming<ConnectPortRequest>, out: &Out) -> Result<()> {
    let port = port(&mut requests).await?;
    let Ok(_room) = ROOM.try_acquire() else {
        return Err(Error::new(Kind::Exhausted, format!("{MAX} connections to ports are open already")));
    };
    let socket = connect(port).await?;
    tell(out, connect_port_response::Message::Connected(true)).await?;
    let feed = feed(&socket, requests);
    let drain = drain(&socket, port, out);
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

async fn port(requests: &mut Streaming<ConnectPortRequest>) -> Result<u16> {
    let first = requests.message().await.map_err(|status| Error::new(Kind::Aborted, status.message()))?;
    let Some(ConnectPortRequest { message: Some(connect_port_request::Message::Port(port)) }) = first else {
        return Err(Error::invalid("port: must be the first message"));
    };
    match u16::try_from(port) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Error::invalid(format!("port: not 1 to 65535: {port}"))),
    }
}

async fn connect(port: u16) -> Result<TcpStream> {
    let mut reasons = Vec::new();
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        let attempt = tokio::time::timeout(PATIENCE, TcpStream::connect(SocketAddr::new(address, port))).await;
        match attempt.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(socket) => {
                let _ = socket.set_nodelay(true);
                return Ok(socket);
            }
            Err(e) => reasons.push(format!("{address}: {}", reason(&e))),
        }
    }
    Err(Error::precondition(format!("no connection to port {port} of the pod ({}); does a program listen there?", reasons.join(", "))))
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::TimedOut => "no answer",
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::Unsupported => "no such address",
        _ => "failed",
    }
}

async fn tell(out: &Out, message: connect_port_response::Message) -> Result<()> {
    let sent = out.send(Ok(ConnectPortResponse { message: Some(message) })).await;
    sent.map_err(|_| Error::new(Kind::Aborted, "the caller has gone"))
}

/// Passes on what comes until the caller has ended its direction, or the program takes no more: what that sends still counts.
async fn feed(socket: &TcpStream, mut requests: Streaming<ConnectPortRequest>) -> Result<()> {
    loop {
        match requests.message().await {
            Ok(Some(ConnectPortRequest { message: Some(connect_port_request::Message::Data(data)) })) => {
                if write(socket, data).await.is_err() {
                    return Ok(());
                }
            }
            Ok(Some(_)) => return Err(Error::invalid("message: only data follows the first message")),
            Ok(None) => {
                let _ = rustix::net::shutdown(socket, Shutdown::Write);
                return Ok(());
            }
            Err(status) => return Err(Error::new(Kind::Aborted, status.message())),
        }
    }
}

async fn write(socket: &TcpStream, mut data: Bytes) -> io::Result<()> {
    while !data.is_empty() {
        socket.writable().await?;
        match socket.try_write(&data) {
            Ok(size) => drop(data.split_to(size)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Passes on what the program sends, and its end.
async fn drain(socket: &TcpStream, port: u16, out: &Out) -> Result<()> {
    loop {
        // room first: what is read has left the kernel's account of the program
        let permit = out.reserve().await.map_err(|_| Error::new(Kind::Aborted, "the caller has gone"))?;
        let data = loop {
            let ready = socket.readable().await;
            match ready.and_then(|()| read(socket)) {
                Ok(data) => break data,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(Error::new(Kind::Aborted, format!("the connection to port {port} of the pod broke: {e}"))),
            }
        };
        let last = data.is_empty();
        let message = if last { connect_port_response::Message::End(true) } else { connect_port_response::Message::Data(data) };
        permit.send(Ok(ConnectPortResponse { message: Some(message) }));
        if last {
            return Ok(());
        }
    }
}

fn read(socket: &TcpStream) -> io::Result<Bytes> {
    thread_local! {
        // one for all connections: a read never waits
        static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; CHUNK]);
    }
    BUFFER.with_borrow_mut(|buffer| {
        let size = socket.try_read(buffer)?;
        Ok(Bytes::copy_from_slice(&buffer[..size]))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn a_program_that_listens_on_one_family_only_is_reached() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                assert!(address.contains("::1"), "cannot listen on {address}");
                eprintln!("left out, as there is no {address} here");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            let reached = runtime().block_on(connect(port)).unwrap().peer_addr().unwrap();
            assert_eq!(reached, listener.local_addr().unwrap());
        }
    }

    #[test]
    fn a_program_that_ends_its_direction_first_is_still_sent_to() {
        use std::io::Read;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let program = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.shutdown(std::net::Shutdown::Write).unwrap();
            let mut all = Vec::new();
            socket.read_to_end(&mut all).unwrap();
            all
        });
        runtime().block_on(async {
            let socket = connect(port).await.unwrap();
            let (out, mut answers) = mpsc::channel(4);
            drain(&socket, port, &out).await.unwrap();
            let last = answers.recv().await.unwrap().unwrap();
            assert_eq!(last.message, Some(connect_port_response::Message::End(true)));
            write(&socket, Bytes::from(vec![7; 1 << 20])).await.unwrap();
        });
        assert_eq!(program.join().unwrap(), vec![7; 1 << 20]);
    }

    #[test]
    fn where_nobody_listens_both_addresses_are_named() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = runtime().block_on(connect(port)).unwrap_err();
        assert_eq!(error.kind, Kind::Precondition);
        for part in [&format!("port {port} "), "127.0.0.1: connection refused", "::1: "] {
            assert!(error.message.contains(part), "{part:?} is not in {:?}", error.message);
        }
    }
}
