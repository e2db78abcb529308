//! Installs a system call filter in this process.

use std::io;

/// `struct sock_filter` of linux/filter.h.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    pub code: u16,
    pub jump_true: u8,
    pub jump_false: u8,
    pub value: u32,
}

#[repr(C)]
struct Program {
    length: u16,
    instructions: *const Instruction,
}

/// Needs CAP_SYS_ADMIN or no_new_privs.
pub fn install(filter: &[Instruction]) -> io::Result<()> {
    let program = Program { length: u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?, instructions: filter.as_ptr() };
    // SAFETY: the kernel copies `length` instructions from memory that lives until the call returns, and checks them.
    match unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
