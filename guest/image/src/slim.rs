//! Takes off a module what its loading would spend time on and nothing in a machine needs: under emulation the proof of one
//! signature costs as much as all the rest of a load.

use crate::bytes;
use crate::modinfo::section_header;

/// What ends a signed module (`struct module_signature` and the text after it, scripts/sign-file.c in Linux).
const SIGNED: &[u8] = b"~Module signature appended~\n";
const SIGNATURE_HEADER: usize = 12;

/// Without its signature and its type information.
///
/// The signature proves nothing here: whoever could put another module into the initramfs could as well put another agent, or
/// another kernel, beside it. The types (BTF) serve tracing programs that name types of this one module.
pub fn slim(mut module: Vec<u8>) -> Vec<u8> {
    if let Some(end) = unsigned_length(&module) {
        module.truncate(end);
    }
    if let Some(at) = section_header(&module, b".BTF") {
        // A section without a name is one that nobody looks for; cutting it out would move all that follows.
        module[at..at + 4].fill(0);
    }
    module
}

fn unsigned_length(module: &[u8]) -> Option<usize> {
    let header_end = module.strip_suffix(SIGNED)?.len();
    let header = header_end.checked_sub(SIGNATURE_HEADER)?;
    let length = u32::from_be_bytes(bytes::slice(module, header as u64 + 8, 4)?.try_into().ok()?);
    header.checked_sub(length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modinfo::ModInfo;
    use crate::samples;

    fn sign(mut module: Vec<u8>, claimed: u32) -> Vec<u8> {
        module.extend_from_slice(&[7; 300]);
        module.extend_from_slice(&[0; 8]);
        module.extend_from_slice(&claimed.to_be_bytes());
        module.extend_from_slice(SIGNED);
        module
    }

    #[test]
    fn a_signature_is_cut_off_to_the_byte() {
        let module = samples::module("depends=virtio\0");
        assert_eq!(slim(sign(module.clone(), 300)), module);
        assert_eq!(slim(module.clone()), module);
    }

    #[test]
    fn a_signature_that_claims_more_than_there_is_stays() {
        let module = sign(samples::module("depends=\0"), u32::MAX);
        assert_eq!(slim(module.clone()), module);
        assert_eq!(slim(SIGNED.to_vec()), SIGNED);
    }

    #[test]
    fn type_information_is_no_longer_found() {
        let module = samples::module_with(".BTF", "depends=virtio\0");
        assert!(section_header(&module, b".BTF").is_some());
        let slim = slim(module);
        assert!(section_header(&slim, b".BTF").is_none());
        assert_eq!(ModInfo::of(&slim).unwrap().depends, ["virtio"]);
    }
}
