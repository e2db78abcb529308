//! The sections of an ELF file of 64 bits, little-endian: the only kind that PodVM's machines have (System V ABI, "Sections").

use crate::bytes;

const TABLE: u64 = 0x28;
const SIZE: u64 = 0x3a;
const COUNT: u64 = 0x3c;
const NAMES: u64 = 0x3e;
/// As much of a section's header as is read here.
const HEADER: u64 = 0x30;

/// Relocations with addends (SHT_RELA).
pub const RELOCATIONS: u32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Where its header begins.
    header: u64,
    name: u32,
    pub kind: u32,
    pub offset: u64,
    pub size: u64,
    /// Index of the section it refers to: relocations to symbols, symbols to their names.
    pub link: u32,
    /// Of relocations: index of the section they change.
    pub info: u32,
}

impl Section {
    pub fn content<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        bytes::slice(file, self.offset, self.size)
    }

    /// Takes its name and all flags: nobody finds it, and the kernel neither keeps nor relocates it. Cutting it out would move
    /// all that follows.
    pub fn hide(&self, file: &mut [u8]) {
        let Ok(header) = usize::try_from(self.header) else {
            return;
        };
        file[header..header + 4].fill(0);
        file[header + 8..header + 16].fill(0);
    }
}

pub fn section(file: &[u8], index: u32) -> Option<Section> {
    if bytes::slice(file, 0, 6)? != b"\x7fELF\x02\x01" || index >= u32::from(bytes::u16_at(file, COUNT)?) {
        return None;
    }
    let place = u64::from(index) * u64::from(bytes::u16_at(file, SIZE)?);
    let at = bytes::u64_at(file, TABLE)?.checked_add(place)?;
    let header = bytes::slice(file, at, HEADER)?;
    Some(Section {
        header: at,
        name: bytes::u32_at(header, 0)?,
        kind: bytes::u32_at(header, 4)?,
        offset: bytes::u64_at(header, 0x18)?,
        size: bytes::u64_at(header, 0x20)?,
        link: bytes::u32_at(header, 0x28)?,
        info: bytes::u32_at(header, 0x2c)?,
    })
}

pub fn sections(file: &[u8]) -> impl Iterator<Item = Section> + '_ {
    let count = bytes::u16_at(file, COUNT).unwrap_or(0);
    (0..u32::from(count)).filter_map(|index| section(file, index))
}

pub fn find(file: &[u8], wanted: &[u8]) -> Option<Section> {
    let names = section(file, u32::from(bytes::u16_at(file, NAMES)?))?.content(file)?;
    sections(file).find(|section| text(names, section.name) == Some(wanted))
}

/// The text that begins at `at` and ends with NUL.
pub fn text(names: &[u8], at: u32) -> Option<&[u8]> {
    names.get(at as usize..)?.split(|byte| *byte == 0).next()
}
