//! The machine's containers, from their creation to their removal.

mod bulk;
pub mod create;
pub mod exec;
pub mod input;
pub mod link;
pub mod output;
mod pids;
pub mod streams;
mod users;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::process::Pid;
use tokio::io::unix::AsyncFd;
use tokio::sync::{broadcast, watch};

use crate::api::{ContainerState, StartError, TerminalSize, container_state::Phase};
use crate::cgroup::Cgroup;
use crate::disks::{Layers, SCRATCH};
use crate::error::{Doing, Error, Kind, Result};
use crate::launch::plan::{ExecPlan, report};
use crate::launch::prepare::window;
use crate::log;
use crate::reaper::{Ending, Reaper};
use crate::sys;
use crate::sys::devices::Allowed;

use link::Link;
use streams::{Streams, now_unix_ns};

const MAX_CONTAINERS: usize = 512;
/// A killed process may be in the middle of a system call.
const LAST_BREATH: Duration = Duration::from_secs(10);

pub struct Container {
    pub id: String,
    pid: Pid,
    pidfd: OwnedFd,
    cgroup: Cgroup,
    /// What an exec inherits.
    plan: ExecPlan,
    /// To the copy that waits for the start; taken by the start.
    link: tokio::sync::Mutex<Option<Link>>,
    state: Mutex<ContainerState>,
    ended: watch::Sender<bool>,
    removed: Mutex<bool>,
    pub streams: Arc<Streams>,
    pub input: tokio::sync::Mutex<Option<input::Input>>,
    terminal: Option<Arc<AsyncFd<OwnedFd>>>,
}

impl Container {
    fn state(&self) -> MutexGuard<'_, ContainerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    pub fn is_removed(&self) -> bool {
        *self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for_end(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    pub fn resize(&self, size: TerminalSize) -> Result<()> {
        let Some(terminal) = &self.terminal else {
            return Err(Error::precondition(format!("container {} has no terminal", self.id)));
        };
        rustix::termios::tcsetwinsize(terminal.get_ref(), window(size)).doing(|| format!("resize the terminal of container {}", self.id))
    }

    pub fn cgroup(&self) -> &Cgroup {
        &self.cgroup
    }

    /// Of its first process.
    pub fn running_pid(&self) -> Option<Pid> {
        self.is_running().then_some(self.pid)
    }

    fn is_running(&self) -> bool {
        self.state().phase() == Phase::Running && !self.has_ended()
    }
}

pub struct Containers {
    all: Mutex<HashMap<String, Arc<Container>>>,
    /// Ids that are being created.
    reserved: Mutex<HashSet<String>>,
    changes: broadcast::Sender<ContainerState>,
    reaper: Reaper,
    layers: Layers,
    device_filter: Mutex<Option<Arc<OwnedFd>>>,
    pod_pids: Mutex<Option<Arc<pids::PodPids>>>,
    pod_users: Mutex<Option<Arc<users::PodUsers>>>,
    /// How many calls are making or starting a container.
    changing: watch::Sender<usize>,
    pub execs: Arc<tokio::sync::Semaphore>,
}

impl Containers {
    pub fn new(reaper: Reaper) -> Self {
        Self {
            all: Mutex::default(),
            reserved: Mutex::default(),
            changes: broadcast::Sender::new(256),
            reaper,
            layers: Layers::default(),
            device_filter: Mutex::default(),
            pod_pids: Mutex::default(),
            pod_users: Mutex::default(),
            changing: watch::Sender::new(0),
            execs: Arc::new(tokio::sync::Semaphore::new(exec::MAX)),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Container>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, id: &str) -> Result<Arc<Container>> {
        self.all().get(id).cloned().ok_or_else(|| Error::not_found(format!("there is no container {id:?}")))
    }

    pub fn present(&self) -> Vec<Arc<Container>> {
        self.all().values().cloned().collect()
    }

    /// Changes from now on, and the state everything is in.
    pub fn watch(&self) -> (broadcast::Receiver<ContainerState>, Vec<ContainerState>) {
        let all = self.all();
        (self.changes.subscribe(), all.values().map(|c| c.state().clone()).collect())
    }

    /// Held while a call makes or starts a container: it outlives the connection that it came on.
    pub fn changing(self: &Arc<Self>) -> Changing {
        self.changing.send_modify(|count| *count += 1);
        Changing(self.clone())
    }

    /// Returns at a moment when no container is being made or started.
    pub async fn settled(&self) {
        // The sender lives as long as self, so waiting cannot fail.
        let _ = self.changing.subscribe().wait_for(|count| *count == 0).await;
    }

    fn tell(&self, state: &ContainerState) {
        let _ = self.changes.send(state.clone());
    }

    pub async fn start(&self, id: &str) -> Result<Option<StartError>> {
        let container = self.get(id)?;
        let Some(mut link) = container.link.lock().await.take() else {
            return Err(Error::precondition(format!("container {id} was started before")));
        };
        if container.has_ended() {
            return Err(Error::precondition(format!("container {id} ended before it was started")));
        }
        container.state().started_unix_ns = now_unix_ns();
        link.start().await?;
        // Only an error is ever reported here: success closes the link.
        if let Ok(Some((report, _))) = link.report().await {
            container.wait_for_end().await;
            return match report.kind {
                Some(report::Kind::StartError(error)) => Ok(Some(error)),
                _ => Err(Error::internal(format!("container {id} broke off before its start"))),
            };
        }
        let mut state = container.state();
        if state.phase() == Phase::Created {
            state.set_phase(Phase::Running);
            self.tell(&state);
        }
        Ok(None)
    }

    fn ended(&self, container: &Container, ending: Ending) {
        // All of a container ends with its own process. The kernel sees to that only where it is the first of a namespace.
        if let Err(e) = container.cgroup.kill() {
            log!("podvm-agent: {e}");
        }
        let mut state = container.state();
        state.set_phase(Phase::Exited);
        state.exit_code = ending.exit_code;
        state.signal = ending.signal;
        state.oom_killed = container.cgroup.oom_killed();
        state.exited_unix_ns = now_unix_ns();
        container.ended.send_replace(true);
        container.streams.wake();
        self.tell(&state);
    }

    pub fn signal(&self, id: &str, signal: u32, all: bool) -> Result<()> {
        let Some(number) = i32::try_from(signal).ok().filter(|n| (1..=64).contains(n)) else {
            return Err(Error::invalid(format!("signal: {signal} is not in 1..64")));
        };
        let container = self.get(id)?;
        // An ended process is reaped, and its number may be somebody else's.
        if container.has_ended() {
            return Err(Error::not_found(format!("container {id} has ended")));
        }
        if !all {
            return sys::signals::kill(container.pid, number).doing(|| format!("send signal {number} to container {id}"));
        }
        if number == libc::SIGKILL {
            return container.cgroup.kill();
        }
        for pid in container.cgroup.processes() {
            let _ = sys::signals::kill(pid, number);
        }
        Ok(())
    }

    pub async fn remove(&self, id: &str) -> Result<()> {
        let Ok(container) = self.get(id) else {
            return Ok(());
        };
        container.cgroup.kill()?;
        if !container.has_ended() && tokio::time::timeout(LAST_BREATH, container.wait_for_end()).await.is_err() {
            return Err(Error::internal(format!("container {id} was killed but has not ended in {} s", LAST_BREATH.as_secs())));
        }
        container.cgroup.remove().await?;
        *container.removed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        container.streams.wake();
        self.all().remove(id);
        discard(id);
        Ok(())
    }

    fn device_filter(&self, disks: &[Allowed]) -> Result<Arc<OwnedFd>> {
        if !disks.is_empty() {
            return Ok(Arc::new(crate::cgroup::device_filter(disks)?));
        }
        let mut filter = self.device_filter.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(filter) = filter.as_ref() {
            return Ok(filter.clone());
        }
        let loaded = Arc::new(crate::cgroup::device_filter(&[])?);
        *filter = Some(loaded.clone());
        Ok(loaded)
    }

    /// Keeps an id for one creation; refuses one that is taken.
    fn reserve(&self, id: &str) -> Result<Reservation<'_>> {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.all();
        if all.contains_key(id) || reserved.contains(id) {
            return Err(Error::new(Kind::AlreadyExists, format!("container {id} exists already")));
        }
        if all.len() + reserved.len() >= MAX_CONTAINERS {
            return Err(Error::new(Kind::Exhausted, format!("container {id}: there are {MAX_CONTAINERS} containers already")));
        }
        reserved.insert(id.to_owned());
        Ok(Reservation { containers: self, id: id.to_owned() })
    }
}

pub struct Changing(Arc<Containers>);

impl Drop for Changing {
    fn drop(&mut self) {
        self.0.changing.send_modify(|count| *count -= 1);
    }
}

struct Reservation<'a> {
    containers: &'a Containers,
    id: String,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.containers.reserved.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Where a container's own files lie on the scratch disk.
fn directory_of(id: &str) -> String {
    format!("{SCRATCH}/containers/{id}")
}

/// Where a container writes.
pub fn upper_of(id: &str) -> String {
    format!("{}/upper", directory_of(id))
}

/// Deletes a container's files beside everything else; the name is free at once.
fn discard(id: &str) {
    let gone = format!("{SCRATCH}/removed/{id}-{}", now_unix_ns());
    if std::fs::rename(directory_of(id), &gone).is_err() {
        return;
    }
    let delete = move || {
        if let Err(e) = std::fs::remove_dir_all(&gone) {
            log!("podvm-agent: cannot delete {gone}: {e}");
        }
    };
    if let Err(e) = std::thread::Builder::new().stack_size(256 * 1024).spawn(delete) {
        log!("podvm-agent: cannot start the thread that deletes files: {e}");
    }
}
