//! The calls of the wire contract, each handed to the part that does it.
//!
//! Calls that change the machine run in a task of their own: a daemon that goes away in the middle leaves nothing half done.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::api::agent_server::Agent;
use crate::api::{
    AcceptSocketRequest, AcceptSocketResponse, AdjustVcpusRequest, AdjustVcpusResponse, ConfigureSandboxRequest, ConfigureSandboxResponse,
    ConnectPortRequest, ConnectPortResponse, ContainerState, CreateContainerRequest, CreateContainerResponse, EndShareRequest,
    EndShareResponse, ExecRequest, ExecResponse, FilePiece, HelloRequest, HelloResponse, ListProcessesRequest, ListProcessesResponse,
    MountShareRequest, MountShareResponse, OpenSocketRequest, OpenSocketResponse, OutputChunk, PrepareRequest, PrepareResponse,
    PutVolumeRequest, PutVolumeResponse, ReadFilesRequest, ReadOutputRequest, RemoveContainerRequest, RemoveContainerResponse,
    ReserveHugepagesRequest, ReserveHugepagesResponse, ResizeTerminalRequest, ResizeTerminalResponse, Security, ShareAnswer, ShareRequest,
    ShutdownRequest, ShutdownResponse, SignalContainerRequest, SignalContainerResponse, StartContainerRequest, StartContainerResponse,
    StatsRequest, StatsResponse, UpdateResourcesRequest, UpdateResourcesResponse, WatchContainersRequest, WriteFilesRequest,
    WriteFilesResponse, WriteInputRequest, WriteInputResponse, exec_request, read_output_request, write_files_request,
};
use crate::containers::{Containers, exec, input, streams};
use crate::error::{Error, Kind, Result};
use crate::modules::{Modules, Phase};
use crate::shares::{Daemon, Shares};
use crate::sockets::Sockets;
use crate::{checks, files, hugepages, limits, log, ports, power, processes, sandbox, sockets, stats, vcpus, volumes};

/// How many answers of a stream may wait for the wire.
const AHEAD: usize = 2;

#[derive(Clone)]
pub struct Service {
    pub containers: Arc<Containers>,
    pub shares: Arc<Shares>,
    pub sockets: Arc<Sockets>,
    pub layers: Arc<stats::Layers>,
    pub modules: Modules,
    pub started_boottime_ns: u64,
    /// The host name, once the sandbox is configured.
    pub sandbox: Arc<tokio::sync::Mutex<Option<String>>>,
    pub configured: Arc<Mutex<bool>>,
}

type Answer<T> = std::result::Result<Response<T>, Status>;

async fn detached<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Answer<T> {
    match tokio::spawn(work).await {
        Ok(result) => result.map(Response::new).map_err(Status::from),
        Err(e) => Err(Status::internal(e.to_string())),
    }
}

pub fn boottime_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(|s| s.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

/// Whether a container could use tun or FUSE devices.
fn may_use_drivers(security: &Security) -> bool {
    security.privileged || security.capabilities.iter().any(|c| c == "CAP_NET_ADMIN" || c == "CAP_SYS_ADMIN")
}

#[tonic::async_trait]
impl Agent for Service {
    async fn hello(&self, _: Request<HelloRequest>) -> Answer<HelloResponse> {
        Ok(Response::new(HelloResponse {
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel_release: rustix::system::uname().release().to_string_lossy().into_owned(),
            started_boottime_ns: self.started_boottime_ns,
            now_boottime_ns: boottime_ns(),
            sandbox_configured: *self.configured.lock().unwrap_or_else(PoisonError::into_inner),
            agent_rss_bytes: resident_bytes(),
        }))
    }

    async fn prepare(&self, _: Request<PrepareRequest>) -> Answer<PrepareResponse> {
        self.modules.rest_ready().await;
        sandbox::becomes_template();
        Ok(Response::new(PrepareResponse {}))
    }

    async fn configure_sandbox(&self, request: Request<ConfigureSandboxRequest>) -> Answer<ConfigureSandboxResponse> {
        let service = self.clone();
        detached(async move {
            let request = request.into_inner();
            let mut name = service.sandbox.lock().await;
            if name.is_some() {
                return Err(Error::precondition("the sandbox is configured already"));
            }
            sandbox::configure(&request, &service.modules).await?;
            *name = Some(request.hostname);
            *service.configured.lock().unwrap_or_else(PoisonError::into_inner) = true;
            Ok(ConfigureSandboxResponse {})
        })
        .await
    }

    async fn put_volume(&self, request: Request<PutVolumeRequest>) -> Answer<PutVolumeResponse> {
        let request = request.into_inner();
        checks::id("name", &request.name)?;
        volumes::put(&request.name, &request.files)?;
        Ok(Response::new(PutVolumeResponse {}))
    }

    async fn mount_share(&self, request: Request<MountShareRequest>) -> Answer<MountShareResponse> {
        let request = request.into_inner();
        checks::id("name", &request.name)?;
        let service = self.clone();
        detached(async move {
            service.modules.rest_ready().await;
            service.shares.mount(&request).await?;
            Ok(MountShareResponse {})
        })
        .await
    }

    type ServeShareStream = ReceiverStream<std::result::Result<ShareRequest, Status>>;

    async fn serve_share(&self, request: Request<Streaming<ShareAnswer>>) -> Answer<Self::ServeShareStream> {
        let mut answers = request.into_inner();
        let Some(first) = answers.message().await? else {
            return Err(Error::invalid("name: must be in the first message").into());
        };
        let (requests, out) = mpsc::channel(AHEAD);
        self.shares.serve(&first.name, Daemon { answers, requests }).await?;
        Ok(Response::new(ReceiverStream::new(out)))
    }

    async fn end_share(&self, request: Request<EndShareRequest>) -> Answer<EndShareResponse> {
        let service = self.clone();
        detached(async move {
            let name = request.into_inner().name;
            service.sockets.end(&name);
            service.shares.end(&name).await;
            Ok(EndShareResponse {})
        })
        .await
    }

    async fn create_container(&self, request: Request<CreateContainerRequest>) -> Answer<CreateContainerResponse> {
        let service = self.clone();
        let changing = self.containers.changing();
        detached(async move {
            let _changing = changing;
            let hostname = service.sandbox.lock().await.clone();
            let hostname = hostname.ok_or_else(|| Error::precondition("the sandbox is not configured; call ConfigureSandbox first"))?;
            let request = request.into_inner();
            service.shares.check(&request.mounts).await?;
            service.modules.ready(Phase::Disk).await;
            if request.security.as_ref().is_some_and(may_use_drivers) {
                service.modules.rest_ready().await;
            }
            let user = service.containers.create(request, &hostname).await?;
            Ok(CreateContainerResponse { user })
        })
        .await
    }

    async fn start_container(&self, request: Request<StartContainerRequest>) -> Answer<StartContainerResponse> {
        let service = self.clone();
        let changing = self.containers.changing();
        detached(async move {
            let _changing = changing;
            let error = service.containers.start(&request.into_inner().id).await?;
            service.modules.first_container_started();
            Ok(StartContainerResponse { error })
        })
        .await
    }

    async fn signal_container(&self, request: Request<SignalContainerRequest>) -> Answer<SignalContainerResponse> {
        let request = request.into_inner();
        self.containers.signal(&request.id, request.signal, request.all)?;
        Ok(Response::new(SignalContainerResponse {}))
    }

    async fn remove_container(&self, request: Request<RemoveContainerRequest>) -> Answer<RemoveContainerResponse> {
        let containers = self.containers.clone();
        detached(async move {
            containers.remove(&request.into_inner().id).await?;
            Ok(RemoveContainerResponse {})
        })
        .await
    }

    type ReadOutputStream = ReceiverStream<std::result::Result<OutputChunk, Status>>;

    async fn read_output(&self, request: Request<Streaming<ReadOutputRequest>>) -> Answer<Self::ReadOutputStream> {
        let mut requests = request.into_inner();
        let Some(ReadOutputRequest { message: Some(read_output_request::Message::ContainerId(id)) }) = requests.message().await? else {
            return Err(Error::invalid("container_id: must be the first message").into());
        };
        let container = self.containers.get(&id)?;
        let (out, answers) = mpsc::channel(AHEAD);
        tokio::spawn(streams::serve_output(container, requests, out));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn write_input(&self, request: Request<Streaming<WriteInputRequest>>) -> Answer<WriteInputResponse> {
        let mut requests = request.into_inner();
        let Some(first) = requests.message().await? else {
            return Err(Error::invalid("container_id: must be in the first message").into());
        };
        let container = self.containers.get(&first.container_id)?;
        input::serve(container, first.data, requests).await?;
        Ok(Response::new(WriteInputResponse {}))
    }

    async fn resize_terminal(&self, request: Request<ResizeTerminalRequest>) -> Answer<ResizeTerminalResponse> {
        let request = request.into_inner();
        self.containers.get(&request.container_id)?.resize(request.size.unwrap_or_default())?;
        Ok(Response::new(ResizeTerminalResponse {}))
    }

    type ExecStream = ReceiverStream<std::result::Result<ExecResponse, Status>>;

    async fn exec(&self, request: Request<Streaming<ExecRequest>>) -> Answer<Self::ExecStream> {
        let mut requests = request.into_inner();
        let Some(ExecRequest { message: Some(exec_request::Message::Start(start)) }) = requests.message().await? else {
            return Err(Error::invalid("start: must be the first message").into());
        };
        let container = self.containers.get(&start.container_id)?;
        let Ok(permit) = self.containers.execs.clone().try_acquire_owned() else {
            return Err(Error::new(Kind::Exhausted, format!("{} processes are being executed already", exec::MAX)).into());
        };
        let (out, answers) = mpsc::channel(AHEAD);
        let containers = self.containers.clone();
        tokio::spawn(async move {
            exec::serve(containers, container, start, requests, out).await;
            drop(permit);
        });
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    type WatchContainersStream = ReceiverStream<std::result::Result<ContainerState, Status>>;

    async fn watch_containers(&self, _: Request<WatchContainersRequest>) -> Answer<Self::WatchContainersStream> {
        let (out, answers) = mpsc::channel(AHEAD);
        tokio::spawn(watch(self.containers.clone(), out));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    type ConnectPortStream = ReceiverStream<std::result::Result<ConnectPortResponse, Status>>;

    async fn connect_port(&self, request: Request<Streaming<ConnectPortRequest>>) -> Answer<Self::ConnectPortStream> {
        let (out, answers) = mpsc::channel(AHEAD);
        tokio::spawn(ports::serve(request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn shutdown(&self, _: Request<ShutdownRequest>) -> Answer<ShutdownResponse> {
        log!("podvm-agent: shutting down");
        tokio::spawn(power::off(self.shares.clone()));
        Ok(Response::new(ShutdownResponse {}))
    }

    async fn stats(&self, request: Request<StatsRequest>) -> Answer<StatsResponse> {
        Ok(Response::new(stats::answer(&self.containers, &self.layers, request.into_inner()).await?))
    }

    async fn update_resources(&self, request: Request<UpdateResourcesRequest>) -> Answer<UpdateResourcesResponse> {
        limits::update(&self.containers, &request.into_inner())?;
        Ok(Response::new(UpdateResourcesResponse {}))
    }

    async fn adjust_vcpus(&self, request: Request<AdjustVcpusRequest>) -> Answer<AdjustVcpusResponse> {
        let modules = self.modules.clone();
        detached(async move {
            modules.rest_ready().await;
            let adjusted = tokio::task::spawn_blocking(move || vcpus::adjust(request.into_inner())).await;
            let online = adjusted.unwrap_or_else(|e| Err(Error::internal(e.to_string())))?;
            Ok(AdjustVcpusResponse { online })
        })
        .await
    }

    type ReadFilesStream = ReceiverStream<std::result::Result<FilePiece, Status>>;

    async fn read_files(&self, request: Request<ReadFilesRequest>) -> Answer<Self::ReadFilesStream> {
        let request = request.into_inner();
        let container = self.containers.get(&request.container_id)?;
        let (out, answers) = mpsc::channel(AHEAD);
        files::read(&container, request, out)?;
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn write_files(&self, request: Request<Streaming<WriteFilesRequest>>) -> Answer<WriteFilesResponse> {
        let mut requests = request.into_inner();
        let Some(WriteFilesRequest { message: Some(write_files_request::Message::Start(start)) }) = requests.message().await? else {
            return Err(Error::invalid("start: must be the first message").into());
        };
        let container = self.containers.get(&start.container_id)?;
        files::write(&container, start, requests).await?;
        Ok(Response::new(WriteFilesResponse {}))
    }

    async fn reserve_hugepages(&self, request: Request<ReserveHugepagesRequest>) -> Answer<ReserveHugepagesResponse> {
        detached(async move {
            let request = request.into_inner();
            let reserved = tokio::task::spawn_blocking(move || hugepages::reserve(&request.hugepages)).await;
            reserved.unwrap_or_else(|e| Err(Error::internal(e.to_string())))?;
            Ok(ReserveHugepagesResponse {})
        })
        .await
    }

    async fn open_socket(&self, request: Request<OpenSocketRequest>) -> Answer<OpenSocketResponse> {
        let request = request.into_inner();
        checks::id("name", &request.name)?;
        self.sockets.open(&request)?;
        Ok(Response::new(OpenSocketResponse {}))
    }

    type AcceptSocketStream = ReceiverStream<std::result::Result<AcceptSocketResponse, Status>>;

    async fn accept_socket(&self, request: Request<Streaming<AcceptSocketRequest>>) -> Answer<Self::AcceptSocketStream> {
        let (out, answers) = mpsc::channel(AHEAD);
        tokio::spawn(sockets::serve(self.sockets.clone(), request.into_inner(), out));
        Ok(Response::new(ReceiverStream::new(answers)))
    }

    async fn list_processes(&self, _: Request<ListProcessesRequest>) -> Answer<ListProcessesResponse> {
        Ok(Response::new(processes::answer(&self.containers)))
    }
}

async fn watch(containers: Arc<Containers>, out: mpsc::Sender<std::result::Result<ContainerState, Status>>) {
    loop {
        let (mut changes, present) = containers.watch();
        for state in present {
            if out.send(Ok(state)).await.is_err() {
                return;
            }
        }
        let settled = containers.settled();
        tokio::pin!(settled);
        let mut told = false;
        loop {
            // In this order: what a call changed before it ended comes before the mark.
            let change = tokio::select! {
                biased;
                () = out.closed() => return,
                change = changes.recv() => change,
                () = &mut settled, if !told => {
                    told = true;
                    Ok(ContainerState { present_told: true, ..ContainerState::default() })
                }
            };
            match change {
                Ok(state) => {
                    if out.send(Ok(state)).await.is_err() {
                        return;
                    }
                }
                // Too slow for the changes: begin again with the present states.
                Err(broadcast::error::RecvError::Lagged(_)) => break,
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}
