//! The processes of the containers, read from /proc when somebody asks.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use crate::api::{ListProcessesResponse, ProcessUse};
use crate::containers::Containers;

/// Of all containers together: what is more is not told.
const MAX: usize = 4096;
const LONGEST_COMMAND: u64 = 4096;

pub fn answer(containers: &Containers) -> ListProcessesResponse {
    let mut numbers = Vec::new();
    for container in containers.present() {
        collect(container.cgroup().path(), &container.id, &mut numbers);
    }
    let seen: Vec<Seen> = numbers.iter().filter_map(|(pid, id)| Seen::read(*pid, id)).collect();
    // A parent is named as its own container sees it.
    let inner: HashMap<u32, u32> = seen.iter().map(|one| (one.pid, one.told.pid)).collect();
    let told = |mut one: Seen| {
        one.told.parent_pid = inner.get(&one.parent).copied().unwrap_or(0);
        one.told
    };
    ListProcessesResponse { processes: seen.into_iter().map(told).collect() }
}

/// With those in cgroups that a container has made.
fn collect(cgroup: &Path, id: &str, numbers: &mut Vec<(u32, String)>) {
    let list = std::fs::read_to_string(cgroup.join("cgroup.procs")).unwrap_or_default();
    for pid in list.lines().filter_map(|line| line.parse().ok()) {
        if numbers.len() < MAX {
            numbers.push((pid, id.to_owned()));
        }
    }
    for below in std::fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if below.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&below.path(), id, numbers);
        }
    }
}

struct Seen {
    /// As the machine sees it.
    pid: u32,
    parent: u32,
    told: ProcessUse,
}

impl Seen {
    /// None for one that has ended since.
    fn read(pid: u32, container: &str) -> Option<Self> {
        let file = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
        let stat = Stat::parse(&file("stat")?)?;
        let status = file("status")?;
        let uid = number(&status, "Uid:", Iterator::next)?;
        Some(Self {
            pid,
            parent: stat.parent,
            told: ProcessUse {
                container_id: container.to_owned(),
                pid: number(&status, "NSpid:", DoubleEndedIterator::next_back)?,
                parent_pid: 0,
                uid: inside(&file("uid_map").unwrap_or_default(), uid),
                state: stat.state,
                cpu_ms: stat.ticks * 1000 / rustix::param::clock_ticks_per_second().max(1),
                resident_bytes: stat.pages * rustix::param::page_size() as u64,
                command: command(pid).unwrap_or_else(|| format!("[{}]", stat.name)),
            },
        })
    }
}

/// What is needed of /proc/PID/stat.
struct Stat {
    name: String,
    state: String,
    parent: u32,
    ticks: u64,
    pages: u64,
}

impl Stat {
    /// The name may hold anything, parentheses too.
    fn parse(text: &str) -> Option<Self> {
        let (head, tail) = text.rsplit_once(')')?;
        let words: Vec<&str> = tail.split_ascii_whitespace().collect();
        let at = |i: usize| words.get(i).and_then(|word| word.parse::<u64>().ok());
        Some(Self {
            name: head.split_once('(')?.1.to_owned(),
            state: (*words.first()?).to_owned(),
            parent: words.get(1)?.parse().ok()?,
            ticks: at(11)? + at(12)?,
            pages: at(21)?,
        })
    }
}

fn number<'a>(status: &'a str, name: &str, pick: impl FnOnce(&mut std::str::SplitAsciiWhitespace<'a>) -> Option<&'a str>) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    pick(&mut line.split_ascii_whitespace())?.parse().ok()
}

/// A user of the machine as a process sees it whose mapping this is: lines "inside outside length".
pub fn inside(map: &str, uid: u32) -> u32 {
    let find = |(inside, outside, length)| moved(uid, outside, inside, length);
    ranges(map).find_map(find).unwrap_or(uid)
}

/// The other way.
pub fn outside(map: &str, uid: u32) -> u32 {
    let find = |(inside, outside, length)| moved(uid, inside, outside, length);
    ranges(map).find_map(find).unwrap_or(uid)
}

fn ranges(map: &str) -> impl Iterator<Item = (u32, u32, u32)> {
    map.lines().filter_map(|line| {
        let mut numbers = line.split_ascii_whitespace().map_while(|word| word.parse().ok());
        Some((numbers.next()?, numbers.next()?, numbers.next()?))
    })
}

fn moved(uid: u32, from: u32, to: u32, length: u32) -> Option<u32> {
    let offset = uid.checked_sub(from)?;
    (offset < length).then(|| to.saturating_add(offset))
}

fn command(pid: u32) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(format!("/proc/{pid}/cmdline")).ok()?.take(LONGEST_COMMAND).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    let text = text.trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read() {
        let text = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 20 10 0 0 20 0 1 0 55 1000000 300 18446744073709551615";
        let stat = Stat::parse(text);
        let told = stat.map(|s| (s.name, s.state, s.parent, s.ticks, s.pages));
        assert_eq!(told, Some(("a) b (c)".into(), "S".into(), 1, 30, 300)));
        assert!(Stat::parse("nonsense").is_none());
    }

    #[test]
    fn the_innermost_number_of_a_process_is_told() {
        let status = "Name:\tx\nUid:\t100\t101\t102\t103\nNSpid:\t900\t12\t3\n";
        assert_eq!(number(status, "NSpid:", DoubleEndedIterator::next_back), Some(3));
        assert_eq!(number(status, "Uid:", Iterator::next), Some(100));
    }

    #[test]
    fn a_mapped_user_is_told_as_it_is_inside() {
        assert_eq!(inside("         0     100000      65536\n", 101_000), 1000);
        assert_eq!(inside("         0          0 4294967295\n", 33), 33);
        assert_eq!(inside("0 100000 10\n", 5), 5);
        assert_eq!(outside("         0     100000      65536\n", 1000), 101_000);
    }

    #[test]
    fn this_process_is_read_from_the_kernel() {
        let seen = Seen::read(std::process::id(), "c");
        assert!(seen.is_some_and(|one| one.told.resident_bytes > 0 && one.told.command.contains("podvm")));
        assert!(Seen::read(u32::MAX, "c").is_none());
    }
}
