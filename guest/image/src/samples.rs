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
    elf(&[Part { name: b".modinfo", content: modinfo.as_bytes(), ..Part::default() }])
}

/// A module with a section of the given name, and one call of a function.
pub fn traced_module(section: &[u8], function: &[u8]) -> Vec<u8> {
    let names = [b"\0", function, b"\0"].concat();
    let mut symbols = vec![0; 48];
    symbols[24] = 1;
    // Place 1 of the code, symbol 1, R_X86_64_PLT32.
    let relocation = [1u64.to_le_bytes(), (1 << 32 | 4u64).to_le_bytes(), (-4i64).to_le_bytes()].concat();
    elf(&[
        Part { name: b".modinfo", content: b"depends=virtio\0", ..Part::default() },
        Part { name: b".text", content: &[0xe8, 0, 0, 0, 0, 0xc3], ..Part::default() },
        Part { name: b".rela.text", content: &relocation, kind: 4, link: 4, info: 2 },
        Part { name: b".symtab", content: &symbols, kind: 2, link: 5, info: 0 },
        Part { name: b".strtab", content: &names, kind: 3, ..Part::default() },
        Part { name: section, content: &[0; 8], kind: 1, ..Part::default() },
    ])
}

#[derive(Default)]
struct Part<'a> {
    name: &'a [u8],
    content: &'a [u8],
    kind: u32,
    link: u32,
    info: u32,
}

/// Sections in the given order after the empty one with which every table begins; the table of names comes last.
fn elf(parts: &[Part]) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..6].copy_from_slice(b"\x7fELF\x02\x01");
    let mut names = vec![0];
    let mut table = vec![0; 64];
    let mut add = |file: &mut Vec<u8>, name: usize, part: &Part, content: &[u8]| {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&u32::try_from(name).unwrap().to_le_bytes());
        header[4..8].copy_from_slice(&part.kind.to_le_bytes());
        header[0x18..0x20].copy_from_slice(&(file.len() as u64).to_le_bytes());
        header[0x20..0x28].copy_from_slice(&(content.len() as u64).to_le_bytes());
        header[0x28..0x2c].copy_from_slice(&part.link.to_le_bytes());
        header[0x2c..0x30].copy_from_slice(&part.info.to_le_bytes());
        table.extend_from_slice(&header);
        file.extend_from_slice(content);
    };
    for part in parts {
        add(&mut file, names.len(), part, part.content);
        names.extend_from_slice(part.name);
        names.push(0);
    }
    add(&mut file, 0, &Part::default(), &names);
    let at = file.len() as u64;
    file.extend_from_slice(&table);
    file[0x28..0x30].copy_from_slice(&at.to_le_bytes());
    file[0x3a..0x3c].copy_from_slice(&64u16.to_le_bytes());
    file[0x3c..0x3e].copy_from_slice(&u16::try_from(parts.len() + 2).unwrap().to_le_bytes());
    file[0x3e..0x40].copy_from_slice(&u16::try_from(parts.len() + 1).unwrap().to_le_bytes());
    file
}
