//! Kernel modules from the initramfs, loaded in phases so that no request waits for a driver it does not need, or when the
//! kernel asks for one by name.

use std::ffi::CString;
use std::path::Path;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use tokio::sync::watch;

use crate::disks;
use crate::error::{Doing, Error, Result};
use crate::log;

/// What the kernel starts to load a module (`kernel.modprobe`); here a link to this program.
pub const MODPROBE: &[u8] = b"/sbin/modprobe";
const LIST: &str = "/lib/podvm/modules.list";
/// The thread only reads a path and makes one system call at a time.
const STACK: usize = 64 * 1024;
/// The last phase waits so long for a container to start.
const UNASKED: Duration = Duration::from_secs(5);
/// And so long after one has started.
const SETTLING: Duration = Duration::from_millis(500);

/// In the order in which they are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Channel,
    Disk,
    Net,
    Rest,
    /// Loaded by [`probe`] alone.
    Wanted,
}

impl Phase {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "channel" => Some(Self::Channel),
            "disk" => Some(Self::Disk),
            "net" => Some(Self::Net),
            "rest" => Some(Self::Rest),
            "wanted" => Some(Self::Wanted),
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    phase: Phase,
    path: String,
    parameters: CString,
}

/// Lines "<phase> <path> <parameters>", parameters being optional; empty lines and those that begin with # say nothing.
fn parse(list: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for line in list.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let mut words = line.split_whitespace();
        let phase = words.next().and_then(Phase::parse);
        let path = words.next().map(str::to_owned);
        let parameters = CString::new(words.collect::<Vec<_>>().join(" ")).ok();
        let entry = phase.zip(path).zip(parameters).map(|((phase, path), parameters)| Entry { phase, path, parameters });
        entries.push(entry.ok_or_else(|| Error::invalid(format!("{LIST}: not a phase and a path: {line:?}")))?);
    }
    Ok(entries)
}

impl Entry {
    fn name(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".ko").unwrap_or(file)
    }
}

/// As modprobe: `-q -- NAME`, called by the kernel, which goes on when this ends, and fails its own caller where the module did
/// not come.
pub fn probe(mut arguments: impl Iterator<Item = String>) -> ! {
    let name = arguments.by_ref().skip_while(|word| word != "--").nth(1).unwrap_or_default();
    let list = std::fs::read_to_string(LIST).unwrap_or_default();
    let loaded = parse(&list).is_ok_and(|entries| {
        let chosen = wanted(&entries, &name);
        !chosen.is_empty() && chosen.iter().all(|entry| load(entry).inspect_err(|e| log!("podvm-agent: {e}")).is_ok())
    });
    std::process::exit(i32::from(!loaded));
}

/// The one of that name, or of that kind of network device, after those that come before it in the list: what it needs is among
/// them.
fn wanted<'a>(entries: &'a [Entry], name: &str) -> &'a [Entry] {
    let name = name.strip_prefix("rtnl-link-").unwrap_or(name).replace('-', "_");
    let Some(first) = entries.iter().position(|e| e.phase == Phase::Wanted) else { return &[] };
    let wanted = &entries[first..];
    match wanted.iter().position(|e| e.name() == name) {
        Some(last) => &wanted[..=last],
        None => &[],
    }
}

/// What is loaded so far; requests wait here for the drivers they need.
#[derive(Clone)]
pub struct Modules {
    entries: Arc<Vec<Entry>>,
    done: Arc<watch::Sender<Option<Phase>>>,
    /// How long the last phase may still wait; none before there is a thread that listens.
    patience: Arc<OnceLock<mpsc::Sender<Duration>>>,
}

impl Modules {
    /// Reads the list. A machine whose kernel has everything built in has none.
    pub fn read() -> Self {
        let entries = match std::fs::read_to_string(Path::new(LIST)) {
            Ok(text) => parse(&text).unwrap_or_else(|e| {
                log!("podvm-agent: {e}");
                Vec::new()
            }),
            Err(_) => Vec::new(),
        };
        Self { entries: Arc::new(entries), done: Arc::new(watch::Sender::new(None)), patience: Arc::default() }
    }

    /// Loads all of one phase. A module that fails is told on the console; what needs it fails later with its own words.
    pub fn load(&self, phase: Phase) {
        for entry in self.entries.iter().filter(|e| e.phase == phase) {
            if let Err(e) = load(entry) {
                log!("podvm-agent: {e}");
            }
        }
        if phase == Phase::Disk {
            disks::scan();
        }
        self.done.send_replace(Some(phase));
    }

    /// Loads the later phases beside the serving of requests, the last one only when the first container has had its start.
    pub fn load_rest_in_background(&self) {
        let (patience, waits) = mpsc::channel();
        let _ = self.patience.set(patience);
        let modules = self.clone();
        let load = move || {
            modules.load(Phase::Disk);
            modules.load(Phase::Net);
            wait(&waits);
            modules.load(Phase::Rest);
        };
        if let Err(e) = std::thread::Builder::new().stack_size(STACK).spawn(load) {
            log!("podvm-agent: cannot start the thread that loads modules: {e}; loading them now");
            for phase in [Phase::Disk, Phase::Net, Phase::Rest] {
                self.load(phase);
            }
        }
    }

    /// A container has started: what is left to load need not wait for longer than its own first steps take.
    pub fn first_container_started(&self) {
        self.rest_within(SETTLING);
    }

    /// For what uses devices of the last phase.
    pub async fn rest_ready(&self) {
        self.rest_within(Duration::ZERO);
        self.ready(Phase::Rest).await;
    }

    fn rest_within(&self, patience: Duration) {
        if let Some(thread) = self.patience.get() {
            // A thread that no longer listens has loaded everything.
            let _ = thread.send(patience);
        }
    }

    pub async fn ready(&self, phase: Phase) {
        // The sender lives as long as self, so waiting cannot fail.
        let _ = self.done.subscribe().wait_for(|done| *done >= Some(phase)).await;
    }
}

/// Returns when the shortest wait that was asked for is over.
fn wait(waits: &mpsc::Receiver<Duration>) {
    let mut end = Instant::now() + UNASKED;
    while let Ok(patience) = waits.recv_timeout(end.saturating_duration_since(Instant::now())) {
        end = end.min(Instant::now() + patience);
    }
}

fn load(Entry { path, parameters, .. }: &Entry) -> Result<()> {
    let file = rustix::fs::open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).doing(|| format!("open module {path}"))?;
    match rustix::system::finit_module(&file, parameters, 0) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(e) => Err(e).doing(|| format!("load module {path}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_order_phases_and_parameters() {
        let entries = parse("# comment\nchannel /lib/a.ko\n\ndisk  /lib/b.ko scan=manual a=1\n").unwrap();
        assert_eq!(entries[0], Entry { phase: Phase::Channel, path: "/lib/a.ko".into(), parameters: c"".into() });
        assert_eq!(entries[1], Entry { phase: Phase::Disk, path: "/lib/b.ko".into(), parameters: c"scan=manual a=1".into() });
    }

    #[test]
    fn the_shortest_wait_counts_whenever_it_is_asked_for() {
        let (asks, waits) = mpsc::channel();
        asks.send(Duration::from_secs(60)).unwrap();
        asks.send(Duration::ZERO).unwrap();
        let begin = Instant::now();
        wait(&waits);
        assert!(begin.elapsed() < UNASKED);
    }

    #[test]
    fn a_wanted_module_comes_after_what_it_needs_and_nothing_else_can_be_wanted() {
        let entries = parse("rest /m/tun.ko\nwanted /m/stp.ko\nwanted /m/bridge.ko\nwanted /m/nf_nat.ko\n").unwrap();
        let names = |asked| wanted(&entries, asked).iter().map(Entry::name).collect::<Vec<_>>();
        assert_eq!(names("rtnl-link-bridge"), ["stp", "bridge"]);
        assert_eq!(names("nf-nat"), ["stp", "bridge", "nf_nat"]);
        assert!(names("tun").is_empty());
        assert!(names("").is_empty());
    }

    #[test]
    fn an_unknown_phase_is_refused_with_its_line() {
        assert!(parse("later /lib/a.ko").unwrap_err().message.contains("later /lib/a.ko"));
        assert!(parse("channel").is_err());
    }
}
