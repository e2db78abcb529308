//! Seeds the kernel's random number generator.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The pool holds 256 bits; a few more bytes do no harm, many would be a mistake.
pub const MAX: usize = 512;

/// Credits every bit of `seed` (at most [`MAX`] bytes) and makes the generator use it at once.
pub fn add(random: impl AsFd, seed: &[u8]) -> io::Result<()> {
    let mut pool = PoolInfo { entropy_bits: 0, size: 0, bytes: [0; MAX] };
    let size = seed.len().min(MAX);
    pool.bytes[..size].copy_from_slice(&seed[..size]);
    pool.size = i32::try_from(size).unwrap_or(0);
    pool.entropy_bits = pool.size * 8;
    let fd = random.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `size` bytes behind the two numbers, all of which are in the struct.
    if unsafe { libc::ioctl(fd, RNDADDENTROPY, &raw const pool) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: takes no argument.
    match unsafe { libc::ioctl(fd, RNDRESEEDCRNG) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

// From linux/random.h: _IOW('R', 3, int[2]) and _IO('R', 7).
const RNDADDENTROPY: libc::Ioctl = 0x4008_5203_u32 as libc::Ioctl;
const RNDRESEEDCRNG: libc::Ioctl = 0x5207;

/// `struct rand_pool_info` of linux/random.h.
#[repr(C)]
struct PoolInfo {
    entropy_bits: i32,
    size: i32,
    bytes: [u8; MAX],
}
