//! How much containers wrote into their own root file systems.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::api::FilesUse;
use crate::containers::upper_of;
use crate::log;

/// An answer waits this long for what is being counted; after that it has what was counted before.
const PATIENCE: Duration = Duration::from_secs(1);
/// A count is good for this long,
const FRESH: Duration = Duration::from_secs(5);
/// or for this many times what it took: many files are counted more seldom.
const REST: u32 = 20;
const STACK: usize = 256 * 1024;
/// Deeper trees are counted to here: each level is an open directory.
const MAX_DEPTH: usize = 256;

#[derive(Default)]
pub struct Layers {
    counted: Mutex<HashMap<String, Count>>,
    counting: Mutex<bool>,
}

struct Count {
    files: FilesUse,
    stale: Instant,
}

impl Layers {
    fn counted(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counting(&self) -> MutexGuard<'_, bool> {
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest counts of these containers; forgets the others.
    pub async fn count(self: &Arc<Self>, ids: Vec<String>) -> HashMap<String, FilesUse> {
        let now = Instant::now();
        let due: Vec<String> = {
            let mut counted = self.counted();
            counted.retain(|id, _| ids.contains(id));
            ids.into_iter().filter(|id| counted.get(id).is_none_or(|count| count.stale <= now)).collect()
        };
        if let Some(done) = self.begin(due) {
            let _ = tokio::time::timeout(PATIENCE, done).await;
        }
        self.counted().iter().map(|(id, count)| (id.clone(), count.files)).collect()
    }

    /// One thread counts at a time.
    fn begin(self: &Arc<Self>, due: Vec<String>) -> Option<oneshot::Receiver<()>> {
        if due.is_empty() || std::mem::replace(&mut *self.counting(), true) {
            return None;
        }
        let (tell, done) = oneshot::channel();
        let layers = self.clone();
        let work = move || {
            for id in due {
                let began = Instant::now();
                let files = usage(Path::new(&upper_of(&id)));
                let stale = Instant::now() + FRESH.max(began.elapsed() * REST);
                layers.counted().insert(id, Count { files, stale });
            }
            *layers.counting() = false;
            let _ = tell.send(());
        };
        if let Err(e) = std::thread::Builder::new().stack_size(STACK).spawn(work) {
            log!("podvm-agent: cannot start the thread that counts files: {e}");
            *self.counting() = false;
            return None;
        }
        Some(done)
    }
}

/// Blocks that files have, and how many files there are; a file with several names counts once. What vanishes meanwhile is left out.
fn usage(root: &Path) -> FilesUse {
    let mut sum = FilesUse::default();
    let mut linked = HashSet::new();
    let mut left: Vec<(PathBuf, usize)> = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = left.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let Ok(data) = entry.metadata() else {
                continue;
            };
            if data.nlink() > 1 && !data.is_dir() && !linked.insert(data.ino()) {
                continue;
            }
            sum.inodes += 1;
            // st_blocks counts 512 bytes, whatever the file system's blocks are.
            sum.bytes += data.blocks() * 512;
            if data.is_dir() && depth < MAX_DEPTH {
                left.push((entry.path(), depth + 1));
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_two_names_counts_once() -> std::io::Result<()> {
        let directory = std::env::temp_dir().join(format!("podvm-layers-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("sub"))?;
        std::fs::write(directory.join("sub/file"), vec![1u8; 100_000])?;
        std::fs::hard_link(directory.join("sub/file"), directory.join("again"))?;
        let files = usage(&directory);
        std::fs::remove_dir_all(&directory)?;
        assert_eq!(files.inodes, 2);
        assert!((100_000..150_000).contains(&files.bytes), "{}", files.bytes);
        Ok(())
    }
}
