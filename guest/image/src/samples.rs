//! Packed data, kernels and modules made for the tests, small and wrong in the ways the tests need.

use std::io::Write;

use crate::compression::Format;

pub const FORMATS: [Format; 4] = [Format::Lz4Legacy, Format::Xz, Format::Zstd, Format::Gzip];

/// Data that neither stays as long nor shrinks to nothing when packed; always the same.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        [(state >> 60) as u8, 7, 7, 7]
    })
    .flatten()
    .take(length)
    .collect()
}

pub fn pack(format: Format, plain: &[u8]) -> Vec<u8> {
    match format {
        Format::Lz4Legacy => {
            let mut packed = vec![0x02, 0x21, 0x4c, 0x18];
            for block in plain.chunks(8 << 20) {
                let block = lz4_flex::block::compress(block);
                packed.extend_from_slice(&u32::try_from(block.len()).unwrap().to_le_bytes());
                packed.extend_from_slice(&block);
            }
            packed
        }
        Format::Xz => pack_xz(plain, lzma_rust2::XzOptions::with_preset(0)),
        Format::Zstd => ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest),
        Format::Gzip => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(plain).unwrap();
            packer.finish().unwrap()
        }
    }
}

/// As the kernel's build packs for x86: jump targets made absolute before LZMA2 sees them.
pub fn pack_xz_x86(plain: &[u8]) -> Vec<u8> {
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.prepend_pre_filter(lzma_rust2::filter::FilterType::BcjX86, 0);
    pack_xz(plain, options)
}

fn pack_xz(plain: &[u8], options: lzma_rust2::XzOptions) -> Vec<u8> {
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

pub fn bzimage(format: Format, kernel: &[u8]) -> Vec<u8> {
    let mut payload = pack(format, kernel);
    if format != Format::Gzip {
        // gzip ends with the size by itself.
        payload.extend_from_slice(&u32::try_from(kernel.len()).unwrap().to_le_bytes());
    }
    let mut image = vec![0; 1024];
    image[0x1f1] = 1;
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&0x20fu16.to_le_bytes());
    image[0x24c..0x250].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    image.extend_from_slice(&payload);
    image
}

/// The smallest ELF file that carries a `.modinfo` section.
pub fn module(modinfo: &str) -> Vec<u8> {
    module_with("", modinfo)
}

/// And a section of another name with nothing in it.
pub fn module_with(section: &str, modinfo: &str) -> Vec<u8> {
    let names = format!("\0.modinfo\0.shstrtab\0{section}\0");
    let names = names.as_bytes();
    let mut file = vec![0; 64];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    let info_at = file.len();
    file.extend_from_slice(modinfo.as_bytes());
    let names_at = file.len();
    file.extend_from_slice(names);
    let table = file.len();
    let mut section = |name: u32, offset: usize, size: usize| {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&name.to_le_bytes());
        header[0x18..0x20].copy_from_slice(&(offset as u64).to_le_bytes());
        header[0x20..0x28].copy_from_slice(&(size as u64).to_le_bytes());
        file.extend_from_slice(&header);
    };
    section(0, 0, 0);
    section(1, info_at, modinfo.len());
    section(10, names_at, names.len());
    section(20, names_at, 0);
    file[0x28..0x30].copy_from_slice(&(table as u64).to_le_bytes());
    file[0x3a..0x3c].copy_from_slice(&64u16.to_le_bytes());
    file[0x3c..0x3e].copy_from_slice(&4u16.to_le_bytes());
    file[0x3e..0x40].copy_from_slice(&2u16.to_le_bytes());
    file
}
