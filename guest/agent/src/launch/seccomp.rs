//! The default system call filter: an allow list of the same reach as the one container engines use, written from the facts in
//! their documentation (which calls they deny, and which a capability opens again).
//!
//! The list is a bitmap by call number and becomes a binary search: some 60 instructions instead of one test per call, because
//! the kernel runs the filter once for every call number when it is installed, and emulated machines feel that.

use libc::c_long;
use rustix::thread::CapabilitySet;

use crate::error::{Error, Result};
use crate::sys::seccomp::Instruction;

const WORDS: usize = 8;
/// Calls from here on are younger than this list: "not implemented", so that programs fall back.
const END: u32 = 463;

#[derive(Clone, Copy)]
struct Calls([u64; WORDS]);

impl Calls {
    // Numbers are small, and a wrong one would not compile: the index is checked.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    const fn of<const N: usize>(numbers: [c_long; N]) -> Self {
        let mut words = [0u64; WORDS];
        let mut i = 0;
        while i < N {
            words[(numbers[i] / 64) as usize] |= 1 << (numbers[i] % 64);
            i += 1;
        }
        Self(words)
    }

    fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
    }

    fn contains(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

macro_rules! calls {
    ($($name:ident)*) => { Calls::of([$(libc::$name),*]) };
}

const ALLOWED: Calls = calls! {
    SYS_accept SYS_accept4 SYS_adjtimex SYS_bind SYS_brk SYS_capget SYS_capset SYS_chdir SYS_clock_adjtime SYS_clock_getres SYS_clock_gettime
    SYS_clock_nanosleep SYS_close SYS_close_range SYS_connect SYS_copy_file_range SYS_dup SYS_dup3 SYS_epoll_create1 SYS_epoll_ctl
    SYS_epoll_pwait SYS_epoll_pwait2 SYS_eventfd2 SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_faccessat SYS_faccessat2
    SYS_fadvise64 SYS_fallocate SYS_fanotify_mark SYS_fchdir SYS_fchmod SYS_fchmodat SYS_fchmodat2 SYS_fchown SYS_fchownat SYS_fcntl
    SYS_fdatasync SYS_fgetxattr SYS_flistxattr SYS_flock SYS_fremovexattr SYS_fsetxattr SYS_fstat SYS_fstatfs SYS_fsync SYS_ftruncate
    SYS_futex SYS_futex_waitv SYS_getcpu SYS_getcwd SYS_getdents64 SYS_getegid
    SYS_geteuid SYS_getgid SYS_getgroups SYS_getitimer SYS_getpeername SYS_getpgid SYS_getpid SYS_getppid SYS_getpriority SYS_getrandom
    SYS_getresgid SYS_getresuid SYS_getrlimit SYS_get_robust_list SYS_getrusage SYS_getsid SYS_getsockname SYS_getsockopt SYS_gettid
    SYS_gettimeofday SYS_getuid SYS_getxattr SYS_inotify_add_watch SYS_inotify_init1 SYS_inotify_rm_watch SYS_io_cancel SYS_ioctl
    SYS_io_destroy SYS_io_getevents SYS_ioprio_get SYS_ioprio_set SYS_io_setup SYS_io_submit SYS_kill
    SYS_landlock_add_rule SYS_landlock_create_ruleset SYS_landlock_restrict_self SYS_lgetxattr SYS_linkat SYS_listen SYS_listxattr
    SYS_llistxattr SYS_lremovexattr SYS_lseek SYS_lsetxattr SYS_madvise SYS_membarrier SYS_memfd_create
    SYS_memfd_secret SYS_mincore SYS_mkdirat SYS_mknodat SYS_mlock SYS_mlock2 SYS_mlockall SYS_mmap SYS_mprotect SYS_mq_getsetattr
    SYS_mq_notify SYS_mq_open SYS_mq_timedreceive SYS_mq_timedsend SYS_mq_unlink SYS_mremap SYS_mseal SYS_msgctl SYS_msgget SYS_msgrcv
    SYS_msgsnd SYS_msync SYS_munlock SYS_munlockall SYS_munmap SYS_name_to_handle_at SYS_nanosleep SYS_newfstatat SYS_openat SYS_openat2
    SYS_pidfd_open SYS_pidfd_send_signal SYS_pipe2 SYS_pkey_alloc SYS_pkey_free SYS_pkey_mprotect SYS_ppoll SYS_prctl SYS_pread64
    SYS_preadv SYS_preadv2 SYS_prlimit64 SYS_process_mrelease SYS_process_vm_readv SYS_process_vm_writev SYS_pselect6 SYS_ptrace
    SYS_pwrite64 SYS_pwritev SYS_pwritev2 SYS_read SYS_readahead SYS_readlinkat SYS_readv SYS_recvfrom SYS_recvmmsg SYS_recvmsg
    SYS_remap_file_pages SYS_removexattr SYS_renameat SYS_renameat2 SYS_restart_syscall SYS_rseq SYS_rt_sigaction SYS_rt_sigpending
    SYS_rt_sigprocmask SYS_rt_sigqueueinfo SYS_rt_sigreturn SYS_rt_sigsuspend SYS_rt_sigtimedwait SYS_rt_tgsigqueueinfo
    SYS_sched_getaffinity SYS_sched_getattr SYS_sched_getparam SYS_sched_get_priority_max SYS_sched_get_priority_min
    SYS_sched_getscheduler SYS_sched_rr_get_interval SYS_sched_setaffinity SYS_sched_setattr SYS_sched_setparam SYS_sched_setscheduler
    SYS_sched_yield SYS_seccomp SYS_semctl SYS_semget SYS_semop SYS_semtimedop SYS_sendfile SYS_sendmmsg SYS_sendmsg SYS_sendto
    SYS_setfsgid SYS_setfsuid SYS_setgid SYS_setgroups SYS_setitimer SYS_setpgid SYS_setpriority SYS_setregid SYS_setresgid
    SYS_setresuid SYS_setreuid SYS_setrlimit SYS_set_robust_list SYS_setsid SYS_setsockopt SYS_set_tid_address SYS_setuid SYS_setxattr
    SYS_shmat SYS_shmctl SYS_shmdt SYS_shmget SYS_shutdown SYS_sigaltstack SYS_signalfd4 SYS_socketpair SYS_splice SYS_statfs SYS_statx
    SYS_symlinkat SYS_sync SYS_sync_file_range SYS_syncfs SYS_sysinfo SYS_tee SYS_tgkill SYS_timer_create SYS_timer_delete
    SYS_timer_getoverrun SYS_timer_gettime SYS_timer_settime SYS_timerfd_create SYS_timerfd_gettime SYS_timerfd_settime SYS_times
    SYS_tkill SYS_truncate SYS_umask SYS_uname SYS_unlinkat SYS_utimensat SYS_vmsplice SYS_wait4 SYS_waitid SYS_write SYS_writev
};

/// Calls that the libc crate does not name for every target; the numbers are the same on all of them since 5.1, but for io_pgetevents.
const ALLOWED_BY_NUMBER: Calls = Calls::of([IO_PGETEVENTS, 451, 453, 454, 455, 456]);
#[cfg(target_arch = "x86_64")]
const IO_PGETEVENTS: c_long = 333;
#[cfg(not(target_arch = "x86_64"))]
const IO_PGETEVENTS: c_long = 292;

#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: Calls = calls! {
    SYS_access SYS_alarm SYS_arch_prctl SYS_chmod SYS_chown SYS_creat SYS_dup2 SYS_epoll_create SYS_epoll_ctl_old SYS_epoll_wait
    SYS_epoll_wait_old SYS_eventfd SYS_fork SYS_futimesat SYS_getdents SYS_getpgrp SYS_get_thread_area SYS_inotify_init SYS_lchown SYS_link
    SYS_lstat SYS_mkdir SYS_mknod SYS_modify_ldt SYS_open SYS_pause SYS_pipe SYS_poll SYS_readlink SYS_rename SYS_rmdir SYS_select
    SYS_set_thread_area SYS_signalfd SYS_stat SYS_symlink SYS_time SYS_unlink SYS_utime SYS_utimes SYS_vfork
};
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: Calls = Calls([0; WORDS]);

#[cfg(target_arch = "x86_64")]
const RAW_IO: Calls = calls! { SYS_iopl SYS_ioperm };
#[cfg(not(target_arch = "x86_64"))]
const RAW_IO: Calls = Calls([0; WORDS]);

/// What a capability opens.
const OPENED: [(CapabilitySet, Calls); 14] = [
    (CapabilitySet::DAC_READ_SEARCH, calls! { SYS_open_by_handle_at }),
    (
        CapabilitySet::SYS_ADMIN,
        calls! {
            SYS_bpf SYS_clone SYS_clone3 SYS_fanotify_init SYS_fsconfig SYS_fsmount SYS_fsopen SYS_fspick SYS_lookup_dcookie SYS_mount
            SYS_mount_setattr SYS_move_mount SYS_open_tree SYS_perf_event_open SYS_quotactl SYS_quotactl_fd SYS_setdomainname SYS_sethostname
            SYS_setns SYS_syslog SYS_umount2 SYS_unshare SYS_pivot_root
        },
    ),
    (CapabilitySet::SYS_BOOT, calls! { SYS_reboot }),
    (CapabilitySet::SYS_CHROOT, calls! { SYS_chroot }),
    (CapabilitySet::SYS_MODULE, calls! { SYS_delete_module SYS_init_module SYS_finit_module }),
    (CapabilitySet::SYS_PACCT, calls! { SYS_acct }),
    (CapabilitySet::SYS_PTRACE, calls! { SYS_kcmp SYS_pidfd_getfd SYS_process_madvise }),
    (CapabilitySet::SYS_RAWIO, RAW_IO),
    (CapabilitySet::SYS_TIME, calls! { SYS_settimeofday SYS_clock_settime }),
    (CapabilitySet::SYS_TTY_CONFIG, calls! { SYS_vhangup }),
    (CapabilitySet::SYS_NICE, calls! { SYS_get_mempolicy SYS_mbind SYS_set_mempolicy SYS_set_mempolicy_home_node }),
    (CapabilitySet::SYSLOG, calls! { SYS_syslog }),
    (CapabilitySet::BPF, calls! { SYS_bpf }),
    (CapabilitySet::PERFMON, calls! { SYS_perf_event_open }),
];

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The 32-bit calls of the same processor have other numbers.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE_32: u32 = 0x4000_0003;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE_32: u32 = 0x4000_0028;

/// Numbers of 32-bit calls that stay closed (arch/x86/entry/syscalls/syscall_32.tbl), whatever the capabilities; all others are open.
#[cfg(target_arch = "x86_64")]
const DENIED_32: Calls = Calls::of([
    21, 22, 25, 51, 52, 86, 87, 88, 101, 103, 110, 111, 113, 115, 121, 127, 128, 129, 130, 131, 134, 135, 149, 166, 167, 169, 217, 253,
    264, 274, 275, 276, 283, 286, 287, 288, 294, 310, 317, 336, 338, 342, 346, 349, 350, 357, 374, 404, 425, 426, 427, 428, 429, 430, 431,
    432, 433, 438, 442, 443, 450,
]);
#[cfg(target_arch = "aarch64")]
const DENIED_32: Calls = Calls([u64::MAX; WORDS]);
const CLONE_32: u32 = 120;
const PERSONALITY_32: u32 = 136;
const SOCKET_32: u32 = 359;
const CLONE3_32: u32 = 435;

const NAMESPACE_FLAGS: u32 = 0x7e02_0000;
const AF_VSOCK: u32 = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Allow,
    NotPermitted,
    NotImplemented,
    /// Without flags that make namespaces.
    Clone,
    /// Not to the machine's host: AF_VSOCK.
    Socket,
    Personality,
}

/// The filter for a process that has these capabilities.
pub fn filter(capabilities: CapabilitySet) -> Vec<Instruction> {
    let mut allowed = ALLOWED;
    allowed.add(ALLOWED_HERE);
    allowed.add(ALLOWED_BY_NUMBER);
    for (capability, calls) in OPENED {
        if capabilities.contains(capability) {
            allowed.add(calls);
        }
    }
    let native = |number: u32| match c_long::from(number) {
        _ if allowed.contains(number) => Answer::Allow,
        libc::SYS_clone => Answer::Clone,
        libc::SYS_socket => Answer::Socket,
        libc::SYS_personality => Answer::Personality,
        libc::SYS_clone3 => Answer::NotImplemented,
        _ if number >= END => Answer::NotImplemented,
        _ => Answer::NotPermitted,
    };
    let compatible = |number: u32| match number {
        CLONE_32 => Answer::Clone,
        PERSONALITY_32 => Answer::Personality,
        SOCKET_32 => Answer::Socket,
        CLONE3_32 => Answer::NotImplemented,
        _ if number >= END => Answer::NotImplemented,
        _ if DENIED_32.contains(number) => Answer::NotPermitted,
        _ => Answer::Allow,
    };
    let native = search(&segments(native));
    let compatible = search(&segments(compatible));
    let mut program = vec![
        load(4),
        jump(JUMP_IF_EQUAL, ARCHITECTURE, 4, 0),
        jump(JUMP_IF_EQUAL, ARCHITECTURE_32, 1, 0),
        result(Answer::NotPermitted),
        load(0),
        // Longer than a conditional jump reaches.
        Instruction { code: JUMP, jump_true: 0, jump_false: 0, value: u32::try_from(native.len() + 1).unwrap_or(0) },
        load(0),
    ];
    program.extend(native);
    program.extend(compatible);
    program
}

/// Where each run of numbers with the same answer begins.
fn segments(answer: impl Fn(u32) -> Answer) -> Vec<(u32, Answer)> {
    let mut segments: Vec<(u32, Answer)> = Vec::new();
    for number in 0..=END {
        let next = answer(number);
        if segments.last().is_none_or(|(_, last)| *last != next) {
            segments.push((number, next));
        }
    }
    segments
}

fn search(segments: &[(u32, Answer)]) -> Vec<Instruction> {
    if let [(_, answer)] = segments {
        return leaf(*answer);
    }
    let (low, high) = segments.split_at(segments.len() / 2);
    let Some((first, _)) = high.first() else {
        return leaf(Answer::NotPermitted);
    };
    let (mut low, mut high) = (search(low), search(high));
    // A conditional jump skips at most 255 instructions.
    let mut program = if let Ok(skip) = u8::try_from(low.len()) {
        vec![jump(JUMP_IF_AT_LEAST, *first, skip, 0)]
    } else {
        let far = Instruction { code: JUMP, jump_true: 0, jump_false: 0, value: u32::try_from(low.len()).unwrap_or(0) };
        vec![jump(JUMP_IF_AT_LEAST, *first, 0, 1), far]
    };
    program.append(&mut low);
    program.append(&mut high);
    program
}

fn leaf(answer: Answer) -> Vec<Instruction> {
    let allow = result(Answer::Allow);
    let deny = result(Answer::NotPermitted);
    match answer {
        Answer::Clone => vec![load(ARGUMENT_0), jump(JUMP_IF_ANY_BIT, NAMESPACE_FLAGS, 1, 0), allow, deny],
        Answer::Socket => vec![load(ARGUMENT_0), jump(JUMP_IF_EQUAL, AF_VSOCK, 1, 0), allow, deny],
        // Linux, Linux on a 32-bit machine, each also with the old uname (2.6), and the query.
        Answer::Personality => vec![
            load(ARGUMENT_0),
            jump(JUMP_IF_EQUAL, 0x0, 4, 0),
            jump(JUMP_IF_EQUAL, 0x8, 3, 0),
            jump(JUMP_IF_EQUAL, 0x2_0000, 2, 0),
            jump(JUMP_IF_EQUAL, 0x2_0008, 1, 0),
            jump(JUMP_IF_EQUAL, u32::MAX, 0, 1),
            allow,
            deny,
        ],
        other => vec![result(other)],
    }
}

// linux/bpf_common.h and linux/seccomp.h.
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const LOAD: u16 = 0x20;
/// Low half of the first argument in struct seccomp_data on a little-endian machine.
const ARGUMENT_0: u32 = 16;

fn load(offset: u32) -> Instruction {
    Instruction { code: LOAD, jump_true: 0, jump_false: 0, value: offset }
}

fn jump(code: u16, value: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, value }
}

fn result(answer: Answer) -> Instruction {
    let value = match answer {
        Answer::Allow => 0x7fff_0000,
        Answer::NotImplemented => 0x0005_0000 | libc::ENOSYS.unsigned_abs(),
        _ => 0x0005_0000 | libc::EPERM.unsigned_abs(),
    };
    Instruction { code: RETURN, jump_true: 0, jump_false: 0, value }
}

/// An instruction of the wire: struct sock_filter on a little-endian machine.
const WIRE: usize = 8;
/// BPF_MAXINSNS of linux/bpf_common.h.
const LONGEST: usize = 4096;

/// A filter that somebody else made; whether it is one the kernel decides.
pub fn from_wire(bytes: &[u8]) -> Result<Vec<Instruction>> {
    if bytes.is_empty() || bytes.len() % WIRE != 0 || bytes.len() > WIRE * LONGEST {
        return Err(Error::invalid(format!("security.seccomp_filter: {} bytes are not 1 to {LONGEST} instructions", bytes.len())));
    }
    let instruction = |i: &[u8]| Instruction {
        code: u16::from_le_bytes([i[0], i[1]]),
        jump_true: i[2],
        jump_false: i[3],
        value: u32::from_le_bytes([i[4], i[5], i[6], i[7]]),
    };
    Ok(bytes.chunks_exact(WIRE).map(instruction).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_filter_is_bounded_and_read_as_the_kernel_would() {
        assert_eq!(run(&from_wire(&[0x06, 0, 0, 0, 1, 0, 5, 0]).unwrap(), ARCHITECTURE, 0, 0), PERM);
        for wrong in [vec![], vec![0; 7], vec![0; 9], vec![0; WIRE * (LONGEST + 1)]] {
            assert!(from_wire(&wrong).err().is_some_and(|e| e.message.contains("seccomp_filter")), "{}", wrong.len());
        }
    }

    const ALLOW: u32 = 0x7fff_0000;
    const PERM: u32 = 0x0005_0001;
    const NOSYS: u32 = 0x0005_0026;

    /// Does what the kernel would do.
    fn run(program: &[Instruction], architecture: u32, number: u32, argument: u32) -> u32 {
        let (mut at, mut accumulator) = (0usize, 0u32);
        loop {
            let i = program[at];
            at += 1;
            let taken = match i.code {
                LOAD => {
                    accumulator = match i.value {
                        0 => number,
                        4 => architecture,
                        _ => argument,
                    };
                    continue;
                }
                RETURN => return i.value,
                JUMP => {
                    at += i.value as usize;
                    continue;
                }
                JUMP_IF_EQUAL => accumulator == i.value,
                JUMP_IF_AT_LEAST => accumulator >= i.value,
                JUMP_IF_ANY_BIT => accumulator & i.value != 0,
                other => panic!("unknown instruction {other:#x}"),
            };
            at += usize::from(if taken { i.jump_true } else { i.jump_false });
        }
    }

    fn native(program: &[Instruction], number: c_long, argument: u32) -> u32 {
        run(program, ARCHITECTURE, u32::try_from(number).unwrap_or(0), argument)
    }

    #[test]
    fn every_number_gets_the_answer_of_the_list() {
        let program = filter(CapabilitySet::empty());
        let mut allowed = ALLOWED;
        allowed.add(ALLOWED_HERE);
        for number in 0..600 {
            if allowed.contains(number) {
                assert_eq!(run(&program, ARCHITECTURE, number, 0), ALLOW, "{number}");
            }
        }
        assert_eq!(native(&program, libc::SYS_mount, 0), PERM);
        assert_eq!(native(&program, libc::SYS_keyctl, 0), PERM);
        assert_eq!(native(&program, libc::SYS_io_uring_setup, 0), PERM);
        assert_eq!(native(&program, libc::SYS_clone3, 0), NOSYS);
        assert_eq!(native(&program, 500, 0), NOSYS);
        assert_eq!(native(&program, 0x4000_0000, 0), NOSYS);
    }

    #[test]
    fn arguments_decide_for_clone_socket_and_personality() {
        let program = filter(CapabilitySet::empty());
        assert_eq!(native(&program, libc::SYS_clone, 0x0001_0011), ALLOW);
        assert_eq!(native(&program, libc::SYS_clone, 0x1000_0000), PERM);
        assert_eq!(native(&program, libc::SYS_socket, 2), ALLOW);
        assert_eq!(native(&program, libc::SYS_socket, AF_VSOCK), PERM);
        assert_eq!(native(&program, libc::SYS_personality, 8), ALLOW);
        assert_eq!(native(&program, libc::SYS_personality, u32::MAX), ALLOW);
        assert_eq!(native(&program, libc::SYS_personality, 4), PERM);
    }

    #[test]
    fn a_capability_opens_its_calls() {
        let program = filter(CapabilitySet::SYS_ADMIN);
        assert_eq!(native(&program, libc::SYS_mount, 0), ALLOW);
        assert_eq!(native(&program, libc::SYS_clone3, 0), ALLOW);
        assert_eq!(native(&program, libc::SYS_clone, 0x1000_0000), ALLOW);
        assert_eq!(native(&program, libc::SYS_reboot, 0), PERM);
    }

    #[test]
    fn another_architecture_is_refused_and_the_32_bit_calls_have_their_own_list() {
        let program = filter(CapabilitySet::empty());
        assert_eq!(run(&program, 0x1234, 0, 0), PERM);
        if cfg!(target_arch = "x86_64") {
            assert_eq!(run(&program, ARCHITECTURE_32, 3, 0), ALLOW);
            assert_eq!(run(&program, ARCHITECTURE_32, 21, 0), PERM);
            assert_eq!(run(&program, ARCHITECTURE_32, CLONE_32, 0x1000_0000), PERM);
        }
    }
}
