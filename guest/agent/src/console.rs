//! Lines on the machine's console: the only log there is, so it stays short.

use std::fmt::{Arguments, Write as _};
use std::os::fd::AsRawFd;

/// Longer lines are cut: a serial port is slow and its reader may be hostile to long lines.
const LINE: usize = 400;

/// Writes one line. Never fails: there is nobody else to tell.
pub fn line(text: Arguments<'_>) {
    let mut line = String::with_capacity(80);
    if write!(line, "{text}").is_err() {
        return;
    }
    line = line.replace(['\n', '\r'], " ");
    line.truncate((0..=line.len().min(LINE)).rev().find(|&i| line.is_char_boundary(i)).unwrap_or(0));
    line.push('\n');
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
}

#[macro_export]
macro_rules! log {
    ($($text:tt)*) => { $crate::console::line(format_args!($($text)*)) };
}

/// Fills the descriptors up to 4, so that children can be given these numbers without a clash. The kernel opened 0, 1 and 2: the
/// initramfs built into every kernel has /dev/console.
pub fn reserve_descriptors() -> rustix::io::Result<()> {
    loop {
        let next = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 0)?;
        if next.as_raw_fd() > 4 {
            return Ok(());
        }
        // Stays open for good: its number is what is wanted.
        std::mem::forget(next);
    }
}
