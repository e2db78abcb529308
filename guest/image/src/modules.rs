//! Which kernel modules a machine gets, and in which order they can be loaded.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Problem, Result};
use crate::modinfo::{ModInfo, canonical};
use crate::slim::slim;

/// When the agent loads a module. Each phase waits only for what it needs itself, so the daemon hears from the
/// agent before the disks are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Channel,
    Disk,
    Net,
    Rest,
    /// Only when somebody asks the kernel for what it provides.
    Wanted,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Disk => "disk",
            Self::Net => "net",
            Self::Rest => "rest",
            Self::Wanted => "wanted",
        }
    }
}

/// Modules that no machine can do without. virtio and `virtio_ring` come as dependencies.
const NEEDED: [(Phase, &[&str]); 3] = [
    (Phase::Channel, &["virtio_mmio", "virtio_console"]),
    (Phase::Disk, &["virtio_scsi", "sd_mod", "erofs", "overlay"]),
    (Phase::Net, &["virtio_net"]),
];

/// Modules that are taken where the kernel has them. Being there costs next to nothing, but loading does
/// (`guest/kernel/README.md`), so each is added together with the first thing that uses it.
const WELCOME: &[&str] = &["fuse", "virtio_balloon", "virtio_mem", "virtio_rng", "tun"];

/// Modules that a container's call may make the kernel ask for. They take memory while nobody does, so each is added together
/// with a reason: bridges are what tests of container runtimes, and containers that run containers, make first.
const ON_DEMAND: &[&str] = &["bridge"];

/// Parameters of modules. `scan=manual` keeps the SCSI layer from probing the 256 targets that a host may have: the agent asks
/// for the one that holds the disks.
const PARAMETERS: &[(&str, &str)] = &[("scsi_mod", "scan=manual")];

/// The modules of one kernel: gives a module's file by its canonical name.
pub trait Modules {
    fn builtin(&self, name: &str) -> bool;
    fn has(&self, name: &str) -> bool;
    /// The module's content, unpacked.
    fn read(&self, name: &str) -> Result<Vec<u8>>;
}

#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    pub phase: Phase,
    pub name: String,
    pub content: Vec<u8>,
}

/// Every module that is needed, welcome or may be wanted, after the modules it depends on, in the first phase that needs it.
pub fn plan(modules: &impl Modules) -> Result<Vec<Step>> {
    let mut order = Order { modules, steps: Vec::new(), seen: BTreeSet::new() };
    for (phase, names) in NEEDED {
        for name in names {
            order.add(phase, name)?;
        }
    }
    for name in WELCOME.iter().filter(|name| modules.has(name)) {
        order.add(Phase::Rest, name)?;
    }
    for name in ON_DEMAND.iter().filter(|name| modules.has(name)) {
        order.add(Phase::Wanted, name)?;
    }
    Ok(order.steps)
}

struct Order<'a, M> {
    modules: &'a M,
    steps: Vec<Step>,
    seen: BTreeSet<String>,
}

impl<M: Modules> Order<'_, M> {
    fn add(&mut self, phase: Phase, name: &str) -> Result<()> {
        if self.modules.builtin(name) || !self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        if !self.modules.has(name) {
            return Err(Problem::new(
                format!("the kernel has no module {name}, neither as a file nor built in"),
                "use the kernel package of Debian or Ubuntu that setup/kernel names",
            ));
        }
        let content = self.modules.read(name)?;
        let info = ModInfo::of(&content).map_err(|problem| problem.on(name))?;
        for wish in &info.wishes {
            // A wish may be the name of an algorithm, which a module called <name>_generic provides;
            // the guest has no modprobe that could look up more than names.
            for candidate in [wish.clone(), format!("{wish}_generic")] {
                if self.modules.has(&candidate) {
                    self.add(phase, &candidate)?;
                }
            }
        }
        for dependency in &info.depends {
            self.add(phase, dependency).map_err(|problem| problem.on(format!("{name} depends on {dependency}")))?;
        }
        self.steps.push(Step { phase, name: name.to_owned(), content: slim(content) });
        Ok(())
    }
}

/// The canonical name of a module's file: `nf-nat.ko.xz` is `nf_nat`. Nothing for other files.
pub fn module_name(file: &str) -> Option<String> {
    let name = ["", ".xz", ".zst", ".gz"].iter().find_map(|packing| file.strip_suffix(&format!(".ko{packing}")))?;
    Some(canonical(name))
}

/// What the kernel lists as built in (`modules.builtin`), by canonical name.
pub fn builtin_names(list: &str) -> BTreeSet<String> {
    list.lines().filter_map(|path| module_name(path.rsplit('/').next()?)).collect()
}

/// The text that tells the agent what to load: one line per module in order, phase, path and, where there are any, parameters.
pub fn list(steps: &[Step]) -> String {
    let parameters = |step: &Step| PARAMETERS.iter().find(|(name, _)| *name == step.name).map_or("", |(_, parameters)| parameters);
    let line = |step: &Step| format!("{} {} {}", step.phase.name(), path(step), parameters(step)).trim_end().to_owned() + "\n";
    steps.iter().map(line).collect::<Vec<_>>().concat()
}

pub fn path(step: &Step) -> String {
    format!("/lib/podvm/modules/{}.ko", step.name)
}

/// A kernel in memory: the fake beside [`crate::package::Package`].
#[derive(Default)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests use it"))]
pub struct InMemory {
    pub files: BTreeMap<String, Vec<u8>>,
    pub builtin: BTreeSet<String>,
}

impl Modules for InMemory {
    fn builtin(&self, name: &str) -> bool {
        self.builtin.contains(name)
    }

    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        Ok(self.files[name].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn kernel(files: &[(&str, &str)]) -> InMemory {
        let mut kernel = InMemory::default();
        for name in ["virtio_mmio", "virtio_console", "virtio_scsi", "sd_mod", "erofs", "overlay", "virtio_net"] {
            kernel.files.insert(name.to_owned(), samples::module("depends=\0"));
        }
        for (name, info) in files {
            kernel.files.insert((*name).to_owned(), samples::module(info));
        }
        kernel
    }

    fn names(kernel: &InMemory) -> Vec<String> {
        plan(kernel).unwrap().iter().map(|step| format!("{} {}", step.phase.name(), step.name)).collect()
    }

    #[test]
    fn a_module_comes_after_what_it_depends_on() {
        let kernel = kernel(&[("virtio_mmio", "depends=virtio,virtio_ring\0"), ("virtio_ring", "depends=virtio\0"), ("virtio", "")]);
        assert_eq!(names(&kernel)[..3], ["channel virtio", "channel virtio_ring", "channel virtio_mmio"]);
    }

    #[test]
    fn a_module_that_two_phases_need_appears_once_in_the_first() {
        let kernel = kernel(&[("virtio_console", "depends=virtio\0"), ("virtio_net", "depends=virtio\0"), ("virtio", "")]);
        let names = names(&kernel);
        assert_eq!(names.iter().filter(|line| line.ends_with(" virtio")).collect::<Vec<_>>(), ["channel virtio"]);
    }

    #[test]
    fn what_is_built_in_is_left_out() {
        let mut kernel = kernel(&[]);
        kernel.files.remove("virtio_console");
        kernel.builtin.insert("virtio_console".to_owned());
        assert_eq!(names(&kernel)[0], "channel virtio_mmio");
        assert_eq!(names(&kernel)[1], "disk virtio_scsi");
    }

    #[test]
    fn a_wish_for_an_algorithm_brings_its_generic_module() {
        let kernel = kernel(&[("overlay", "softdep=pre: crc32c\0"), ("crc32c_generic", "")]);
        assert!(names(&kernel).contains(&"disk crc32c_generic".to_owned()));
    }

    #[test]
    fn a_wish_that_nobody_can_grant_is_no_problem() {
        assert_eq!(names(&kernel(&[("overlay", "softdep=pre: nowhere\0")])).len(), 7);
    }

    #[test]
    fn modules_that_depend_on_each_other_do_not_loop() {
        let kernel = kernel(&[("erofs", "depends=a\0"), ("a", "depends=b\0"), ("b", "depends=a\0")]);
        assert_eq!(names(&kernel).len(), 9);
    }

    #[test]
    fn a_missing_dependency_is_told_with_who_needs_it() {
        let problem = plan(&kernel(&[("erofs", "depends=libx\0")])).unwrap_err().to_string();
        assert!(problem.contains("erofs depends on libx"), "{problem}");
    }

    #[test]
    fn welcome_modules_that_are_missing_are_left_out() {
        assert!(names(&kernel(&[("tun", "")])).contains(&"rest tun".to_owned()));
        assert!(!names(&kernel(&[])).iter().any(|line| line.starts_with("rest")));
    }

    #[test]
    fn what_may_be_wanted_comes_last_with_what_it_needs() {
        let kernel = kernel(&[("tun", ""), ("bridge", "depends=stp\0"), ("stp", "")]);
        assert_eq!(names(&kernel)[7..], ["rest tun", "wanted stp", "wanted bridge"]);
    }

    #[test]
    fn files_are_known_by_their_canonical_names() {
        assert_eq!(module_name("nf-nat.ko.xz").unwrap(), "nf_nat");
        assert_eq!(module_name("erofs.ko").unwrap(), "erofs");
        assert_eq!(module_name("modules.dep"), None);
        assert!(builtin_names("kernel/drivers/char/virtio-rng.ko\nkernel/fs/ext4.ko\n").contains("virtio_rng"));
    }

    #[test]
    fn the_list_names_phase_path_and_parameters() {
        let steps = plan(&kernel(&[("scsi_mod", ""), ("virtio_scsi", "depends=scsi_mod\0")])).unwrap();
        let list = list(&steps);
        assert!(list.starts_with("channel /lib/podvm/modules/virtio_mmio.ko\n"), "{list}");
        assert!(list.contains("\ndisk /lib/podvm/modules/scsi_mod.ko scan=manual\n"), "{list}");
    }
}
