//! Takes off a module what its loading would spend time on and nothing in a machine needs. An emulated processor feels it: the
//! proof of one signature costs it as much as all the rest of a load.

use crate::bytes;
use crate::elf;

/// What ends a signed module (`struct module_signature` and the text after it, scripts/sign-file.c in Linux).
const SIGNED: &[u8] = b"~Module signature appended~\n";
const SIGNATURE_HEADER: usize = 12;

/// What tracing and stack traces use of a module: its types, how to unwind its stack frames (sorted at every load; without,
/// a trace marks its functions with "?"), and where its functions begin (looked up by name one by one at every load).
const HIDDEN: [&[u8]; 4] = [b".BTF", b".orc_unwind", b".orc_unwind_ip", TRACED];
const TRACED: &[u8] = b"__mcount_loc";

/// A module without its signature and without what only serves tracing.
///
/// The signature proves nothing here: whoever could put another module into the initramfs could as well put another agent, or
/// another kernel, beside it.
pub fn slim(mut module: Vec<u8>) -> Vec<u8> {
    if let Some(end) = unsigned_length(&module) {
        module.truncate(end);
    }
    if elf::find(&module, TRACED).is_some() {
        for call in tracer_calls(&module) {
            call.remove(&mut module);
        }
    }
    for name in HIDDEN {
        if let Some(section) = elf::find(&module, name) {
            section.hide(&mut module);
        }
    }
    module
}

fn unsigned_length(module: &[u8]) -> Option<usize> {
    let header_end = module.strip_suffix(SIGNED)?.len();
    let header = header_end.checked_sub(SIGNATURE_HEADER)?;
    let length = u32::from_be_bytes(bytes::slice(module, header as u64 + 8, 4)?.try_into().ok()?);
    header.checked_sub(length as usize)
}

/// A call of the function tracer at the begin of a function of x86_64. The kernel would make a no-op of each that it is told of.
struct TracerCall {
    /// Where the five bytes of the instruction are in the file.
    instruction: usize,
    /// And the type of the relocation that fills in its target.
    relocation: usize,
}

impl TracerCall {
    const TRACER: &[u8] = b"__fentry__";
    const CALL: [u8; 5] = [0xe8, 0, 0, 0, 0];
    const NO_OPERATION: [u8; 5] = [0x0f, 0x1f, 0x44, 0x00, 0x00];
    /// R_X86_64_NONE.
    const NO_RELOCATION: [u8; 4] = [0; 4];

    fn remove(&self, module: &mut [u8]) {
        module[self.instruction..self.instruction + 5].copy_from_slice(&Self::NO_OPERATION);
        module[self.relocation..self.relocation + 4].copy_from_slice(&Self::NO_RELOCATION);
    }

    /// The call that the relocation at `entry` belongs to, if it is one. The relocation's place is that of the target, one byte
    /// after the instruction's begin.
    fn at(module: &[u8], code: &elf::Section, entry: u64, symbols: &[u8], names: &[u8]) -> Option<Self> {
        let place = bytes::u64_at(module, entry)?;
        let symbol = u64::from(bytes::u32_at(module, entry.checked_add(12)?)?) * SYMBOL;
        if elf::text(names, bytes::u32_at(symbols, symbol)?)? != Self::TRACER {
            return None;
        }
        let instruction = code.offset.checked_add(place)?.checked_sub(1)?;
        if bytes::slice(module, instruction, 5)? != Self::CALL {
            return None;
        }
        Some(Self { instruction: usize::try_from(instruction).ok()?, relocation: usize::try_from(entry + 8).ok()? })
    }
}

/// Sizes of a symbol and of a relocation with addend.
const SYMBOL: u64 = 24;
const RELOCATION: u64 = 24;

fn tracer_calls(module: &[u8]) -> Vec<TracerCall> {
    let mut calls = Vec::new();
    for relocations in elf::sections(module).filter(|section| section.kind == elf::RELOCATIONS) {
        let code = elf::section(module, relocations.info);
        let symbols = elf::section(module, relocations.link);
        let names = symbols.and_then(|symbols| elf::section(module, symbols.link)?.content(module));
        let symbols = symbols.and_then(|symbols| symbols.content(module));
        let (Some(code), Some(symbols), Some(names), Some(entries)) = (code, symbols, names, relocations.content(module)) else {
            continue;
        };
        let entries = (0..entries.len() as u64 / RELOCATION).map(|i| relocations.offset + i * RELOCATION);
        calls.extend(entries.filter_map(|entry| TracerCall::at(module, &code, entry, symbols, names)));
    }
    calls
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
    fn what_tracing_uses_is_no_longer_found() {
        let module = samples::traced_module(TRACED, TracerCall::TRACER);
        assert!(elf::find(&module, TRACED).is_some());
        let slim = slim(module);
        assert!(elf::find(&slim, TRACED).is_none());
        assert_eq!(ModInfo::of(&slim).unwrap().depends, ["virtio"]);
    }

    #[test]
    fn calls_of_the_tracer_become_no_operations_and_others_stay() {
        let slim = slim(samples::traced_module(TRACED, TracerCall::TRACER));
        assert!(slim.windows(5).any(|code| code == TracerCall::NO_OPERATION));
        assert!(!slim.windows(5).any(|code| code == TracerCall::CALL));
        let other = samples::traced_module(TRACED, b"printk");
        assert!(super::slim(other).windows(5).any(|code| code == TracerCall::CALL));
    }

    #[test]
    fn truncated_and_flipped_modules_never_panic() {
        let module = samples::traced_module(TRACED, TracerCall::TRACER);
        for at in 0..module.len() {
            let _ = slim(module[..at].to_vec());
            let mut broken = module.clone();
            broken[at] ^= 0xff;
            let _ = slim(broken);
        }
    }
}
