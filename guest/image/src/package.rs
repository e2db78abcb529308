//! The unpacked package of a distribution's kernel, as a directory tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::compression;
use crate::error::{Problem, Result};
use crate::modules::{self, Modules};

const MODULE_LIMIT: usize = 64 << 20;

pub struct Package {
    pub release: String,
    pub vmlinuz: PathBuf,
    modules: BTreeMap<String, PathBuf>,
    builtin: BTreeSet<String>,
}

impl Package {
    /// Looks through a tree that holds one kernel: `boot/vmlinuz-*` and `lib/modules/*` (or `usr/lib/modules/*`).
    pub fn open(root: &Path) -> Result<Self> {
        let vmlinuz = only_kernel(root)?;
        let name = vmlinuz.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let release = name.trim_start_matches("vmlinuz-").to_owned();
        let folder = ["lib/modules", "usr/lib/modules"]
            .iter()
            .map(|parent| root.join(parent).join(&release))
            .find(|folder| folder.is_dir())
            .ok_or_else(|| incomplete(root, &format!("no lib/modules/{release}")))?;
        let list = folder.join("modules.builtin");
        let builtin = fs::read_to_string(&list).map_err(|cause| incomplete(&list, &cause.to_string()))?;
        let mut modules = BTreeMap::new();
        collect(&folder, &mut modules)?;
        Ok(Self { release, vmlinuz, modules, builtin: modules::builtin_names(&builtin) })
    }
}

impl Modules for Package {
    fn builtin(&self, name: &str) -> bool {
        self.builtin.contains(name)
    }

    fn has(&self, name: &str) -> bool {
        self.modules.contains_key(name)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.modules.get(name).ok_or_else(|| incomplete(Path::new(name), "no such module"))?;
        compression::unpack_any(read(path)?, MODULE_LIMIT).map_err(|problem| problem.on(path.display()))
    }
}

pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path)
        .map_err(|cause| Problem::new(format!("cannot read {} ({cause})", path.display()), "check that it exists and that you may read it"))
}

fn only_kernel(root: &Path) -> Result<PathBuf> {
    let boot = root.join("boot");
    let mut kernels: Vec<PathBuf> = entries(&boot)?
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-")))
        .collect();
    match (kernels.pop(), kernels.pop()) {
        (Some(kernel), None) => Ok(kernel),
        (None, _) => Err(incomplete(&boot, "no vmlinuz-*")),
        (Some(_), Some(_)) => Err(incomplete(&boot, "more than one vmlinuz-*")),
    }
}

fn collect(folder: &Path, modules: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for path in entries(folder)? {
        // Links are not followed: `build` and `source` point out of the package.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, modules)?;
        } else if let Some(name) = path.file_name().and_then(|name| modules::module_name(&name.to_string_lossy())) {
            modules.insert(name, path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = read().map_err(|cause| incomplete(folder, &cause.to_string()))?;
    paths.sort();
    Ok(paths)
}

fn incomplete(place: &Path, why: &str) -> Problem {
    Problem::new(
        format!("not an unpacked kernel package: {}: {why}", place.display()),
        "unpack one package with `dpkg -x` into an empty folder and give that folder",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Format;
    use crate::samples;

    fn tree(modules: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(modules).join("6.1.0-x/kernel/fs");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.path().join("boot")).unwrap();
        fs::write(root.path().join("boot/vmlinuz-6.1.0-x"), "kernel").unwrap();
        fs::write(folder.join("../../modules.builtin"), "kernel/fs/ext4.ko\n").unwrap();
        fs::write(folder.join("erofs.ko.xz"), samples::pack(Format::Xz, b"module")).unwrap();
        root
    }

    #[test]
    fn modules_are_found_and_unpacked_in_both_layouts() {
        for layout in ["lib/modules", "usr/lib/modules"] {
            let root = tree(layout);
            let package = Package::open(root.path()).unwrap();
            assert_eq!(package.release, "6.1.0-x");
            assert!(package.builtin("ext4"));
            assert_eq!(package.read("erofs").unwrap(), b"module");
        }
    }

    #[test]
    fn a_tree_without_or_with_two_kernels_is_refused() {
        let root = tree("lib/modules");
        fs::write(root.path().join("boot/vmlinuz-6.2.0"), "kernel").unwrap();
        assert!(Package::open(root.path()).err().unwrap().to_string().contains("more than one"));
        assert!(Package::open(Path::new("/nowhere")).err().unwrap().to_string().contains("/nowhere/boot"));
    }

    #[test]
    fn a_damaged_module_is_told_with_its_path() {
        let root = tree("lib/modules");
        let path = root.path().join("lib/modules/6.1.0-x/kernel/fs/erofs.ko.xz");
        fs::write(&path, &samples::pack(Format::Xz, b"module")[..20]).unwrap();
        let problem = Package::open(root.path()).unwrap().read("erofs").unwrap_err().to_string();
        assert!(problem.contains("erofs.ko.xz") && problem.contains("again"), "{problem}");
    }
}
