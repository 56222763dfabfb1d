//! Which system calls come through: a filter (seccomp(2)) can answer any of them in the kernel's place.
//!
//! Each is made once, in a process that ends then, with arguments that come to nothing and that the kernel itself answers with another
//! errno than a filter would. A filter that looks at arguments may still answer where this does not ask.

use std::sync::atomic::Ordering;

use libc::c_long;

use super::children::{child, in_a_child};
use crate::sys::raw::{self, Raw};
use crate::sys::{arena, os};

/// No descriptor, no process, and no number of anything.
const NONE: usize = usize::MAX;
/// A process that there is not: `pid_max` is less.
const NOBODY: usize = i32::MAX as usize;
/// An address where nothing is.
const NOWHERE: usize = 0;

/// A name, a number, arguments that come to nothing, and whether no scenario can run without the call.
type Question = (&'static str, c_long, [usize; 4], bool);

/// In this order: setsid works once.
const QUESTIONS: &[Question] = &[
    ("clone3", libc::SYS_clone3, [NOWHERE, 0, 0, 0], true),
    ("waitid", libc::SYS_waitid, [libc::P_ALL as usize, 0, 0, (libc::WEXITED | libc::WNOHANG) as usize], true),
    ("unshare", libc::SYS_unshare, [0; 4], true),
    ("kill", libc::SYS_kill, [NOBODY, 0, 0, 0], true),
    ("pidfd_send_signal", libc::SYS_pidfd_send_signal, [NONE, 0, 0, 0], true),
    ("pidfd_getfd", libc::SYS_pidfd_getfd, [NONE, 0, 0, 0], true),
    ("ioctl", libc::SYS_ioctl, [NONE, 0, 0, 0], true),
    ("fcntl", libc::SYS_fcntl, [NONE, 0, 0, 0], true),
    ("prctl", libc::SYS_prctl, [libc::PR_GET_PDEATHSIG as usize, NOWHERE, 0, 0], true),
    ("futex", libc::SYS_futex, [NOWHERE, libc::FUTEX_WAKE as usize, 0, 0], true),
    ("openat", libc::SYS_openat, [NONE, NOWHERE, 0, 0], true),
    ("close", libc::SYS_close, [NONE, 0, 0, 0], true),
    ("read", libc::SYS_read, [NONE, NOWHERE, 0, 0], true),
    ("write", libc::SYS_write, [NONE, NOWHERE, 0, 0], true),
    ("pread64", libc::SYS_pread64, [NONE, NOWHERE, 0, 0], true),
    ("getdents64", libc::SYS_getdents64, [NONE, NOWHERE, 0, 0], true),
    ("close_range", libc::SYS_close_range, [1, 0, 0, 0], true),
    ("sendmsg", libc::SYS_sendmsg, [NONE, NOWHERE, 0, 0], true),
    ("recvmsg", libc::SYS_recvmsg, [NONE, NOWHERE, 0, 0], true),
    ("getrusage", libc::SYS_getrusage, [NOBODY, NOWHERE, 0, 0], true),
    ("sched_yield", libc::SYS_sched_yield, [0; 4], true),
    ("nanosleep", libc::SYS_nanosleep, [NOWHERE, 0, 0, 0], true),
    ("set_tid_address", libc::SYS_set_tid_address, [NOWHERE, 0, 0, 0], true),
    ("rt_sigaction", libc::SYS_rt_sigaction, [libc::SIGUSR1 as usize, NOWHERE, NOWHERE, 8], true),
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask, [0, NOWHERE, NOWHERE, 8], true),
    ("rt_sigtimedwait", libc::SYS_rt_sigtimedwait, [NOWHERE, NOWHERE, NOWHERE, 8], true),
    ("setsid", libc::SYS_setsid, [0; 4], true),
    ("setpgid", libc::SYS_setpgid, [0, NONE, 0, 0], true),
    ("setresuid", libc::SYS_setresuid, [NONE; 4], false),
    ("rt_sigpending", libc::SYS_rt_sigpending, [NOWHERE, 8, 0, 0], false),
    ("wait4", libc::SYS_wait4, [NONE, NOWHERE, libc::WNOHANG as usize, NOWHERE], false),
    ("tgkill", libc::SYS_tgkill, [NOBODY, NOBODY, 0, 0], false),
    ("tkill", libc::SYS_tkill, [NOBODY, 0, 0, 0], false),
    ("rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo, [NOBODY, NOBODY, 0, NOWHERE], false),
    ("signalfd4", libc::SYS_signalfd4, [NONE, NOWHERE, 8, 0], false),
    ("capset", libc::SYS_capset, [NOWHERE, NOWHERE, 0, 0], false),
    ("seccomp", libc::SYS_seccomp, [2, 0, NOWHERE, 0], false),
    ("ptrace", libc::SYS_ptrace, [libc::PTRACE_CONT as usize, NOBODY, 0, 0], false),
    ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, [NOBODY, 0, NOWHERE, 0], false),
    ("pidfd_open", libc::SYS_pidfd_open, [0, 0, 0, 0], false),
    ("ppoll", libc::SYS_ppoll, [NOWHERE, NONE, NOWHERE, NOWHERE], false),
    ("setns", libc::SYS_setns, [NONE, 0, 0, 0], false),
    ("mq_open", libc::SYS_mq_open, [NOWHERE, 0, 0, NOWHERE], false),
    ("mq_notify", libc::SYS_mq_notify, [NONE, NOWHERE, 0, 0], false),
    ("mq_timedsend", libc::SYS_mq_timedsend, [NONE, NOWHERE, 0, 0], false),
    ("open_tree", libc::SYS_open_tree, [NONE, NOWHERE, 0, 0], false),
    ("execveat", libc::SYS_execveat, [NONE, NOWHERE, NOWHERE, NOWHERE], false),
    ("setuid", libc::SYS_setuid, [0; 4], false),
    ("getpgid", libc::SYS_getpgid, [0; 4], false),
    ("getsid", libc::SYS_getsid, [0; 4], false),
    ("getpid", libc::SYS_getpid, [0; 4], false),
    ("gettid", libc::SYS_gettid, [0; 4], false),
    ("getppid", libc::SYS_getppid, [0; 4], false),
    // Who may make the call is told that these are not its magic numbers.
    ("reboot", libc::SYS_reboot, [0; 4], false),
    ("pipe2", libc::SYS_pipe2, [NOWHERE, NONE, 0, 0], false),
    ("socketpair", libc::SYS_socketpair, [NONE, 0, 0, NOWHERE], false),
    ("getsockopt", libc::SYS_getsockopt, [NONE, 0, 0, NOWHERE], false),
    ("fstat", libc::SYS_fstat, [NONE, NOWHERE, 0, 0], false),
    ("readlinkat", libc::SYS_readlinkat, [NONE, NOWHERE, NOWHERE, 0], false),
    ("fsopen", libc::SYS_fsopen, [NOWHERE, 0, 0, 0], false),
    ("fsconfig", libc::SYS_fsconfig, [NONE, 0, 0, 0], false),
    ("fsmount", libc::SYS_fsmount, [NONE, 0, 0, 0], false),
];

const _: () = assert!(QUESTIONS.len() < 64, "each has a bit");

/// Whether bpf(2) comes through, for who has the right to make it: the kernel does not know this command.
pub(crate) fn bpf_comes_through() -> bool {
    in_a_child(|| raw::plain(libc::SYS_bpf, [NONE, NOWHERE, 0, 0]) == -(libc::EINVAL as Raw))
}

/// The calls that do not come through.
#[derive(Clone, Default, Debug)]
pub(crate) struct RefusedCalls(Vec<&'static Question>);

impl RefusedCalls {
    /// Asks for each. A filter may also end who makes a call: then it is asked on from the next one.
    pub(crate) fn of_this_place() -> RefusedCalls {
        let slot = arena::slot(0);
        // By this one it is learned how those end that are asked.
        let waits = QUESTIONS.iter().find(|(name, ..)| *name == "waitid").filter(|question| is_refused(question));
        let mut refused: Vec<_> = waits.into_iter().collect();
        let mut first = if refused.is_empty() { 0 } else { QUESTIONS.len() };
        while first < QUESTIONS.len() {
            slot.value.store(first as i64, Ordering::Relaxed);
            let asked = child(|| {
                for question in QUESTIONS.iter().skip(first) {
                    if is_refused(question) {
                        return 1;
                    }
                    slot.value.fetch_add(1, Ordering::Relaxed);
                }
                0
            });
            let Ok(Some((_, asked))) = asked else { break };
            let ended = os::exit_status(std::os::fd::AsRawFd::as_raw_fd(&asked));
            let reached = usize::try_from(slot.value.load(Ordering::Relaxed)).unwrap_or(QUESTIONS.len());
            if ended != Some(0) {
                refused.extend(QUESTIONS.get(reached));
            }
            first = reached + 1;
        }
        RefusedCalls(refused)
    }

    /// Whether a call is among them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(refused, ..)| *refused == name)
    }

    /// One without which no scenario can run.
    pub(crate) fn vital(&self) -> Option<&'static str> {
        self.0.iter().find(|(.., vital)| *vital).map(|(name, ..)| *name)
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, ..)| (*name).to_owned()).collect()
    }
}

/// Whether the answer is one that a filter gives: none of these calls gets it from a kernel that has the call.
fn is_refused((_, number, arguments, _): &Question) -> bool {
    const ANSWERS: [i32; 3] = [libc::EPERM, libc::ENOSYS, libc::EACCES];
    ANSWERS.map(|errno| -(errno as Raw)).contains(&raw::plain(*number, *arguments))
}
