//! Reads what a kernel module says of itself: the `.modinfo` section, a list of `key=value` texts.

use crate::elf;
use crate::error::{Problem, Result};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct ModInfo {
    /// Modules whose symbols this one uses; it cannot be loaded before them.
    pub depends: Vec<String>,
    /// Modules that it asks for by name while it starts (`softdep=pre: ...`).
    pub wishes: Vec<String>,
}

impl ModInfo {
    pub fn of(module: &[u8]) -> Result<Self> {
        let section = elf::find(module, b".modinfo")
            .and_then(|section| section.content(module))
            .ok_or_else(|| Problem::new("not a kernel module: no ELF file with a .modinfo section", "fetch the kernel's package again"))?;
        Ok(Self::parse(section))
    }

    fn parse(section: &[u8]) -> Self {
        let mut info = Self::default();
        for text in section.split(|byte| *byte == 0).map(String::from_utf8_lossy) {
            match text.split_once('=') {
                Some(("depends", names)) => {
                    info.depends.extend(names.split(',').filter(|name| !name.is_empty()).map(canonical));
                }
                Some(("softdep", rule)) => info.wishes.extend(before(rule).map(canonical)),
                _ => {}
            }
        }
        info
    }
}

/// The kernel takes `-` and `_` in module names for the same; files are named with either.
pub fn canonical(name: &str) -> String {
    name.replace('-', "_")
}

/// The names after `pre:` and before `post:`.
fn before(rule: &str) -> impl Iterator<Item = &str> {
    let mut pre = false;
    rule.split_whitespace().filter(move |word| match *word {
        "pre:" => {
            pre = true;
            false
        }
        "post:" => {
            pre = false;
            false
        }
        _ => pre,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn dependencies_and_wishes_are_read() {
        let module = samples::module("license=GPL\0depends=virtio,virtio-ring\0softdep=pre: crc32c a-b post: late\0");
        let info = ModInfo::of(&module).unwrap();
        assert_eq!(info.depends, ["virtio", "virtio_ring"]);
        assert_eq!(info.wishes, ["crc32c", "a_b"]);
    }

    #[test]
    fn a_module_that_needs_nothing_says_so() {
        assert_eq!(ModInfo::of(&samples::module("depends=\0name=x\0")).unwrap(), ModInfo::default());
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for file in [b"".as_slice(), b"\x7fELF", b"#!/bin/sh\n", &[0xff; 4096]] {
            assert!(ModInfo::of(file).unwrap_err().to_string().contains("not a kernel module"));
        }
    }

    #[test]
    fn truncated_and_flipped_modules_never_panic() {
        let module = samples::module("depends=virtio\0");
        for at in 0..module.len() {
            let _ = ModInfo::of(&module[..at]);
            let mut broken = module.clone();
            broken[at] ^= 0xff;
            let _ = ModInfo::of(&broken);
        }
    }
}
