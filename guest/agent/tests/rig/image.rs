//! Builds the disks that a machine mounts: EROFS layers made of a busybox tree, an ext4 scratch disk.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Outcome;

/// Two layers: busybox with users, and above it a file that replaces one of the lower layer.
pub fn layers() -> Outcome<[PathBuf; 2]> {
    // Made once for all tests, as machines share the layers of a node.
    static MADE: OnceLock<Result<[PathBuf; 2], String>> = OnceLock::new();
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layers");
    Ok(MADE.get_or_init(|| make_layers(&directory).map_err(|e| e.to_string())).clone()?)
}

fn make_layers(directory: &Path) -> Outcome<[PathBuf; 2]> {
    let _ = fs::remove_dir_all(directory);
    let base = directory.join("base");
    for path in ["bin", "etc", "tmp", "run", "root", "home/app"] {
        fs::create_dir_all(base.join(path))?;
    }
    let busybox = busybox()?;
    fs::copy(&busybox, base.join("bin/busybox"))?;
    let list = Command::new(&busybox).arg("--list").output()?;
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

/// The static one that set-up fetches, or the host's.
fn busybox() -> Outcome<PathBuf> {
    let cached = std::env::var_os("PODVM_CACHE").map(|cache| Path::new(&cache).join("busybox/busybox"));
    let mut candidates = cached.into_iter().chain(["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from));
    Ok(candidates
        .find(|file| file.is_file())
        .ok_or("no static busybox for the containers: run `setup/run test`, or install busybox-static")?)
}

pub fn scratch(path: &Path) -> Outcome {
    fs::File::create(path)?.set_len(256 << 20)?;
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-E", "lazy_itable_init=1,nodiscard", "-O", "^resize_inode"]).arg(path))
}

fn run(command: &mut Command) -> Outcome {
    // The sbin folders are not on every user's path.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let program = command.get_program().to_owned();
    let output = command
        .env("PATH", path)
        .output()
        .map_err(|e| format!("cannot run {}: {e}; is its package installed?", program.to_string_lossy()))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into()) }
}
