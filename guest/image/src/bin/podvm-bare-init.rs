//! The control of the benchmarks: the least that can be process 1. It says that it runs, and switches off, or with
//! the argument "wait" (after "--" on the kernel's command line) stays.

use std::io::Write;

use rustix::system::{RebootCommand, reboot};

fn main() {
    if let Ok(mut console) = std::fs::OpenOptions::new().write(true).open("/dev/console") {
        let _ = console.write_all(b"podvm-bare\n");
    }
    if std::env::args().any(|argument| argument == "wait") {
        loop {
            std::thread::park();
        }
    }
    let refused = reboot(RebootCommand::PowerOff);
    // Process 1 must not end, or the kernel panics; reached only where this runs as anything else.
    eprintln!(
        "podvm-bare-init: cannot switch the machine off: {refused:?}; run it as /init of a virtual machine"
    );
    std::process::exit(1);
}
