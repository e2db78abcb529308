//! Answers the daemon, one connection at a time, for as long as the machine lives.

use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;

use crate::api::agent_server::AgentServer;
use crate::containers::Containers;
use crate::modules::Modules;
use crate::reaper::Reaper;
use crate::service::Service;
use crate::transport::Transport;
use crate::transport::virtio_serial::VirtioSerial;
use crate::{boot, log};

/// The largest message either side may send.
const MAX_MESSAGE: usize = 4 << 20;
/// One ReadOutput per container, the execs, and calls in between.
const MAX_CALLS: u32 = 1024;
const STREAM_WINDOW: u32 = 256 << 10;
/// Far above what streams that nobody reads can hold, so that they never hold up the calls.
const CONNECTION_WINDOW: u32 = 64 << 20;
const SEND_BUFFER: usize = 64 << 10;
/// A message with data, in one frame.
const FRAME: u32 = 64 << 10;

pub async fn run(modules: Modules, started_boottime_ns: u64) {
    let reaper = Reaper::default();
    if let Err(e) = reaper.start() {
        panic!("{e}");
    }
    let mut transport = match VirtioSerial::find().await {
        Ok(transport) => transport,
        Err(e) => panic!("{e}"),
    };
    modules.load_rest_in_background();
    if let Err(e) = boot::prepare() {
        log!("podvm-agent: {e}");
    }
    let service = Service {
        containers: Arc::new(Containers::new(reaper)),
        shares: Arc::default(),
        sockets: Arc::default(),
        layers: Arc::default(),
        modules,
        started_boottime_ns,
        sandbox: Arc::default(),
        configured: Arc::default(),
    };
    loop {
        match transport.accept().await {
            Ok(stream) => serve(stream, service.clone()).await,
            Err(e) => {
                log!("podvm-agent: cannot accept the daemon: {e}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// A connection that breaks is no news: the daemon comes back.
async fn serve(stream: impl hyper::rt::Read + hyper::rt::Write + Unpin, service: Service) {
    let agent = AgentServer::new(service).max_decoding_message_size(MAX_MESSAGE).max_encoding_message_size(MAX_MESSAGE);
    let connection = hyper::server::conn::http2::Builder::new(Tasks)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_CALLS)
        .max_frame_size(FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .serve_connection(stream, service_fn(move |request| tonic::codegen::Service::call(&mut agent.clone(), request)));
    let _ = connection.await;
}

/// Runs a connection's calls beside it.
#[derive(Clone)]
struct Tasks;

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        tokio::spawn(task);
    }
}
