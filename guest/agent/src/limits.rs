//! Changes what containers may use while they run.

use std::path::Path;

use rustix::process::Pid;

use crate::api::UpdateResourcesRequest;
use crate::cgroup::{self, Cgroup, POD};
use crate::checks;
use crate::containers::Containers;
use crate::error::{Error, Kind, Result};

pub fn update(containers: &Containers, request: &UpdateResourcesRequest) -> Result<()> {
    checks::settings("settings", &request.settings)?;
    if let Some(score) = request.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
        return Err(Error::invalid(format!("oom_score_adj: {score} is not in -1000..1000")));
    }
    if request.container_id.is_empty() {
        return cgroup::set(Path::new(POD), &request.settings);
    }
    let container = containers.get(&request.container_id)?;
    if container.has_ended() {
        return Err(Error::not_found(format!("container {} has ended", container.id)));
    }
    cgroup::set(container.cgroup().path(), &request.settings)?;
    match request.oom_score_adj {
        Some(score) => adjust(container.cgroup(), score),
        None => Ok(()),
    }
}

/// Processes may come and go meanwhile: those that have come inherit from one that was there, and is done again.
fn adjust(cgroup: &Cgroup, score: i32) -> Result<()> {
    let mut done: Vec<Pid> = Vec::new();
    loop {
        let new: Vec<Pid> = cgroup.processes().into_iter().filter(|process| !done.contains(process)).collect();
        if new.is_empty() {
            return Ok(());
        }
        for process in new {
            let file = format!("/proc/{}/oom_score_adj", process.as_raw_nonzero());
            match std::fs::write(&file, score.to_string()) {
                // Gone.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound || e.raw_os_error() == Some(libc::ESRCH) => {}
                Err(e) => return Err(Error::new(Kind::Invalid, format!("oom_score_adj: cannot set it to {score}: {e}"))),
                Ok(()) => {}
            }
            done.push(process);
        }
    }
}
