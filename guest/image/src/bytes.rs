//! Bounded reads from files that nobody has checked yet: an offset outside is an answer, not a panic.

/// The `length` bytes at `offset`, if the file is that long.
pub fn slice(file: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = usize::try_from(offset.checked_add(length)?).ok()?;
    file.get(start..end)
}

pub fn u8_at(file: &[u8], offset: u64) -> Option<u8> {
    slice(file, offset, 1).map(|b| b[0])
}

pub fn u16_at(file: &[u8], offset: u64) -> Option<u16> {
    slice(file, offset, 2)?.try_into().ok().map(u16::from_le_bytes)
}

pub fn u32_at(file: &[u8], offset: u64) -> Option<u32> {
    slice(file, offset, 4)?.try_into().ok().map(u32::from_le_bytes)
}

pub fn u64_at(file: &[u8], offset: u64) -> Option<u64> {
    slice(file, offset, 8)?.try_into().ok().map(u64::from_le_bytes)
}
