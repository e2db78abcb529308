//! Makes a container: layers, cgroup, file tree and a process that waits for its start.

use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use rustix::fd::OwnedFd;
use tokio::sync::watch;

use crate::api::{ContainerState, CreateContainerRequest, Mount, Process, ResolvedUser, container_state::Phase, mount};
use crate::cgroup::Cgroup;
use crate::checks;
use crate::disks::{self, SCRATCH, make_directory};
use crate::error::{Doing, Error, Result};
use crate::launch;
use crate::launch::plan::{ExecPlan, MountPlan, Plan, RootPlan, report};
use crate::sandbox::{ETC, is_mounted};
use crate::sys::clone::Child;
use crate::sys::devices::{self, Allowed};
use crate::{hugepages, shares, sockets, volumes};

use super::input::Input;
use super::link::{Link, Stdio, set_nonblocking};
use super::streams::Streams;
use super::{Container, Containers, directory_of, discard};

pub const TMPFS: &str = "/run/podvm/tmpfs";
const ETC_FILES: [&str; 3] = ["hosts", "resolv.conf", "hostname"];

impl Containers {
    /// Returns whom the process will be.
    pub async fn create(self: &Arc<Self>, request: CreateContainerRequest, hostname: &str) -> Result<Option<ResolvedUser>> {
        checks::container(&request)?;
        let reservation = self.reserve(&request.id)?;
        let root = request.root.clone().unwrap_or_default();
        for serial in root.layer_serials.iter().chain(request.mounts.iter().flat_map(image_layers)) {
            self.layers.mount(serial).await?;
        }
        let directory = directory_of(&request.id);
        for path in [&directory, &format!("{directory}/upper"), &format!("{directory}/work")] {
            make_directory(path)?;
        }
        let result = self.launch(&request, hostname, &directory).await;
        if result.is_err() {
            discard(&request.id);
        }
        let (container, user) = result?;
        self.all().insert(request.id.clone(), container.clone());
        drop(reservation);
        self.tell(&container.state());
        Ok(user)
    }

    async fn launch(
        self: &Arc<Self>,
        request: &CreateContainerRequest,
        hostname: &str,
        directory: &str,
    ) -> Result<(Arc<Container>, Option<ResolvedUser>)> {
        let users = request.user_namespace.map(|users| self.pod_users(users)).transpose()?;
        let users = users.map(|users| users.path()).unwrap_or_default();
        let mut plan = Plan { users, ..plan(request, hostname, directory)? };
        for (mount, planned) in request.mounts.iter().zip(&mut plan.mounts) {
            if let Some(mount::Source::DiskSerial(serial)) = &mount.source {
                planned.device = disks::number(serial).await?;
            }
        }
        let cgroup = Cgroup::create(&request.id, &request.resources.clone().unwrap_or_default())?;
        match self.launch_in(request, plan, &cgroup).await {
            Ok(mut launched) => {
                let user = launched.user.take();
                Ok((self.keep(request, cgroup, launched), user))
            }
            Err(e) => {
                let _ = cgroup.kill();
                let _ = cgroup.remove().await;
                Err(e)
            }
        }
    }

    async fn launch_in(&self, request: &CreateContainerRequest, plan: Plan, cgroup: &Cgroup) -> Result<Launched> {
        if !request.security.as_ref().is_some_and(|s| s.privileged) {
            cgroup.filter_devices(&*self.device_filter(&allowed_disks(&plan))?)?;
        }
        let terminal = request.process.as_ref().is_some_and(|p| p.terminal);
        let stdio = Stdio::make(request.stdin, terminal)?;
        let (mut link, theirs) = Link::pair()?;
        let beside = self.beside(request.pid_namespace.as_ref().and_then(|n| n.of.as_ref()))?;
        let child = Child {
            name: launch::CONTAINER,
            cgroup: cgroup.directory().as_fd(),
            namespaces: beside.namespaces(),
            stdio: [stdio.theirs[0].as_fd(), stdio.theirs[1].as_fd(), stdio.theirs[2].as_fd()],
            channel: theirs.as_fd(),
            extra: None,
        };
        let started = beside.start(&child).doing(|| format!("start a process for container {}", request.id))?;
        let ending = self.reaper.expect(started.pid);
        drop(theirs);
        link.send(&plan).await?;
        let (user, master) = match link.report().await?.map(|(report, fd)| (report.kind, fd)) {
            Some((Some(report::Kind::Ready(ready)), master)) => (ready.user, master),
            Some((Some(report::Kind::Failed(message)), _)) => return Err(Error::internal(format!("container {}: {message}", request.id))),
            _ => {
                return Err(Error::internal(format!(
                    "container {}: its first process died while preparing{}",
                    request.id,
                    if cgroup.oom_killed() { ": memory_max_bytes is too small" } else { "" }
                )));
            }
        };
        Ok(Launched {
            started,
            ending,
            link,
            stdin: stdio.stdin,
            outputs: stdio.outputs,
            master,
            user,
            plan: plan.exec.unwrap_or_default(),
        })
    }

    fn keep(self: &Arc<Self>, request: &CreateContainerRequest, cgroup: Cgroup, launched: Launched) -> Arc<Container> {
        let streams = Arc::new(Streams::new());
        let register = |fd: OwnedFd| crate::sys::watched::owned(fd).ok();
        let terminal = launched.master.filter(|m| set_nonblocking(m).is_ok()).and_then(register).map(Arc::new);
        match (&terminal, launched.outputs) {
            (Some(terminal), _) => {
                tokio::spawn(streams.clone().pump(0, terminal.clone()));
                streams.close(1);
            }
            (None, outputs) => {
                let mut outputs = outputs.into_iter().flatten();
                for index in 0..2 {
                    match outputs.next().and_then(register) {
                        Some(source) => {
                            tokio::spawn(streams.clone().pump(index, Arc::new(source)));
                        }
                        None => streams.close(index),
                    }
                }
            }
        }
        let input = match (&terminal, launched.stdin) {
            (Some(terminal), _) if request.stdin => Some(Input::new(terminal.clone(), false)),
            (_, Some(pipe)) => register(pipe).map(|pipe| Input::new(Arc::new(pipe), request.stdin_once)),
            _ => None,
        };
        let state = ContainerState { id: request.id.clone(), phase: Phase::Created.into(), ..ContainerState::default() };
        let container = Arc::new(Container {
            id: request.id.clone(),
            pid: launched.started.pid,
            pidfd: launched.started.pidfd,
            cgroup,
            plan: launched.plan,
            link: tokio::sync::Mutex::new(Some(launched.link)),
            state: Mutex::new(state),
            ended: watch::Sender::new(false),
            removed: Mutex::new(false),
            streams,
            input: tokio::sync::Mutex::new(input),
            terminal,
        });
        let (containers, watched, ending) = (self.clone(), container.clone(), launched.ending);
        tokio::spawn(async move {
            if let Ok(ending) = ending.await {
                containers.ended(&watched, ending);
            }
        });
        container
    }
}

struct Launched {
    started: crate::sys::clone::Started,
    ending: tokio::sync::oneshot::Receiver<crate::reaper::Ending>,
    link: Link,
    stdin: Option<OwnedFd>,
    outputs: Option<[OwnedFd; 2]>,
    master: Option<OwnedFd>,
    user: Option<ResolvedUser>,
    plan: ExecPlan,
}

fn plan(request: &CreateContainerRequest, hostname: &str, directory: &str) -> Result<Plan> {
    let root = request.root.clone().unwrap_or_default();
    let mut mounts = request.mounts.iter().map(mount_plan).collect::<Result<Vec<_>>>()?;
    for file in ETC_FILES {
        let destination = format!("/etc/{file}");
        if !mounts.iter().any(|m| m.destination == destination) {
            mounts.push(MountPlan { source: format!("{ETC}/{file}"), destination, ..MountPlan::default() });
        }
    }
    Ok(Plan {
        root: Some(RootPlan {
            layers: root.layer_serials.into_iter().rev().collect(),
            upper: format!("{directory}/upper"),
            work: format!("{directory}/work"),
            read_only: root.read_only,
        }),
        mounts,
        exec: Some(ExecPlan {
            process: request.process.clone(),
            security: request.security.clone(),
            hostname: hostname.to_owned(),
            users: request.user_namespace,
        }),
        users: String::new(),
    })
}

/// Disks that the container was given by name.
fn allowed_disks(plan: &Plan) -> Vec<Allowed> {
    let disks = plan.mounts.iter().filter(|m| m.device != 0);
    disks
        .map(|m| Allowed {
            kind: devices::Kind::Block,
            major: rustix::fs::major(m.device),
            minor: Some(rustix::fs::minor(m.device)),
            write: !m.read_only,
        })
        .collect()
}

fn image_layers(mount: &Mount) -> &[String] {
    match &mount.source {
        Some(mount::Source::Image(image)) => &image.layer_serials,
        _ => &[],
    }
}

fn mount_plan(mount: &Mount) -> Result<MountPlan> {
    let (source, make_sub_path) = match &mount.source {
        Some(mount::Source::Volume(name)) => {
            let source = format!("{}/{name}", volumes::ROOT);
            if !std::fs::exists(&source).unwrap_or(false) {
                return Err(Error::not_found(format!("mounts.volume: there is no volume {name}; send it with PutVolume first")));
            }
            (source, false)
        }
        Some(mount::Source::EmptyDir(name)) => {
            let source = format!("{SCRATCH}/empty-dirs/{name}");
            if !std::fs::exists(&source).unwrap_or(false) {
                make_directory(&source)?;
                open_to_all(&source)?;
            }
            (source, true)
        }
        Some(mount::Source::Tmpfs(tmpfs)) => {
            let source = format!("{TMPFS}/{}", tmpfs.name);
            make_directory(&source)?;
            if !is_mounted(&source) {
                let size = if tmpfs.size_bytes == 0 { String::new() } else { format!(",size={}", tmpfs.size_bytes) };
                let options = std::ffi::CString::new(format!("mode=777{size}")).doing(|| "size a tmpfs")?;
                rustix::mount::mount("tmpfs", &source, "tmpfs", rustix::mount::MountFlags::empty(), options.as_c_str())
                    .doing(|| format!("mount the tmpfs {}", tmpfs.name))?;
            }
            (source, true)
        }
        // Whether it is there was asked before: looking at its path would wait for the daemon.
        Some(mount::Source::Share(share)) => (shares::place(&share.name), !mount.read_only),
        Some(mount::Source::Hugepages(pages)) => (hugepages::mounted(pages)?, true),
        Some(mount::Source::Socket(name)) => (sockets::place(name), false),
        Some(mount::Source::Image(_) | mount::Source::DiskSerial(_)) => (String::new(), false),
        None => return Err(Error::invalid("mounts.source: missing")),
    };
    Ok(MountPlan {
        source,
        destination: mount.destination.clone(),
        read_only: mount.read_only,
        sub_path: mount.sub_path.clone(),
        make_sub_path,
        map_owners: matches!(mount.source, Some(mount::Source::EmptyDir(_))),
        layers: image_layers(mount).iter().rev().cloned().collect(),
        // Waiting for a disk is done apart.
        device: 0,
    })
}

fn open_to_all(path: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).doing(|| format!("open {path} to all users"))
}

/// What an exec does when its request leaves something out.
pub fn inherit(own: &Process, wanted: Process) -> Process {
    Process {
        env: own.env.iter().cloned().chain(wanted.env).collect(),
        working_dir: if wanted.working_dir.is_empty() { own.working_dir.clone() } else { wanted.working_dir },
        user: wanted.user.or_else(|| own.user.clone()),
        rlimits: if wanted.rlimits.is_empty() { own.rlimits.clone() } else { wanted.rlimits },
        oom_score_adj: own.oom_score_adj,
        ..wanted
    }
}
