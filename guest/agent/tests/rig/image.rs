//! Builds what a machine boots from and mounts: an initramfs, EROFS layers made of a busybox tree, an ext4 scratch disk.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Outcome;

/// Phase and file name, in load order.
const MODULES: [(&str, &str); 14] = [
    ("channel", "virtio_ring"),
    ("channel", "virtio"),
    ("channel", "virtio_mmio"),
    ("channel", "virtio_console"),
    ("disk", "scsi_common"),
    ("disk", "scsi_mod"),
    ("disk", "virtio_scsi"),
    ("disk", "sd_mod"),
    ("disk", "libcrc32c"),
    ("disk", "erofs"),
    ("disk", "overlay"),
    ("net", "failover"),
    ("net", "net_failover"),
    ("net", "virtio_net"),
];

pub fn initramfs(agent: &Path, modules: &Path) -> Outcome<Vec<u8>> {
    let mut archive = Vec::new();
    for directory in ["lib", "lib/podvm", "dev", "proc", "sys", "run"] {
        entry(&mut archive, directory, 0o040_755, &[]);
    }
    entry(&mut archive, "init", 0o100_755, &fs::read(agent)?);
    let mut list = String::new();
    for (phase, name) in MODULES {
        let file = find(modules, &format!("{name}.ko"))?.ok_or_else(|| format!("no module {name} below {}", modules.display()))?;
        entry(&mut archive, &format!("lib/podvm/{name}.ko"), 0o100_644, &fs::read(file)?);
        // As guest/image writes it: the agent looks for the disks itself.
        let parameters = if name == "scsi_mod" { " scan=manual" } else { "" };
        list.push_str(&format!("{phase} /lib/podvm/{name}.ko{parameters}\n"));
    }
    entry(&mut archive, "lib/podvm/modules.list", 0o100_644, list.as_bytes());
    entry(&mut archive, "TRAILER!!!", 0, &[]);
    Ok(archive)
}

/// One file in the "newc" format of cpio.
fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]) {
    let fields = [0, mode, 0, 0, 1, 0, content.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
    archive.extend(b"070701");
    for field in fields {
        archive.extend(format!("{field:08x}").bytes());
    }
    archive.extend(name.bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

fn find(directory: &Path, name: &str) -> Outcome<Option<PathBuf>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|n| n == name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Two layers: busybox with users, and above it a file that replaces one of the lower layer.
pub fn layers(directory: &Path) -> Outcome<[PathBuf; 2]> {
    let base = directory.join("base");
    for path in ["bin", "etc", "tmp", "run", "root", "home/app"] {
        fs::create_dir_all(base.join(path))?;
    }
    fs::copy("/usr/bin/busybox", base.join("bin/busybox")).or_else(|_| fs::copy("/bin/busybox", base.join("bin/busybox")))?;
    let list = Command::new("busybox").arg("--list").output()?;
    for applet in String::from_utf8_lossy(&list.stdout).lines() {
        let _ = symlink("busybox", base.join("bin").join(applet));
    }
    symlink("/run", base.join("var-run"))?;
    fs::set_permissions(base.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    fs::write(base.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n")?;
    fs::write(base.join("etc/group"), "root:x:0:\napp:x:1000:\nextra:x:2000:app\n")?;
    fs::write(base.join("etc/release"), "lower\n")?;
    fs::write(base.join("bin/not-a-program"), "?\n")?;
    fs::set_permissions(base.join("bin/not-a-program"), fs::Permissions::from_mode(0o755))?;
    let top = directory.join("top");
    fs::create_dir_all(top.join("etc"))?;
    fs::write(top.join("etc/release"), "upper\n")?;
    let images = [directory.join("base.erofs"), directory.join("top.erofs")];
    for (image, tree) in images.iter().zip([base, top]) {
        run(Command::new("mkfs.erofs").arg("--all-root").arg(image).arg(tree))?;
    }
    Ok(images)
}

pub fn scratch(path: &Path) -> Outcome {
    fs::File::create(path)?.set_len(256 << 20)?;
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-E", "lazy_itable_init=1,nodiscard", "-O", "^resize_inode"]).arg(path))
}

fn run(command: &mut Command) -> Outcome {
    let output = command.output()?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into()) }
}
