//! Which devices the processes of a cgroup may open: a small eBPF program per cgroup, as cgroup v2 has no list of its own.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Block,
    Character,
}

/// A device number that may be opened.
#[derive(Clone, Copy)]
pub struct Allowed {
    pub kind: Kind,
    pub major: u32,
    /// None: every minor number.
    pub minor: Option<u32>,
    pub write: bool,
}

impl Allowed {
    pub const fn characters(major: u32, minor: Option<u32>) -> Self {
        Self { kind: Kind::Character, major, minor, write: true }
    }
}

/// Loads the filter. Devices can be made as files, but only those listed can be opened.
pub fn load(allowed: &[Allowed]) -> io::Result<OwnedFd> {
    let program = assemble(allowed);
    let license = c"Apache-2.0";
    let mut attr = [0u8; 128];
    attr[0..4].copy_from_slice(&BPF_PROG_TYPE_CGROUP_DEVICE.to_ne_bytes());
    attr[4..8].copy_from_slice(&u32::try_from(program.len()).unwrap_or(u32::MAX).to_ne_bytes());
    attr[8..16].copy_from_slice(&(program.as_ptr() as u64).to_ne_bytes());
    attr[16..24].copy_from_slice(&(license.as_ptr() as u64).to_ne_bytes());
    let fd = bpf(BPF_PROG_LOAD, &attr)?;
    // SAFETY: the kernel has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub fn attach(program: impl AsFd, cgroup: impl AsFd) -> io::Result<()> {
    let mut attr = [0u8; 128];
    attr[0..4].copy_from_slice(&cgroup.as_fd().as_raw_fd().to_ne_bytes());
    attr[4..8].copy_from_slice(&program.as_fd().as_raw_fd().to_ne_bytes());
    attr[8..12].copy_from_slice(&BPF_CGROUP_DEVICE.to_ne_bytes());
    bpf(BPF_PROG_ATTACH, &attr).map(|_| ())
}

fn bpf(command: i32, attr: &[u8; 128]) -> io::Result<i32> {
    // SAFETY: the attribute block is as large as told and its pointers are valid for the call.
    match unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_ptr(), attr.len()) } {
        -1 => Err(io::Error::last_os_error()),
        value => Ok(i32::try_from(value).unwrap_or(-1)),
    }
}

// From linux/bpf.h.
const BPF_PROG_LOAD: i32 = 5;
const BPF_PROG_ATTACH: i32 = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const DEVICE_BLOCK: i32 = 1;
const DEVICE_CHARACTER: i32 = 2;
const ACCESS_WRITE: i32 = 4;
const ACCESS_READ_OR_WRITE: i32 = 2 | ACCESS_WRITE;

/// One eBPF instruction: operation, registers (source in the high half), offset, immediate.
fn instruction(code: u8, registers: u8, offset: i16, value: i32) -> [u8; 8] {
    let mut bytes = [code, registers, 0, 0, 0, 0, 0, 0];
    bytes[2..4].copy_from_slice(&offset.to_ne_bytes());
    bytes[4..8].copy_from_slice(&value.to_ne_bytes());
    bytes
}

/// Device numbers have 12 and 20 bits.
fn number(part: u32) -> i32 {
    i32::try_from(part).unwrap_or(i32::MAX)
}

/// The context is struct bpf_cgroup_dev_ctx: u32 (access << 16 | type), u32 major, u32 minor.
fn assemble(allowed: &[Allowed]) -> Vec<[u8; 8]> {
    const LOAD_WORD: u8 = 0x61;
    const MOVE: u8 = 0xbf;
    const AND: u8 = 0x57;
    const SHIFT_RIGHT: u8 = 0x77;
    const SET: u8 = 0xb7;
    const JUMP_IF_NOT: u8 = 0x55;
    const JUMP_IF_ANY: u8 = 0x45;
    const EXIT: u8 = 0x95;
    let answer = |value| [instruction(SET, 0, 0, value), instruction(EXIT, 0, 0, 0)];
    let mut program = vec![
        instruction(LOAD_WORD, 0x12, 0, 0),
        instruction(MOVE, 0x23, 0, 0),
        instruction(SHIFT_RIGHT, 3, 0, 16),
        instruction(AND, 3, 0, ACCESS_READ_OR_WRITE),
        // Making the file only.
        instruction(JUMP_IF_NOT, 3, 2, 0),
    ];
    program.extend(answer(1));
    program.extend([instruction(AND, 2, 0, 0xffff), instruction(LOAD_WORD, 0x14, 4, 0), instruction(LOAD_WORD, 0x15, 8, 0)]);
    for device in allowed {
        let kind = if device.kind == Kind::Block { DEVICE_BLOCK } else { DEVICE_CHARACTER };
        // Registers 2 to 5: kind, access, major and minor number.
        let mut tests = vec![(JUMP_IF_NOT, 2, kind), (JUMP_IF_NOT, 4, number(device.major))];
        tests.extend(device.minor.map(|minor| (JUMP_IF_NOT, 5, number(minor))));
        if !device.write {
            tests.push((JUMP_IF_ANY, 3, ACCESS_WRITE));
        }
        let beyond = i16::try_from(tests.len()).unwrap_or(i16::MAX) + 1;
        for ((code, register, value), passed) in tests.into_iter().zip(0..) {
            program.push(instruction(code, register, beyond - passed, value));
        }
        program.extend(answer(1));
    }
    program.extend(answer(0));
    program
}
