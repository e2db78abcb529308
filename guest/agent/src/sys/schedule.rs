//! When this process gets its turn.

/// From linux/sched.h: children begin as ordinary processes.
const RESET_ON_FORK: libc::c_int = 0x4000_0000;

/// A process that has slept usually displaces the one that woke it. Patient: it waits until that sleeps or has used up its turn.
pub fn patient(yes: bool) {
    let policy = if yes { libc::SCHED_BATCH | RESET_ON_FORK } else { libc::SCHED_OTHER };
    let priority: libc::c_int = 0;
    // SAFETY: the kernel reads one int, the only field of struct sched_param. It changes only when this thread runs.
    unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, policy, &raw const priority) };
}
