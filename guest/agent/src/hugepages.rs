//! Large pages for containers. They are reserved as long as somebody may use them: the kernel finds them only where memory is free in
//! one piece.

use std::ffi::CString;
use std::fs;
use std::path::Path;

use rustix::mount::MountFlags;

use crate::api::{HugepageMount, Hugepages};
use crate::disks::make_directory;
use crate::error::{Doing, Error, Kind, Result};
use crate::sandbox::is_mounted;

const SIZES: &str = "/sys/kernel/mm/hugepages";
const ROOT: &str = "/run/podvm/hugepages";
/// Written to make the kernel look for memory in one piece, in this order.
const TIDY: [(&str, &str); 2] = [("/proc/sys/vm/drop_caches", "3"), ("/proc/sys/vm/compact_memory", "1")];
const TRIES: usize = 3;

/// Whether a file of a cgroup limits them.
pub fn limits(file: &str) -> bool {
    ["hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "hugetlb.1GB.max", "hugetlb.1GB.rsvd.max"].contains(&file)
}

/// May take a while: for a thread of its own.
pub fn reserve(wanted: &[Hugepages]) -> Result<()> {
    reserve_in(Path::new(SIZES), wanted)
}

fn reserve_in(root: &Path, wanted: &[Hugepages]) -> Result<()> {
    let sizes = sizes(root)?;
    for pages in wanted {
        if pages.bytes > 0 && !sizes.contains(&pages.page_bytes) {
            return Err(Error::invalid(format!(
                "hugepages: this machine has no pages of {}, only of {}",
                size(pages.page_bytes),
                list(&sizes)
            )));
        }
    }
    let count = |size: u64| wanted.iter().filter(|w| w.page_bytes == size).map(|w| w.bytes.div_ceil(size)).sum::<u64>();
    let before = sizes.iter().map(|size| Ok((*size, read(root, *size)?))).collect::<Result<Vec<_>>>()?;
    // What goes back first may be what another size needs.
    let (less, more): (Vec<_>, Vec<_>) = before.iter().partition(|(size, had)| count(*size) <= *had);
    let done = less.iter().chain(&more).filter(|(size, had)| count(*size) != *had).try_for_each(|(size, _)| set(root, *size, count(*size)));
    if done.is_err() {
        for (size, had) in &before {
            let _ = fs::write(file(root, *size), had.to_string());
        }
    }
    done
}

fn set(root: &Path, page_bytes: u64, count: u64) -> Result<()> {
    let file = file(root, page_bytes);
    let mut has = 0;
    for attempt in 0..TRIES {
        if attempt > 0 {
            for (control, value) in TIDY {
                let _ = fs::write(control, value);
            }
        }
        fs::write(&file, count.to_string()).doing(|| format!("reserve {count} pages of {}", size(page_bytes)))?;
        has = read(root, page_bytes)?;
        if has >= count {
            return Ok(());
        }
    }
    let message =
        format!("hugepages: {has} of {count} pages of {} are there: the machine has no more memory in one piece", size(page_bytes));
    Err(Error::new(Kind::Exhausted, message))
}

fn read(root: &Path, page_bytes: u64) -> Result<u64> {
    let text = fs::read_to_string(file(root, page_bytes)).doing(|| "count large pages")?;
    text.trim().parse().doing(|| format!("count large pages in {text:?}"))
}

fn file(root: &Path, page_bytes: u64) -> std::path::PathBuf {
    root.join(format!("hugepages-{}kB/nr_hugepages", page_bytes >> 10))
}

fn sizes(root: &Path) -> Result<Vec<u64>> {
    let mut sizes: Vec<u64> = fs::read_dir(root)
        .map_err(|e| Error::invalid(format!("hugepages: this machine's kernel has none: {e}")))?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse::<u64>().ok())
        .map(|kib| kib << 10)
        .collect();
    sizes.sort_unstable();
    Ok(sizes)
}

fn size(bytes: u64) -> String {
    if bytes >= 1 << 30 { format!("{} GiB", bytes >> 30) } else { format!("{} MiB", bytes >> 20) }
}

fn list(sizes: &[u64]) -> String {
    sizes.iter().map(|bytes| size(*bytes)).collect::<Vec<_>>().join(", ")
}

/// Where the hugetlbfs of that name is.
pub fn mounted(pages: &HugepageMount) -> Result<String> {
    let place = format!("{ROOT}/{}", pages.name);
    make_directory(ROOT)?;
    make_directory(&place)?;
    if !is_mounted(&place) {
        let options = CString::new(format!("mode=777,pagesize={}", pages.page_bytes)).doing(|| "name a page size")?;
        rustix::mount::mount("hugetlbfs", &place, "hugetlbfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())
            .map_err(|e| Error::invalid(format!("mounts.hugepages: cannot mount pages of {}: {e}", size(pages.page_bytes))))?;
    }
    Ok(place)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MIB2: u64 = 2 << 20;

    fn machine(name: &str, had: &str) -> std::path::PathBuf {
        let root = std::env::temp_dir().join(format!("podvm-hugepages-{}-{name}", std::process::id()));
        fs::create_dir_all(root.join("hugepages-2048kB")).unwrap();
        fs::write(file(&root, MIB2), had).unwrap();
        root
    }

    #[test]
    fn whole_pages_are_reserved_and_go_back_when_nobody_names_them() {
        let root = machine("whole", "0\n");
        reserve_in(&root, &[Hugepages { page_bytes: MIB2, bytes: MIB2 + 1 }]).unwrap();
        assert_eq!(read(&root, MIB2).unwrap(), 2);
        reserve_in(&root, &[]).unwrap();
        assert_eq!(read(&root, MIB2).unwrap(), 0);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_size_that_is_not_there_is_named_with_those_that_are() {
        let root = machine("missing", "1\n");
        let error = reserve_in(&root, &[Hugepages { page_bytes: 1 << 30, bytes: 1 << 30 }]).unwrap_err();
        assert!(error.message.contains("1 GiB") && error.message.contains("2 MiB"), "{error}");
        assert_eq!(read(&root, MIB2).unwrap(), 1);
        fs::remove_dir_all(root).unwrap();
    }
}
