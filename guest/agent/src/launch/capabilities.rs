//! Capability names and the sets of a process.

use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::error::{Doing, Error, Result};

/// By number, from linux/capability.h.
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

pub fn all() -> CapabilitySet {
    CapabilitySet::from_bits_retain((1 << NAMES.len()) - 1)
}

/// Names with or without "CAP_".
pub fn parse(names: &[String]) -> Result<CapabilitySet> {
    let mut set = CapabilitySet::empty();
    for name in names {
        let short = name.strip_prefix("CAP_").unwrap_or(name);
        let number = NAMES
            .iter()
            .position(|n| *n == short)
            .ok_or_else(|| Error::invalid(format!("security.capabilities: unknown capability {name:?}")))?;
        set |= CapabilitySet::from_bits_retain(1 << number);
    }
    Ok(set)
}

/// Takes everything else out of the bounding set, for this process and all it becomes.
pub fn bound(keep: CapabilitySet) -> Result<()> {
    for (number, name) in NAMES.iter().enumerate() {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if !keep.contains(capability) {
            rustix::thread::remove_capability_from_bounding_set(capability).doing(|| format!("drop CAP_{name}"))?;
        }
    }
    Ok(())
}

/// Permitted and effective; the ambient ones, which must be among them, are inheritable as well.
pub fn set(capabilities: CapabilitySet, ambient: CapabilitySet) -> Result<()> {
    let sets = CapabilitySets { effective: capabilities, permitted: capabilities, inheritable: ambient };
    rustix::thread::set_capabilities(None, sets).doing(|| "set the capabilities")?;
    for (number, name) in NAMES.iter().enumerate() {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        if ambient.contains(capability) {
            rustix::thread::configure_capability_in_ambient_set(capability, true).doing(|| format!("make CAP_{name} ambient"))?;
        }
    }
    Ok(())
}

/// Makes all that is permitted effective again.
pub fn set_all() -> Result<()> {
    let own = rustix::thread::capabilities(None).doing(|| "read the capabilities")?;
    let sets = CapabilitySets { effective: own.permitted, ..own };
    rustix::thread::set_capabilities(None, sets).doing(|| "set the capabilities")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_their_numbers() {
        assert_eq!(parse(&["CAP_SYS_ADMIN".into()]).unwrap(), CapabilitySet::SYS_ADMIN);
        assert_eq!(parse(&["CHECKPOINT_RESTORE".into()]).unwrap(), CapabilitySet::CHECKPOINT_RESTORE);
        assert_eq!(parse(&["CAP_CHOWN".into(), "CAP_BPF".into()]).unwrap(), CapabilitySet::CHOWN | CapabilitySet::BPF);
    }

    #[test]
    fn an_unknown_name_is_refused() {
        assert!(parse(&["CAP_FLY".into()]).unwrap_err().message.contains("CAP_FLY"));
    }
}
