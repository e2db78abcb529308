//! Makes what a machine boots, from the unpacked package of a distribution's kernel and the agent's binary:
//! an uncompressed kernel and an initramfs with the few modules a pod's machine needs.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::cast_possible_truncation))]

mod bytes;
mod compression;
mod cpio;
mod elf;
mod error;
mod guest;
mod kernel;
mod modinfo;
mod modules;
mod package;
#[cfg(test)]
mod samples;
mod slim;

pub use error::{Problem, Result};
pub use guest::{Inputs, build};
