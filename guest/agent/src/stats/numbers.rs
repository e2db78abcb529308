//! The kernel's texts of numbers, which differ between its versions: what is not there is 0.

use crate::api::{CpuUse, DeviceUse, InterfaceUse, MemoryUse, Pressure, PressureUse};

/// Files of lines "name number".
pub struct Table<'a>(pub &'a str);

impl Table<'_> {
    pub fn get(&self, name: &str) -> Option<u64> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name).unwrap_or(0)
    }
}

/// "max" is no limit, 0.
pub fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

pub fn cpu(stat: &str) -> CpuUse {
    let stat = Table(stat);
    CpuUse {
        usage_us: stat.number("usage_usec"),
        user_us: stat.number("user_usec"),
        system_us: stat.number("system_usec"),
        periods: stat.number("nr_periods"),
        throttled_periods: stat.number("nr_throttled"),
        throttled_us: stat.number("throttled_usec"),
    }
}

/// What `memory.stat` and `memory.events` tell.
pub fn memory(stat: &str, events: &str) -> MemoryUse {
    let (stat, events) = (Table(stat), Table(events));
    // One number since Linux 5.18; before that its parts.
    let parts = || ["kernel_stack", "pagetables", "percpu", "sock", "slab"].iter().map(|part| stat.number(part)).sum();
    MemoryUse {
        anon_bytes: stat.number("anon"),
        file_bytes: stat.number("file"),
        active_file_bytes: stat.number("active_file"),
        inactive_file_bytes: stat.number("inactive_file"),
        mapped_file_bytes: stat.number("file_mapped"),
        kernel_bytes: stat.get("kernel").unwrap_or_else(parts),
        page_faults: stat.number("pgfault"),
        major_page_faults: stat.number("pgmajfault"),
        limit_hits: events.number("max"),
        oom_kills: events.number("oom_kill"),
        ..MemoryUse::default()
    }
}

/// Lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0".
pub fn devices(stat: &str) -> Vec<DeviceUse> {
    let device = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (major, minor) = words.next()?.split_once(':')?;
        let mut device = DeviceUse { major: major.parse().ok()?, minor: minor.parse().ok()?, ..DeviceUse::default() };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let value = number(value);
            match key {
                "rbytes" => device.read_bytes = value,
                "wbytes" => device.written_bytes = value,
                "rios" => device.reads = value,
                "wios" => device.writes = value,
                _ => {}
            }
        }
        Some(device)
    };
    stat.lines().filter_map(device).collect()
}

/// Lines "some avg10=0.12 avg60=0.00 avg300=0.00 total=345".
pub fn pressure(text: &str) -> PressureUse {
    let find = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
        let mut pressure = Pressure::default();
        for (key, value) in line.split_ascii_whitespace().filter_map(|word| word.split_once('=')) {
            match key {
                "avg10" => pressure.avg10 = hundredths(value),
                "avg60" => pressure.avg60 = hundredths(value),
                "avg300" => pressure.avg300 = hundredths(value),
                "total" => pressure.total_us = number(value),
                _ => {}
            }
        }
        Some(pressure)
    };
    PressureUse { some: find("some "), full: find("full ") }
}

/// The kernel writes two digits behind the point.
fn hundredths(value: &str) -> u32 {
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    whole.parse::<u32>().unwrap_or(0) * 100 + part.parse::<u32>().unwrap_or(0)
}

/// `/proc/net/dev`, without the loopback device.
pub fn interfaces(text: &str) -> Vec<InterfaceUse> {
    let interface = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let n: Vec<u64> = numbers.split_ascii_whitespace().map(number).collect();
        let at = |i: usize| n.get(i).copied().unwrap_or(0);
        Some(InterfaceUse {
            name: name.trim().to_owned(),
            received_bytes: at(0),
            received_packets: at(1),
            receive_errors: at(2),
            receive_drops: at(3),
            sent_bytes: at(8),
            sent_packets: at(9),
            send_errors: at(10),
            send_drops: at(11),
        })
    };
    text.lines().skip(2).filter_map(interface).filter(|i| i.name != "lo").collect()
}

/// In `/proc/meminfo`.
pub fn meminfo(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|l| l.trim().strip_suffix("kB")).map_or(0, number) * 1024
}

/// The soft limit of open files in `/proc/PID/limits`.
pub fn max_open_files(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_the_beginning_of_another() {
        let table = Table("file_mapped 7\nfile 5\n");
        assert_eq!(table.get("file"), Some(5));
        assert_eq!(table.get("fil"), None);
    }

    #[test]
    fn an_older_kernels_memory_is_the_sum_of_what_it_tells() {
        assert_eq!(memory("kernel 9\nslab 4\n", "").kernel_bytes, 9);
        assert_eq!(memory("kernel_stack 1\nslab 4\nsock 2\n", "").kernel_bytes, 7);
    }

    #[test]
    fn each_device_has_its_numbers() {
        let all = devices("8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:0 \nnonsense\n");
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].major, all[0].minor, all[0].read_bytes, all[0].written_bytes, all[0].reads, all[0].writes), (8, 16, 1, 2, 3, 4));
    }

    #[test]
    fn pressure_is_told_in_hundredths() {
        let told = pressure("some avg10=1.05 avg60=12.50 avg300=0.00 total=99\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n");
        let some = told.some.unwrap_or_default();
        assert_eq!((some.avg10, some.avg60, some.total_us), (105, 1250, 99));
        assert_eq!(told.full.unwrap_or_default().total_us, 3);
    }

    #[test]
    fn the_loopback_device_is_left_out() {
        let text = "Inter-| Receive\n face |bytes\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n";
        let all = interfaces(text);
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].received_bytes, all[0].receive_drops, all[0].sent_bytes, all[0].send_drops), (1, 4, 5, 8));
    }

    #[test]
    fn a_limit_that_is_none_is_not_told() {
        assert_eq!(
            max_open_files("Limit  Soft  Hard\nMax open files            1024                 4096                 files\n"),
            Some(1024)
        );
        assert_eq!(max_open_files("Max open files            unlimited            unlimited            files\n"), None);
    }

    #[test]
    fn memory_of_the_machine_is_in_kibibytes() {
        assert_eq!(meminfo("MemTotal:       100 kB\nMemAvailable:    40 kB\n", "MemAvailable"), 40 * 1024);
    }
}
