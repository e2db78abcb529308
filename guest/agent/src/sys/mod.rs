//! The one place where `unsafe` is allowed: system calls for which no safe binding exists.
#![allow(unsafe_code)]

pub mod clone;
pub mod devices;
pub mod entropy;
pub mod exec;
pub mod mount;
pub mod netlink;
pub mod schedule;
pub mod seccomp;
pub mod signals;
pub mod watched;
