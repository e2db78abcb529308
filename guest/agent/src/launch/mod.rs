//! What runs between the agent and a user's program: a copy of the agent's executable, started in the container's cgroup and
//! namespaces, that builds the container from the inside and then becomes the program.

pub mod capabilities;
pub mod channel;
pub mod dev;
pub mod imagefiles;
pub mod inroot;
pub mod mapping;
pub mod plan;
pub mod prepare;
pub mod rootfs;
pub mod seccomp;
pub mod users;

use std::ffi::CStr;

use crate::api::start_error;
use crate::error::Doing;
use crate::sys;

use channel::Channel;
use mapping::Users;
use plan::{ExecPlan, Plan, ReadyReport, Report, report};

/// `argv[0]` of process 1 of a container.
pub const CONTAINER: &CStr = c"podvm-container";
/// `argv[0]` of a process that joins a running container.
pub const EXEC: &CStr = c"podvm-exec";
/// `argv[0]` of the process that keeps the pod's process id namespace.
pub const POD: &CStr = c"podvm-pod";

/// Process 1 of a container.
pub fn container() -> ! {
    let (socket, _) = sys::exec::inherited(false);
    let channel = Channel::new(socket);
    let result = channel.receive::<Plan>().and_then(|plan| {
        sys::exec::unshare_cgroup().doing(|| "make a cgroup namespace")?;
        let root = plan.root.clone().unwrap_or_default();
        let users = plan.exec.as_ref().and_then(|exec| exec.users);
        let users = users.map(|users| Users::open(&plan.users, users)).transpose()?;
        rootfs::build(&plan, &root, users.as_ref())?;
        Ok((plan, users))
    });
    match result {
        Ok((plan, users)) => run(&channel, &plan.exec.unwrap_or_default(), users.as_ref(), true),
        Err(e) => fail(&channel, &e.message),
    }
}

/// Process 1 of the pod's own process id namespace: while it lives the namespace does, and orphans come to it.
pub fn pod() -> ! {
    let (socket, _) = sys::exec::inherited(false);
    sys::signals::ignore_children();
    Channel::new(socket).wait_for_start();
    std::process::exit(0)
}

/// A further process of a container. The extra descriptor names the container's process 1.
pub fn exec() -> ! {
    let (socket, container) = sys::exec::inherited(true);
    let channel = Channel::new(socket);
    let result = channel.receive::<ExecPlan>().and_then(|plan| {
        let container = container.ok_or_else(|| crate::error::Error::internal("no container to join"))?;
        sys::exec::join(&container).doing(|| "join the container's namespaces")?;
        let users = plan.users.map(|users| Users::new(container, users));
        users.as_ref().map_or(Ok(()), Users::make_files)?;
        Ok((plan, users))
    });
    match result {
        Ok((plan, users)) => run(&channel, &plan, users.as_ref(), false),
        Err(e) => fail(&channel, &e.message),
    }
}

fn fail(channel: &Channel, message: &str) -> ! {
    channel.send(&Report::failed(message), None);
    std::process::exit(128)
}

/// Prepares the process, reports, waits for the word to start and becomes the program.
fn run(channel: &Channel, plan: &ExecPlan, users: Option<&Users>, is_first: bool) -> ! {
    let terminal = match prepare::terminal(plan, is_first) {
        Ok(terminal) => terminal,
        Err(e) => fail(channel, &e.message),
    };
    // What is wrong with the process itself (user, directory, ...) is the answer to the start, not to the preparation.
    let ready = prepare::process(plan, users);
    let user = ready.as_ref().ok().map(prepare::Ready::user);
    channel.send(&Report { kind: Some(report::Kind::Ready(ReadyReport { user })) }, terminal.as_ref());
    drop(terminal);
    if !channel.wait_for_start() {
        std::process::exit(128);
    }
    let error = match ready {
        Ok(ready) => ready.execute(),
        Err(e) => prepare::start_error(start_error::Kind::Other, e.message),
    };
    let code = error.exit_code;
    channel.send(&Report { kind: Some(report::Kind::StartError(error)) }, None);
    std::process::exit(code)
}
