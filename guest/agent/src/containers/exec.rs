//! Further processes in a running container.

use std::os::fd::AsFd;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fd::OwnedFd;
use rustix::process::Pid;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot, watch};
use tonic::{Status, Streaming};

use crate::api::{ExecRequest, ExecResponse, ExecStart, StartError, exec_request, exec_response};
use crate::checks;
use crate::error::{Doing, Error, Result};
use crate::launch;
use crate::launch::plan::{ExecPlan, report};
use crate::launch::prepare::window;
use crate::reaper::Ending;
use crate::shares::aside;
use crate::sys;
use crate::sys::clone::{Child, start_beside};

use super::bulk::{self, Bulk};
use super::create::inherit;
use super::link::{Link, Stdio, set_nonblocking};
use super::streams::{read_much, read_some, write_all};
use super::{Container, Containers};

pub const MAX: usize = 256;

type Out = mpsc::Sender<Result<ExecResponse, Status>>;

/// Runs one process to its end, or to the end of the call.
pub async fn serve(containers: Arc<Containers>, container: Arc<Container>, start: ExecStart, requests: Streaming<ExecRequest>, out: Out) {
    let last = match run(&containers, &container, start, requests, &out).await {
        Ok(message) => Ok(ExecResponse { message: Some(message) }),
        Err(e) => Err(e.into()),
    };
    let _ = out.send(last).await;
}

struct Running {
    pid: Pid,
    ending: oneshot::Receiver<Ending>,
    stdin: Option<Arc<AsyncFd<OwnedFd>>>,
    terminal: Option<Arc<AsyncFd<OwnedFd>>>,
    outputs: Vec<Arc<AsyncFd<OwnedFd>>>,
}

async fn run(
    containers: &Containers,
    container: &Container,
    start: ExecStart,
    requests: Streaming<ExecRequest>,
    out: &Out,
) -> Result<exec_response::Message> {
    let running = match begin(containers, container, start).await? {
        Ok(running) => running,
        Err(error) => return Ok(exec_response::Message::Error(error)),
    };
    let (ended, _) = watch::channel(false);
    let pumps: Vec<_> = running
        .outputs
        .iter()
        .enumerate()
        .map(|(index, source)| tokio::spawn(pump(source.clone(), index, out.clone(), ended.subscribe())))
        .collect();
    let ending = attend(running, requests, out).await;
    ended.send_replace(true);
    for pump in pumps {
        let _ = pump.await;
    }
    Ok(exec_response::Message::ExitCode(ending.exit_code))
}

async fn begin(containers: &Containers, container: &Container, start: ExecStart) -> Result<Result<Running, StartError>> {
    let wanted = start.process.unwrap_or_default();
    checks::process(&wanted)?;
    if wanted.args.is_empty() {
        return Err(Error::invalid("start.process.args: no program is named"));
    }
    if !container.is_running() {
        return Err(Error::precondition(format!("container {} is not running", container.id)));
    }
    let terminal = wanted.terminal;
    let plan = ExecPlan { process: Some(inherit(&container.plan.process.clone().unwrap_or_default(), wanted)), ..container.plan.clone() };
    let stdio = Stdio::make(start.stdin, terminal)?;
    let (mut link, theirs) = Link::pair()?;
    let child = Child {
        name: launch::EXEC,
        cgroup: container.cgroup.directory().as_fd(),
        namespaces: 0,
        stdio: [stdio.theirs[0].as_fd(), stdio.theirs[1].as_fd(), stdio.theirs[2].as_fd()],
        channel: theirs.as_fd(),
        extra: Some(container.pidfd.as_fd()),
    };
    let started = start_beside(&child, container.pidfd.as_fd()).doing(|| format!("start a process in container {}", container.id))?;
    let ending = containers.reaper.expect(started.pid);
    drop((theirs, stdio.theirs));
    link.send(&plan).await?;
    let master = match link.report().await?.map(|(report, fd)| (report.kind, fd)) {
        Some((Some(report::Kind::Ready(_)), master)) => master,
        Some((Some(report::Kind::Failed(message)), _)) => {
            return Err(Error::internal(format!("exec in container {}: {message}", container.id)));
        }
        _ => return Err(Error::internal(format!("exec in container {}: the process died while preparing", container.id))),
    };
    link.start().await?;
    if let Some((report, _)) = link.report().await.unwrap_or_default() {
        let _ = ending.await;
        return match report.kind {
            Some(report::Kind::StartError(error)) => Ok(Err(error)),
            _ => Err(Error::internal(format!("exec in container {}: the process broke off", container.id))),
        };
    }
    let register = |fd: OwnedFd| sys::watched::owned(fd).map(Arc::new).doing(|| "wait for a pipe");
    let terminal = match master {
        Some(master) => {
            set_nonblocking(&master)?;
            Some(register(master)?)
        }
        None => None,
    };
    let stdin = match (stdio.stdin, &terminal) {
        (Some(pipe), _) => Some(register(pipe)?),
        (None, terminal) => terminal.clone().filter(|_| start.stdin),
    };
    let outputs = match stdio.outputs {
        Some(outputs) => outputs.into_iter().map(register).collect::<Result<_>>()?,
        None => terminal.iter().cloned().collect(),
    };
    Ok(Ok(Running { pid: started.pid, ending, stdin, terminal, outputs }))
}

/// Passes on what the caller sends until the process ends; a caller who leaves takes it along.
async fn attend(mut running: Running, mut requests: Streaming<ExecRequest>, out: &Out) -> Ending {
    let mut listening = true;
    let mut bulk = Bulk::default();
    loop {
        let request = tokio::select! {
            biased;
            ending = &mut running.ending => return ending.unwrap_or(Ending { exit_code: 128, signal: 0 }),
            () = out.closed() => None,
            request = requests.message(), if listening => Some(request),
        };
        match request {
            Some(Ok(Some(request))) => {
                if let Some(data) = apply(&mut running, request.message) {
                    if let Some(stdin) = &running.stdin {
                        bulk.carried(data.len(), stdin.get_ref());
                    }
                    feed(&mut running, data, out).await;
                }
            }
            // The caller says no more, but listens.
            Some(Ok(None)) => {
                listening = false;
                running.stdin = None;
            }
            Some(Err(_)) | None => {
                let _ = sys::signals::kill(running.pid, libc::SIGKILL);
                return (&mut running.ending).await.unwrap_or(Ending { exit_code: 137, signal: 9 });
            }
        }
    }
}

/// Returns the bytes for stdin, if that is what it is.
fn apply(running: &mut Running, message: Option<exec_request::Message>) -> Option<Bytes> {
    match message {
        Some(exec_request::Message::Stdin(data)) => return Some(data),
        Some(exec_request::Message::CloseStdin(true)) => running.stdin = None,
        Some(exec_request::Message::Resize(size)) => {
            if let Some(terminal) = &running.terminal {
                let _ = rustix::termios::tcsetwinsize(terminal.get_ref(), window(size));
            }
        }
        Some(exec_request::Message::Signal(signal)) => {
            if let Some(number) = i32::try_from(signal).ok().filter(|n| (1..=64).contains(n)) {
                let _ = sys::signals::kill(running.pid, number);
            }
        }
        Some(exec_request::Message::CloseStdin(false) | exec_request::Message::Start(_)) | None => {}
    }
    None
}

async fn feed(running: &mut Running, data: Bytes, out: &Out) {
    let Some(stdin) = running.stdin.clone() else {
        return;
    };
    let open = tokio::select! {
        open = write_all(&stdin, data) => open,
        // The ending itself is taken by the caller's next wait.
        () = out.closed() => false,
        () = ended(running.pid) => false,
    };
    if !open {
        running.stdin = None;
    }
}

/// Asked now and then: only while stdin is stuck.
async fn ended(pid: Pid) {
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if sys::signals::kill(pid, 0).is_err() {
            return;
        }
    }
}

/// Passes output on until its end; once the process has ended, until nothing is left of what it wrote: a descendant that keeps
/// the pipe open must not keep the call open.
async fn pump(source: Arc<AsyncFd<OwnedFd>>, index: usize, out: Out, mut ended: watch::Receiver<bool>) {
    let mut bulk = Bulk::default();
    let mut wide = false;
    loop {
        let last = *ended.borrow();
        match aside(&source, move |pipe| if wide { read_much(pipe, bulk::PIECE) } else { read_some(pipe) }).await {
            Ok(data) if data.is_empty() => return,
            Ok(data) => {
                wide = bulk.carried(data.len(), source.get_ref());
                let message = Some(if index == 0 { exec_response::Message::Stdout(data) } else { exec_response::Message::Stderr(data) });
                if out.send(Ok(ExecResponse { message })).await.is_err() {
                    return;
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock && !last => {
                tokio::select! {
                    guard = source.readable() => match guard {
                        // Whatever came since the read is seen by the next one, which follows at once.
                        Ok(mut guard) => guard.clear_ready(),
                        Err(_) => return,
                    },
                    _ = ended.changed() => {}
                }
            }
            Err(_) => return,
        }
    }
}
