//! Puts kernel, modules and agent together in a folder of the cache, named by a hash of all that went in.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::cpio::Cpio;
use crate::error::{Problem, Result};
use crate::kernel;
use crate::modules::{self, Step};
use crate::package::{self, Package};

pub struct Inputs {
    /// The folder that holds one unpacked kernel package.
    pub kernel: PathBuf,
    /// The package's name and version, for people who ask what a machine runs.
    pub kernel_package: String,
    pub agent: PathBuf,
    /// The control of the benchmarks, see `podvm-bare-init`.
    pub bare: PathBuf,
    /// This program: a change of it changes what it makes.
    pub program: PathBuf,
    /// The folder that keeps the results, one folder for each set of inputs.
    pub into: PathBuf,
}

/// Makes the guest's files unless they are there, points `current` at them, and returns their folder.
/// Two builds at once are safe: each writes its own folder, and the one that is ready first stays.
///
/// # Errors
/// An input that cannot be read or is not what it should be, or a folder that cannot be written.
pub fn build(inputs: &Inputs) -> Result<PathBuf> {
    let package = Package::open(&inputs.kernel)?;
    let vmlinuz = package::read(&package.vmlinuz)?;
    let agent = package::read(&inputs.agent)?;
    let bare = package::read(&inputs.bare)?;
    let program = package::read(&inputs.program)?;
    let key = key(&[&vmlinuz, inputs.kernel_package.as_bytes(), &agent, &bare, &program]);
    let folder = inputs.into.join(&key);
    if !folder.is_dir() {
        let draft = inputs.into.join(format!(".draft.{key}.{}", std::process::id()));
        write(&draft, inputs, &package, vmlinuz, &agent, &bare).inspect_err(|_| {
            // The first problem is the one to tell; what the draft leaves behind is only in the cache.
            let _ = fs::remove_dir_all(&draft);
        })?;
        publish(&draft, &folder)?;
    }
    point_current_at(&inputs.into, &key)?;
    Ok(folder)
}

fn key(inputs: &[&[u8]]) -> String {
    let mut all = Sha256::new();
    for input in inputs {
        all.update(Sha256::digest(input));
    }
    hex(&all.finalize())[..16].to_owned()
}

fn write(draft: &Path, inputs: &Inputs, package: &Package, packed_kernel: Vec<u8>, agent: &[u8], bare: &[u8]) -> Result<()> {
    let steps = modules::plan(package)?;
    let vmlinux = kernel::unpack(packed_kernel).map_err(|problem| problem.on(package.vmlinuz.display()))?;
    let properties = [
        ("kernel.release", package.release.clone()),
        ("kernel.package", inputs.kernel_package.clone()),
        ("agent.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("agent.sha256", sha256(agent)),
        ("kernel.sha256", sha256(&vmlinux)),
    ];
    let properties = properties.map(|(name, value)| format!("{name}={value}\n")).concat();
    fs::create_dir_all(draft).map_err(|cause| cannot("make", draft, &cause))?;
    for (name, content) in [
        ("vmlinux", vmlinux.as_slice()),
        ("initramfs.cpio", &initramfs(agent, &steps)),
        ("bare.cpio", &initramfs(bare, &[])),
        ("guest.properties", properties.as_bytes()),
    ] {
        let path = draft.join(name);
        fs::write(&path, content).map_err(|cause| cannot("write", &path, &cause))?;
    }
    Ok(())
}

fn initramfs(init: &[u8], steps: &[Step]) -> Vec<u8> {
    let mut cpio = Cpio::default();
    for folder in ["/dev", "/proc", "/sys", "/run", "/tmp"] {
        cpio.directory(folder);
    }
    // The kernel opens the console for process 1 before anything can mount a devtmpfs
    // (numbers: Documentation/admin-guide/devices.txt).
    cpio.character_device("/dev/console", 0o600, 5, 1);
    cpio.character_device("/dev/null", 0o666, 1, 3);
    cpio.file("/init", 0o755, init);
    if !steps.is_empty() {
        for folder in ["/lib", "/lib/podvm", "/lib/podvm/modules", "/sbin"] {
            cpio.directory(folder);
        }
        cpio.link("/sbin/modprobe", "/init");
        cpio.file("/lib/podvm/modules.list", 0o644, modules::list(steps).as_bytes());
        for step in steps {
            cpio.file(&modules::path(step), 0o644, &step.content);
        }
    }
    cpio.finish()
}

fn publish(draft: &Path, folder: &Path) -> Result<()> {
    match fs::rename(draft, folder) {
        Err(cause) if matches!(cause.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
            fs::remove_dir_all(draft).map_err(|cause| cannot("remove", draft, &cause))
        }
        result => result.map_err(|cause| cannot("make", folder, &cause)),
    }
}

fn point_current_at(into: &Path, key: &str) -> Result<()> {
    let current = into.join("current");
    if fs::read_link(&current).is_ok_and(|target| target == Path::new(key)) {
        return Ok(());
    }
    let draft = into.join(format!(".draft.current.{}", std::process::id()));
    symlink(key, &draft).and_then(|()| fs::rename(&draft, &current)).map_err(|cause| cannot("make", &current, &cause))
}

fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn cannot(verb: &str, path: &Path, cause: &std::io::Error) -> Problem {
    Problem::new(format!("cannot {verb} {} ({cause})", path.display()), "check that the folder is yours and that its disk has room")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Format;
    use crate::samples;

    fn inputs(root: &Path) -> Inputs {
        let modules = root.join("kernel/lib/modules/6.1.0-x/kernel");
        fs::create_dir_all(&modules).unwrap();
        fs::create_dir_all(root.join("kernel/boot")).unwrap();
        fs::write(modules.join("../modules.builtin"), "").unwrap();
        for name in ["virtio_mmio", "virtio_console", "virtio_scsi", "sd_mod", "erofs", "overlay", "virtio_net"] {
            fs::write(modules.join(format!("{name}.ko")), samples::module("depends=\0")).unwrap();
        }
        let vmlinuz = samples::bzimage(Format::Zstd, b"\x7fELF a kernel");
        fs::write(root.join("kernel/boot/vmlinuz-6.1.0-x"), vmlinuz).unwrap();
        fs::write(root.join("agent"), "agent").unwrap();
        fs::write(root.join("bare"), "bare").unwrap();
        fs::write(root.join("program"), "program").unwrap();
        Inputs {
            kernel: root.join("kernel"),
            kernel_package: "linux-image-x 6.1-1".to_owned(),
            agent: root.join("agent"),
            bare: root.join("bare"),
            program: root.join("program"),
            into: root.join("guest"),
        }
    }

    #[test]
    fn the_folder_holds_kernel_initramfs_control_and_properties() {
        let root = tempfile::tempdir().unwrap();
        let folder = build(&inputs(root.path())).unwrap();
        assert_eq!(fs::read(folder.join("vmlinux")).unwrap(), b"\x7fELF a kernel");
        let properties = fs::read_to_string(folder.join("guest.properties")).unwrap();
        assert!(properties.starts_with("kernel.release=6.1.0-x\nkernel.package=linux-image-x 6.1-1\n"), "{properties}");
        let initramfs = fs::read(folder.join("initramfs.cpio")).unwrap();
        assert!(initramfs.windows(17).any(|window| window == b"modules/erofs.ko\0"));
        assert!(fs::read(folder.join("bare.cpio")).unwrap().len() < initramfs.len());
    }

    #[test]
    fn a_second_build_keeps_the_folder_and_leaves_nothing_else_behind() {
        let root = tempfile::tempdir().unwrap();
        let inputs = inputs(root.path());
        assert_eq!(build(&inputs).unwrap(), build(&inputs).unwrap());
        assert_eq!(fs::read_dir(&inputs.into).unwrap().count(), 2);
    }

    #[test]
    fn current_follows_the_newest_inputs() {
        let root = tempfile::tempdir().unwrap();
        let inputs = inputs(root.path());
        let first = build(&inputs).unwrap();
        fs::write(&inputs.agent, "a newer agent").unwrap();
        let second = build(&inputs).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::canonicalize(inputs.into.join("current")).unwrap(), fs::canonicalize(second).unwrap());
    }

    #[test]
    fn builds_at_the_same_time_agree() {
        let root = tempfile::tempdir().unwrap();
        let inputs = inputs(root.path());
        let folder = build(&inputs).unwrap();
        let draft = inputs.into.join(".draft");
        fs::create_dir(&draft).unwrap();
        publish(&draft, &folder).unwrap();
        assert!(!draft.exists() && folder.join("vmlinux").exists());
    }

    #[test]
    fn a_build_that_fails_leaves_no_draft() {
        let root = tempfile::tempdir().unwrap();
        let inputs = inputs(root.path());
        fs::create_dir(&inputs.into).unwrap();
        fs::write(root.path().join("kernel/boot/vmlinuz-6.1.0-x"), "no kernel").unwrap();
        assert!(build(&inputs).unwrap_err().to_string().contains("vmlinuz-6.1.0-x"));
        assert_eq!(fs::read_dir(&inputs.into).unwrap().count(), 0);
    }
}
