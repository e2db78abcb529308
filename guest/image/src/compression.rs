//! Unpacks what distributions pack kernels and modules with: LZ4 (the legacy frame), xz, zstd and gzip.

use std::io::{Read, Write};

use crate::bytes;
use crate::error::{Problem, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Lz4Legacy,
    Xz,
    Zstd,
    Gzip,
}

impl Format {
    /// Tells the format by the magic number with which the packed data begins.
    pub fn of(packed: &[u8]) -> Option<Self> {
        match packed {
            [0x02, 0x21, 0x4c, 0x18, ..] => Some(Self::Lz4Legacy),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            _ => None,
        }
    }

    /// Unpacks one stream and never returns more than `limit` bytes. Bytes after the stream's own end are
    /// ignored, because the kernel's build appends the unpacked size to its payload.
    pub fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut plain = Bounded { bytes: Vec::new(), limit };
        match self {
            Self::Lz4Legacy => unpack_lz4_legacy(packed, &mut plain),
            Self::Xz => copy(&mut lzma_rust2::XzReader::new(packed, false), &mut plain),
            Self::Gzip => copy(&mut flate2::read::GzDecoder::new(packed), &mut plain),
            Self::Zstd => match ruzstd::decoding::StreamingDecoder::new(packed) {
                Ok(mut stream) => copy(&mut stream, &mut plain),
                Err(cause) => Err(cause.to_string()),
            },
        }
        .map_err(|cause| {
            Problem::new(
                format!("cannot unpack {} bytes of {self:?} data ({cause})", packed.len()),
                "the file is damaged or not what its name says; fetch its package again",
            )
        })?;
        Ok(plain.bytes)
    }
}

/// Unpacks data of any known format; data of no known format is returned as it is.
pub fn unpack_any(data: Vec<u8>, limit: usize) -> Result<Vec<u8>> {
    match Format::of(&data) {
        Some(format) => format.unpack(&data, limit),
        None => Ok(data),
    }
}

struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        if more.len() > self.limit - self.bytes.len() {
            return Err(std::io::Error::other(format!("it unpacks to more than {} bytes", self.limit)));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn copy(stream: &mut impl Read, plain: &mut Bounded) -> std::result::Result<(), String> {
    std::io::copy(stream, plain).map(|_| ()).map_err(|cause| cause.to_string())
}

/// A legacy frame is a magic number and then blocks, each with its packed size before it and 8 MiB long when
/// unpacked, but for the last (lz4's own description: `doc/lz4_Frame_format.md`, "Legacy frame").
const LZ4_BLOCK: usize = 8 << 20;

fn unpack_lz4_legacy(packed: &[u8], plain: &mut Bounded) -> std::result::Result<(), String> {
    let mut offset = 4;
    let mut block = vec![0; LZ4_BLOCK];
    while let Some(size) = bytes::u32_at(packed, offset) {
        let Some(input) = bytes::slice(packed, offset + 4, u64::from(size)) else {
            return Err(format!("the block at {offset} is said to hold {size} bytes, more than there are"));
        };
        let length = lz4_flex::block::decompress_into(input, &mut block).map_err(|cause| cause.to_string())?;
        plain.write_all(&block[..length]).map_err(|cause| cause.to_string())?;
        if length < LZ4_BLOCK {
            return Ok(());
        }
        offset += 4 + u64::from(size);
    }
    // A kernel of exactly n blocks has no shorter one at its end, so running out here is no fault by itself;
    // the caller compares the size.
    if plain.bytes.is_empty() { Err("it ends before its first block".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    /// LZ4 data of more than one block; the others get less, because unpacking is slow without optimization.
    fn plain(format: Format) -> Vec<u8> {
        let mut plain = samples::noise(50_000);
        if format == Format::Lz4Legacy {
            plain.resize(9_000_000, 1);
        }
        plain
    }

    #[test]
    fn every_format_unpacks_to_what_was_packed() {
        for format in samples::FORMATS {
            let plain = plain(format);
            let packed = samples::pack(format, &plain);
            assert_eq!(Format::of(&packed), Some(format));
            assert!(format.unpack(&packed, plain.len()).unwrap() == plain, "{format:?}");
        }
    }

    #[test]
    fn the_size_that_the_kernel_build_appends_is_ignored() {
        for format in samples::FORMATS {
            let mut packed = samples::pack(format, b"kernel");
            packed.extend_from_slice(&6u32.to_le_bytes());
            assert_eq!(format.unpack(&packed, 100).unwrap(), b"kernel", "{format:?}");
        }
    }

    #[test]
    fn xz_with_the_filter_for_x86_code_unpacks() {
        let plain = plain(Format::Xz);
        let packed = samples::pack_xz_x86(&plain);
        assert!(Format::Xz.unpack(&packed, plain.len()).unwrap() == plain);
    }

    #[test]
    fn data_that_unpacks_beyond_the_limit_is_refused() {
        for format in samples::FORMATS {
            let packed = samples::pack(format, &vec![0; 1 << 20]);
            let problem = format.unpack(&packed, 1000).unwrap_err().to_string();
            assert!(problem.contains("more than 1000 bytes"), "{problem}");
        }
    }

    #[test]
    fn truncated_data_is_a_problem_and_not_a_panic() {
        for format in samples::FORMATS {
            let packed = samples::pack(format, &samples::noise(5000));
            for length in [4, 5, 7, 8, 20, packed.len() / 2] {
                let problem = format.unpack(&packed[..length], 1 << 20).unwrap_err().to_string();
                assert!(problem.contains("fetch its package again"), "{format:?} {length}: {problem}");
            }
        }
    }

    #[test]
    fn flipped_bytes_never_panic() {
        for format in samples::FORMATS {
            let packed = samples::pack(format, &samples::noise(500));
            for at in 0..packed.len() {
                let mut broken = packed.clone();
                broken[at] ^= 0x55;
                let _ = format.unpack(&broken, 1 << 20);
            }
        }
    }

    #[test]
    fn data_of_no_known_format_stays_as_it_is() {
        assert_eq!(unpack_any(b"\x7fELF...".to_vec(), 10).unwrap(), b"\x7fELF...");
    }
}
