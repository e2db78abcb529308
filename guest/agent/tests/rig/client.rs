//! The daemon's side of the channel: handshake, then HTTP/2.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};

use super::Outcome;
use super::api::agent_client::AgentClient;

pub type Client = AgentClient<Connection>;

#[derive(Clone)]
pub struct Connection(hyper::client::conn::http2::SendRequest<Body>);

impl tonic::codegen::Service<Request<Body>> for Connection {
    type Response = Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// A connection that can be torn away.
pub struct Connected {
    pub client: Client,
    driver: JoinHandle<()>,
}

impl Connected {
    /// Drops the socket in the middle of whatever is going on.
    pub async fn break_off(self) {
        self.driver.abort();
        let _ = self.driver.await;
    }
}

pub async fn connect(socket: &Path) -> Outcome<Connected> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut number = 0u128;
    let mut seen = Vec::new();
    loop {
        number += 0x0123_4567_89ab_cdef + u128::from(std::process::id());
        let digits = format!("{number:032x}");
        stream.write_all(format!("PODVM1 {digits}\n").as_bytes()).await?;
        let answer = format!("PODVM1 OK {digits}\n");
        let wait = async {
            let mut buffer = [0u8; 4096];
            while !seen.ends_with(answer.as_bytes()) {
                let size = stream.read(&mut buffer).await?;
                if size == 0 {
                    return Err("the machine closed its channel".into());
                }
                seen.extend_from_slice(&buffer[..size]);
            }
            Outcome::Ok(())
        };
        if let Ok(result) = tokio::time::timeout(Duration::from_millis(200), wait).await {
            result?;
            break;
        }
    }
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    let driver = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Connected { client: AgentClient::with_origin(Connection(sender), "http://agent".parse()?), driver })
}
