//! The process of a container or an exec: terminal, user, limits, capabilities, filter; then the program.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::process::Resource;
use rustix::termios::Winsize;
use rustix::thread::CapabilitySet;

use crate::api::{Process, ResolvedUser, SeccompMode, StartError, TerminalSize, start_error};
use crate::error::{Doing, Error, Result};
use crate::sys;

use super::mapping::Users;
use super::plan::ExecPlan;
use super::{capabilities, dev, inroot, seccomp, users};

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// All that is left to do is to execute.
pub struct Ready {
    args: Vec<CString>,
    env: Vec<CString>,
    path: String,
    identity: users::Identity,
    /// A foreign filter may forbid whatever it likes: nothing but the execution comes after it.
    filter: Option<Vec<sys::seccomp::Instruction>>,
}

/// Gives the process its own session and, where wanted, a terminal of the container; returns the terminal's master side.
pub fn terminal(plan: &ExecPlan, is_first: bool) -> Result<Option<OwnedFd>> {
    rustix::process::setsid().doing(|| "start a session")?;
    let Some(process) = plan.process.as_ref().filter(|p| p.terminal) else {
        return Ok(None);
    };
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::open("/dev/pts/ptmx", flags, Mode::empty()).doing(|| "open a terminal")?;
    rustix::pty::unlockpt(&master).doing(|| "unlock the terminal")?;
    let slave = rustix::pty::ioctl_tiocgptpeer(
        &master,
        rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY | rustix::pty::OpenptFlags::CLOEXEC,
    )
    .doing(|| "open the terminal's other side")?;
    if let Some(size) = process.terminal_size {
        let _ = rustix::termios::tcsetwinsize(&slave, window(size));
    }
    rustix::process::ioctl_tiocsctty(&slave).doing(|| "make the terminal the controlling one")?;
    if is_first {
        let name = rustix::pty::ptsname(&master, Vec::new()).doing(|| "name the terminal")?;
        dev::console(&name.to_string_lossy())?;
    }
    rustix::stdio::dup2_stdin(&slave).doing(|| "use the terminal as input")?;
    rustix::stdio::dup2_stdout(&slave).doing(|| "use the terminal as output")?;
    rustix::stdio::dup2_stderr(&slave).doing(|| "use the terminal as output")?;
    Ok(Some(master))
}

pub fn window(size: TerminalSize) -> Winsize {
    let cells = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    Winsize { ws_row: cells(size.rows), ws_col: cells(size.columns), ws_xpixel: 0, ws_ypixel: 0 }
}

/// The order matters: limits while root may raise them, the filter while CAP_SYS_ADMIN may install it, the user last.
pub fn process(plan: &ExecPlan, users: Option<&Users>) -> Result<Ready> {
    let process = plan.process.clone().unwrap_or_default();
    let security = plan.security.clone().unwrap_or_default();
    let identity = users::resolve(&process.user.clone().unwrap_or_default())?;
    enter(&process.working_dir)?;
    own_output(users.map_or(identity.uid, |users| users.uid(identity.uid)));
    for limit in &process.rlimits {
        let resource = resource(&limit.name).ok_or_else(|| Error::invalid(format!("process.rlimits: unknown limit {:?}", limit.name)))?;
        let value = |n: u64| (n != u64::MAX).then_some(n);
        let new = rustix::process::Rlimit { current: value(limit.soft), maximum: value(limit.hard) };
        rustix::process::setrlimit(resource, new).doing(|| format!("set the limit {}", limit.name))?;
    }
    std::fs::write("/proc/self/oom_score_adj", process.oom_score_adj.to_string()).doing(|| "set oom_score_adj")?;
    users.map_or(Ok(()), Users::enter)?;
    let kept = if security.privileged { capabilities::all() } else { capabilities::parse(&security.capabilities)? };
    let ambient = capabilities::parse(&security.ambient_capabilities)? & kept;
    capabilities::bound(kept)?;
    if security.no_new_privileges {
        rustix::thread::set_no_new_privs(true).doing(|| "set no_new_privs")?;
    }
    let filter = match security.seccomp() {
        _ if security.privileged => None,
        SeccompMode::Default => {
            sys::seccomp::install(&seccomp::filter(kept)).doing(|| "install the system call filter")?;
            None
        }
        SeccompMode::Unconfined => None,
        SeccompMode::Filter => Some(seccomp::from_wire(&security.seccomp_filter)?),
    };
    rustix::thread::set_thread_groups(&identity.groups.iter().copied().map(Gid::from_raw).collect::<Vec<_>>())
        .doing(|| "set the groups")?;
    rustix::thread::set_thread_res_gid(Gid::from_raw(identity.gid), Gid::from_raw(identity.gid), Gid::from_raw(identity.gid))
        .doing(|| "set the group")?;
    if !ambient.is_empty() || filter.is_some() {
        rustix::thread::set_keep_capabilities(true).doing(|| "keep capabilities for another user")?;
    }
    let uid = Uid::from_raw(identity.uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid).doing(|| "set the user")?;
    let own = if identity.uid == 0 { kept } else { ambient };
    // What the program gets is worked out from the bounding and ambient sets when it is executed, so this one ends with that.
    let installing = if filter.is_some() { CapabilitySet::SYS_ADMIN } else { CapabilitySet::empty() };
    capabilities::set(own | installing, ambient)?;
    sys::signals::restore_defaults();
    let env = environment(&process, &identity.home, &plan.hostname);
    let path = env.iter().find_map(|e| e.strip_prefix("PATH=")).unwrap_or_default().to_owned();
    let strings = |list: &[String]| list.iter().map(|s| CString::new(s.as_str())).collect::<Result<Vec<_>, _>>();
    Ok(Ready {
        args: strings(&process.args).doing(|| "pass the arguments")?,
        env: strings(&env).doing(|| "pass the environment")?,
        path,
        identity,
        filter,
    })
}

impl Ready {
    pub fn user(&self) -> ResolvedUser {
        ResolvedUser { uid: self.identity.uid, gid: self.identity.gid, gids: self.identity.groups.clone() }
    }

    /// Returns only with the reason why not.
    pub fn execute(&self) -> StartError {
        if let Some(Err(e)) = self.filter.as_ref().map(|filter| sys::seccomp::install(filter)) {
            return start_error(start_error::Kind::Other, format!("cannot install the system call filter: {e}"));
        }
        let Some(program) = self.args.first().filter(|p| !p.is_empty()) else {
            return start_error(start_error::Kind::NotFound, "no program is named".to_owned());
        };
        let name = program.to_string_lossy();
        let bytes = program.as_bytes();
        if bytes.contains(&b'/') {
            let error = sys::exec::execve(program, &self.args, &self.env);
            return explain(&name, error.raw_os_error());
        }
        let mut worst = libc::ENOENT;
        for directory in self.path.split(':') {
            let directory = if directory.is_empty() { "." } else { directory };
            let Ok(candidate) = CString::new(Path::new(directory).join(OsStr::from_bytes(bytes)).as_os_str().as_bytes()) else {
                continue;
            };
            match sys::exec::execve(&candidate, &self.args, &self.env).raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => {}
                // Perhaps a later directory has one that may be executed.
                Some(libc::EACCES) => worst = libc::EACCES,
                other => return explain(&name, other),
            }
        }
        explain(&name, Some(worst))
    }
}

fn explain(name: &str, errno: Option<i32>) -> StartError {
    let reason = errno.map_or("unknown error".to_owned(), |e| std::io::Error::from_raw_os_error(e).to_string());
    let message = format!("cannot execute {name:?}: {reason}");
    match errno {
        Some(libc::ENOENT | libc::ENOTDIR) => start_error(start_error::Kind::NotFound, message),
        Some(libc::EACCES | libc::ENOEXEC | libc::EISDIR | libc::EPERM) => start_error(start_error::Kind::NotExecutable, message),
        _ => start_error(start_error::Kind::Other, message),
    }
}

pub fn start_error(kind: start_error::Kind, message: String) -> StartError {
    let exit_code = match kind {
        start_error::Kind::NotFound => 127,
        start_error::Kind::NotExecutable => 126,
        _ => 128,
    };
    StartError { kind: kind.into(), message, exit_code }
}

/// The working directory, made by root where it is missing.
fn enter(path: &str) -> Result<()> {
    let path = if path.is_empty() { "/" } else { path };
    match rustix::process::chdir(path) {
        Err(Errno::NOENT) => {
            let root = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| "open /")?;
            inroot::open(&root, path, inroot::Make::Directory(0o755))?;
            rustix::process::chdir(path)
        }
        result => result,
    }
    .doing(|| format!("enter the working directory {path}"))
}

/// Lets a user other than root open /dev/stdout and its own terminal.
fn own_output(uid: u32) {
    for fd in [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()] {
        let is_null = rustix::fs::fstat(fd)
            .is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::CharacterDevice && rustix::fs::major(s.st_rdev) == 1);
        if !is_null {
            let _ = rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), None);
        }
    }
}

fn environment(process: &Process, home: &str, hostname: &str) -> Vec<String> {
    let mut env: Vec<String> = Vec::with_capacity(process.env.len() + 4);
    // Where a name is set twice the later value wins, as container engines have it.
    for (i, entry) in process.env.iter().enumerate() {
        let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name);
        let again = |later: &String| later.split_once('=').is_some_and(|(n, _)| n == name);
        if !process.env[i + 1..].iter().any(again) {
            env.push(entry.clone());
        }
    }
    let mut add = |name: &str, value: &str| {
        if !env.iter().any(|e| e.split_once('=').is_some_and(|(n, _)| n == name)) {
            env.push(format!("{name}={value}"));
        }
    };
    add("PATH", DEFAULT_PATH);
    add("HOSTNAME", hostname);
    if process.terminal {
        add("TERM", "xterm");
    }
    add("HOME", home);
    env
}

pub fn resource(name: &str) -> Option<Resource> {
    Some(match name {
        "as" => Resource::As,
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_completed_but_not_overridden() {
        let process = Process { env: vec!["PATH=/x".into(), "A=1".into(), "A=2".into()], terminal: true, ..Process::default() };
        let env = environment(&process, "/home/me", "pod");
        assert_eq!(env, ["PATH=/x", "A=2", "HOSTNAME=pod", "TERM=xterm", "HOME=/home/me"]);
    }

    #[test]
    fn start_errors_carry_the_exit_codes_of_a_shell() {
        assert_eq!(explain("x", Some(libc::ENOENT)).exit_code, 127);
        assert_eq!(explain("x", Some(libc::EACCES)).exit_code, 126);
        assert_eq!(explain("x", Some(libc::ENOEXEC)).exit_code, 126);
        assert_eq!(explain("x", Some(libc::E2BIG)).exit_code, 128);
        assert!(explain("tool", Some(libc::ENOENT)).message.contains("tool"));
    }
}
