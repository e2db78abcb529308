//! Takes the bootable kernel out of a distribution's `vmlinuz`.

use crate::bytes;
use crate::compression::{self, Format};
use crate::error::{Problem, Result};

/// No kernel is this large; data that says so is hostile or damaged.
const LIMIT: usize = 512 << 20;

/// Offsets in the x86 setup header (Documentation/arch/x86/boot.rst of the kernel).
mod header {
    pub const SETUP_SECTORS: u64 = 0x1f1;
    pub const MAGIC: u64 = 0x202;
    pub const VERSION: u64 = 0x206;
    pub const PAYLOAD_OFFSET: u64 = 0x248;
    pub const PAYLOAD_LENGTH: u64 = 0x24c;
    pub const SECTOR: u64 = 512;
}

/// The uncompressed kernel that a VMM starts directly: an ELF file on x86, an `Image` on arm64.
pub fn unpack(vmlinuz: Vec<u8>) -> Result<Vec<u8>> {
    if bytes::slice(&vmlinuz, header::MAGIC, 4) == Some(b"HdrS") {
        unpack_bzimage(&vmlinuz)
    } else {
        let kernel = compression::unpack_any(vmlinuz, LIMIT)?;
        if is_elf(&kernel) || is_arm64(&kernel) { Ok(kernel) } else { Err(unknown("it is no bzImage, ELF file or arm64 Image")) }
    }
}

fn unpack_bzimage(vmlinuz: &[u8]) -> Result<Vec<u8>> {
    let payload = payload(vmlinuz).ok_or_else(|| unknown("its setup header points outside of the file"))?;
    let format = Format::of(payload).ok_or_else(|| {
        let magic: Vec<String> = payload.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        unknown(&format!("its payload begins with {}, which is not LZ4, xz, zstd or gzip", magic.join(" ")))
    })?;
    let kernel = format.unpack(payload, LIMIT)?;
    // The last word of the payload is the unpacked size, whatever the format.
    let expected = bytes::u32_at(payload, payload.len() as u64 - 4).map_or(0, |size| size as usize);
    if kernel.len() != expected {
        return Err(unknown(&format!("it unpacks to {} bytes and not to the {expected} it announces", kernel.len())));
    }
    if is_elf(&kernel) { Ok(kernel) } else { Err(unknown("what it unpacks to is no ELF file")) }
}

fn payload(vmlinuz: &[u8]) -> Option<&[u8]> {
    // The payload fields came with version 2.08 of the boot protocol.
    if bytes::u16_at(vmlinuz, header::VERSION)? < 0x208 {
        return None;
    }
    let sectors = match bytes::u8_at(vmlinuz, header::SETUP_SECTORS)? {
        0 => 4,
        sectors => u64::from(sectors),
    };
    let start = (sectors + 1) * header::SECTOR + u64::from(bytes::u32_at(vmlinuz, header::PAYLOAD_OFFSET)?);
    let payload = bytes::slice(vmlinuz, start, u64::from(bytes::u32_at(vmlinuz, header::PAYLOAD_LENGTH)?))?;
    (payload.len() > 8).then_some(payload)
}

fn is_elf(kernel: &[u8]) -> bool {
    kernel.starts_with(b"\x7fELF")
}

/// Documentation/arch/arm64/booting.rst: the magic number at 56.
fn is_arm64(kernel: &[u8]) -> bool {
    bytes::slice(kernel, 56, 4) == Some(b"ARM\x64")
}

fn unknown(why: &str) -> Problem {
    Problem::new(format!("not a kernel that can be booted: {why}"), "give the unpacked package of a Linux kernel for this machine")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn elf() -> Vec<u8> {
        [b"\x7fELF".to_vec(), samples::noise(100_000)].concat()
    }

    #[test]
    fn a_bzimage_of_every_format_gives_its_kernel() {
        for format in samples::FORMATS {
            assert!(unpack(samples::bzimage(format, &elf())).unwrap() == elf(), "{format:?}");
        }
    }

    #[test]
    fn an_elf_kernel_and_an_arm64_image_stay_as_they_are() {
        assert!(unpack(elf()).unwrap() == elf());
        let mut image = vec![0; 64];
        image[56..60].copy_from_slice(b"ARM\x64");
        assert_eq!(unpack(samples::pack(Format::Gzip, &image)).unwrap(), image);
    }

    #[test]
    fn a_payload_outside_of_the_file_is_refused() {
        let mut vmlinuz = samples::bzimage(Format::Xz, &elf());
        vmlinuz[0x24c..0x250].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(vmlinuz).unwrap_err().to_string().contains("points outside"));
    }

    #[test]
    fn a_kernel_that_is_shorter_than_announced_is_refused() {
        let mut vmlinuz = samples::bzimage(Format::Lz4Legacy, &elf());
        let end = vmlinuz.len();
        vmlinuz[end - 4..].copy_from_slice(&7u32.to_le_bytes());
        assert!(unpack(vmlinuz).unwrap_err().to_string().contains("announces"));
    }

    #[test]
    fn an_unknown_payload_is_told_with_its_first_bytes() {
        let mut vmlinuz = samples::bzimage(Format::Gzip, &elf());
        vmlinuz[1024..1030].copy_from_slice(b"BZh91A");
        assert!(unpack(vmlinuz).unwrap_err().to_string().contains("42 5a 68"));
    }

    #[test]
    fn every_truncation_is_a_problem_and_not_a_panic() {
        let vmlinuz = samples::bzimage(Format::Zstd, &[b"\x7fELF".to_vec(), samples::noise(500)].concat());
        for length in 0..vmlinuz.len() {
            assert!(unpack(vmlinuz[..length].to_vec()).is_err(), "{length}");
        }
    }
}
