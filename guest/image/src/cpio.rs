//! Writes the archive that the kernel unpacks as its first root: cpio, format "newc"
//! (Documentation/driver-api/early-userspace/buffer-format.rst of the kernel). The same entries give the same bytes.

use std::fmt::Write as _;

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const SYMBOLIC_LINK: u32 = 0o120_000;

#[derive(Default)]
pub struct Cpio {
    bytes: Vec<u8>,
    entries: u32,
}

impl Cpio {
    /// Paths are absolute; a directory comes before what lies in it.
    pub fn directory(&mut self, path: &str) {
        self.entry(path, DIRECTORY | 0o755, &[], (0, 0));
    }

    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.entry(path, REGULAR | permissions, content, (0, 0));
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.entry(path, SYMBOLIC_LINK | 0o777, target.as_bytes(), (0, 0));
    }

    pub fn character_device(&mut self, path: &str, permissions: u32, major: u32, minor: u32) {
        self.entry(path, CHARACTER_DEVICE | permissions, &[], (major, minor));
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[], (0, 0));
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8], device: (u32, u32)) {
        let name = path.trim_start_matches('/');
        let size = u32::try_from(content.len()).expect("no file of an initramfs is 4 GiB long");
        let name_size = u32::try_from(name.len() + 1).expect("no path is 4 GiB long");
        self.entries += 1;
        let links = if mode & DIRECTORY == 0 { 1 } else { 2 };
        let mut header = String::from("070701");
        for field in [self.entries, mode, 0, 0, links, 0, size, 0, 0, device.0, device.1, name_size, 0] {
            // Writing to a String cannot fail.
            let _ = write!(header, "{field:08x}");
        }
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend_from_slice(content);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut cpio = Cpio::default();
        cpio.directory("/dev");
        cpio.character_device("/dev/console", 0o600, 5, 1);
        cpio.file("/init", 0o755, b"hello");
        cpio.finish()
    }

    #[test]
    fn the_same_entries_give_the_same_bytes() {
        assert_eq!(sample(), sample());
    }

    #[test]
    fn every_entry_begins_at_a_multiple_of_four() {
        let bytes = sample();
        let starts: Vec<usize> = bytes.windows(6).enumerate().filter(|(_, w)| w == b"070701").map(|(at, _)| at).collect();
        assert_eq!(starts.len(), 4);
        assert!(starts.iter().all(|start| start % 4 == 0));
        assert_eq!(bytes.len() % 4, 0);
    }

    #[test]
    fn a_device_carries_its_numbers_and_a_file_its_size_and_content() {
        let text = String::from_utf8(sample()).unwrap();
        let console = &text[text.find("dev/console").unwrap() - 110..];
        assert_eq!(&console[14..22], "00002180");
        assert_eq!(&console[78..94], "0000000500000001");
        let init = &text[text.find("init").unwrap() - 110..];
        assert_eq!(&init[14..22], "000081ed");
        assert_eq!(&init[54..62], "00000005");
        assert_eq!(&init[116..121], "hello");
    }

    #[test]
    fn the_hosts_own_cpio_reads_it() {
        let reader = |program: &str, words: &[&str]| {
            std::process::Command::new(program).args(words).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn()
        };
        let Ok(mut child) = reader("cpio", &["-it", "--quiet"]).or_else(|_| reader("busybox", &["cpio", "-t"])) else {
            return; // no cpio on this host: the field checks above must do
        };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &sample()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "dev\ndev/console\ninit\n");
    }
}
