//! The process that is number 1 in every machine: it serves the daemon and starts containers.

mod api;
mod boot;
mod cgroup;
mod checks;
mod console;
mod containers;
mod disks;
mod error;
mod files;
mod hugepages;
mod launch;
mod limits;
mod modules;
mod ports;
mod power;
mod processes;
mod reaper;
mod sandbox;
mod server;
mod service;
mod shares;
mod sockets;
mod stats;
mod sys;
mod transport;
mod vcpus;
mod volumes;

use std::os::unix::ffi::OsStrExt;

use modules::{Modules, Phase};

/// Of the threads that wait for pipes beside the runtime's own.
const STACK: usize = 256 * 1024;

fn main() {
    let name = std::env::args_os().next().unwrap_or_default();
    if name.as_bytes() == launch::CONTAINER.to_bytes() {
        launch::container()
    }
    if name.as_bytes() == launch::EXEC.to_bytes() {
        launch::exec()
    }
    if name.as_bytes() == launch::POD.to_bytes() {
        launch::pod()
    }
    if name.as_bytes() == modules::MODPROBE {
        modules::probe(std::env::args_os().skip(1).filter_map(|word| word.into_string().ok()))
    }
    log!("podvm-agent {}", env!("CARGO_PKG_VERSION"));
    let started = service::boottime_ns();
    if rustix::process::getpid() != rustix::process::Pid::INIT {
        log!("podvm-agent: this is the first process of a PodVM machine and does nothing elsewhere");
        std::process::exit(2);
    }
    if let Err(e) = boot::mount() {
        panic!("{e}");
    }
    if let Err(e) = console::reserve_descriptors() {
        panic!("cannot reserve file descriptors: {e}");
    }
    let modules = Modules::read();
    modules.load(Phase::Channel);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().thread_stack_size(STACK).build();
    match runtime {
        Ok(runtime) => runtime.block_on(server::run(modules, started)),
        Err(e) => panic!("cannot start the runtime: {e}"),
    }
}
