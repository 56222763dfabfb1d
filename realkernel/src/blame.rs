//! Whose answer was it: the kernel's, or that of a limit around this program?
//!
//! `EAGAIN` from a full PID namespace is what Linux does, and is compared. `EAGAIN` from `RLIMIT_NPROC` or from the cgroup of a container
//! says nothing about PID namespaces. The errno is the same, so it is found out whether a limit was reached, while the world still stands
//! as it stood at that answer: the same call is made elsewhere, where nothing of the scenario can be in its way.

use std::io;
use std::os::fd::AsRawFd;

use pidlab_scenario::syscall::Syscall;
use pidlab_scenario::{ANOTHER_USER, CloneFlags};

use crate::cgroups;
use crate::surroundings::{self, Surroundings};
use crate::sys::os;
use crate::trouble::{Trouble, Unavailable};

/// What a failure of the runner's own means: that of a limit is the surroundings'.
pub(crate) fn trouble(what: &str, error: &io::Error) -> Trouble {
    match error.raw_os_error().and_then(|number| limit(what, number)) {
        Some(lacks) => Trouble::Lacks(lacks),
        None => Trouble::Broken(format!("{what}: {error}")),
    }
}

/// The limit that this errno speaks of, if it speaks of one.
pub(crate) fn limit(what: &str, errno: i32) -> Option<Unavailable> {
    let here = surroundings::at_the_start();
    let known = |name: &str| here.sysctl(name).map_or("unknown".to_owned(), |value| value.to_string());
    let (name, limits, remedy) = match errno {
        libc::EMFILE => (
            "EMFILE",
            here.limit_in_words("RLIMIT_NOFILE"),
            "raise it (ulimit -n): a scenario needs four descriptors for each process, and some thirty beside them",
        ),
        libc::ENFILE => {
            ("ENFILE", format!("fs.file-max is {}", known("fs/file-max")), "close files, or raise fs.file-max (sysctl)")
        }
        libc::EAGAIN => (
            "EAGAIN",
            format!("{}{}", here.limit_in_words("RLIMIT_NPROC"), cgroups_in_words()),
            "raise RLIMIT_NPROC (ulimit -u) and pids.max of the cgroup (docker --pids-limit): a scenario needs a process or thread \
             for each role, and some forty beside them",
        ),
        libc::ENOMEM => (
            "ENOMEM",
            format!("{}, {}", here.limit_in_words("RLIMIT_AS"), here.limit_in_words("RLIMIT_DATA")),
            "raise these (ulimit -v, ulimit -d), or the memory of the cgroup",
        ),
        libc::ENOSPC => (
            "ENOSPC",
            format!(
                "this user has used up its PID or user namespaces here (user.max_pid_namespaces is {}, user.max_user_namespaces {}), or the \
                 maker of a user namespace around has",
                known("user/max_pid_namespaces"),
                known("user/max_user_namespaces")
            ),
            "raise these (sysctl), wait until others have ended, or run at a lower nesting of namespaces",
        ),
        libc::EFBIG => ("EFBIG", here.limit_in_words("RLIMIT_FSIZE"), "raise it (ulimit -f)"),
        _ => return None,
    };
    Some(Unavailable::new(format!("{what}: the kernel answered {name}: {limits}"), remedy))
}

/// `, pids.max 12` for each cgroup that sets one.
fn cgroups_in_words() -> String {
    let now = cgroups::limits();
    let found = if now.is_empty() { &surroundings::at_the_start().cgroups } else { &now };
    found.iter().map(|limit| format!(", {limit}")).collect()
}

/// PID namespaces: more than a scenario can have at once, and as much again.
pub(crate) const NAMESPACES: u64 = 64;

/// What is known here to be too little for any scenario, before anything fails by it.
pub(crate) fn too_little(here: &Surroundings) -> Option<Unavailable> {
    const LEAST: [(&str, u64, &str, &str); 6] = [
        (
            "RLIMIT_NOFILE",
            64,
            "a scenario needs four descriptors for each process, and some thirty beside them",
            "ulimit -n",
        ),
        ("RLIMIT_FSIZE", 4 << 20, "the processes of a scenario share a file of memory", "ulimit -f"),
        ("RLIMIT_AS", 160 << 20, "the stacks of all processes are set aside beforehand", "ulimit -v"),
        ("RLIMIT_DATA", 96 << 20, "the stacks of all processes are set aside beforehand", "ulimit -d"),
        ("RLIMIT_CPU", 2, "a run takes a while", "ulimit -t"),
        ("RLIMIT_STACK", 16 << 10, "the runner needs a stack", "ulimit -s"),
    ];
    for (name, least, why, how) in LEAST {
        let limit = here.limits.iter().find(|limit| limit.name == name);
        // The guard raises its own limit of descriptors as far as it may (`os::most_descriptors`).
        let most = limit.and_then(|limit| if name == "RLIMIT_NOFILE" { limit.hard } else { limit.soft });
        if most.is_some_and(|most| most < least) {
            let reason = format!("{}, and at least {least} are needed: {why}", here.limit_in_words(name));
            return Some(Unavailable::new(reason, format!("raise it ({how})")));
        }
    }
    let most = here.sysctl("user/max_pid_namespaces").filter(|most| *most < NAMESPACES)?;
    Some(Unavailable::new(
        format!("user.max_pid_namespaces is {most}, and at least {NAMESPACES} are needed"),
        "raise user.max_pid_namespaces (sysctl), or run at a lower nesting of namespaces",
    ))
}

/// Whether fewer descriptors may be open than so many processes need: the runner holds some of each, and a process opens a few.
pub(crate) fn too_few_descriptors(processes: usize) -> Option<Unavailable> {
    let needed = 4 * processes as u64 + 40;
    let here = surroundings::at_the_start();
    // As the guard raises the soft one (`os::most_descriptors`).
    let most = here.limits.iter().find(|limit| limit.name == "RLIMIT_NOFILE")?.hard?;
    let reason = format!("a scenario of {processes} processes needs {needed} descriptors: RLIMIT_NOFILE is {most}");
    (most < needed).then(|| Unavailable::new(reason, "raise it (ulimit -Hn)"))
}

/// Who made the call that failed.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    /// Whether its user is the conductor's.
    pub(crate) is_conductors_user: bool,
}

/// The limit that answered a scenario's call with this errno, if one did.
pub(crate) fn answered(syscall: &Syscall, number: i32, caller: Caller) -> Option<Unavailable> {
    let what = || format!("a call of the scenario ({})", name(syscall));
    let elsewhere = |tried: Tried| match tried {
        Tried::Works => None,
        Tried::Fails => limit(&what(), number),
        // Another limit is in the way of asking, and then it may have been in the way of the scenario, too.
        Tried::NotAsked(errno) => limit(&what(), errno).or_else(|| limit(&what(), number)),
    };
    match (syscall, number) {
        // How many queues there are in an IPC namespace, and how many bytes a user has in them (mq_overview(7)).
        (Syscall::MqNotify { .. }, libc::EMFILE | libc::ENOMEM | libc::ENOSPC) => {
            let here = surroundings::at_the_start().limit_in_words("RLIMIT_MSGQUEUE");
            let reason = format!("{}: no message queue could be made: {here}", what());
            Some(Unavailable::new(reason, "raise it (ulimit -q), and fs.mqueue.queues_max (sysctl)"))
        }
        // Nothing that a scenario does uses up descriptors.
        (_, libc::EMFILE | libc::ENFILE) => limit(&what(), number),
        // A full namespace and one whose init has ended answer so, too.
        (Syscall::Clone3 { .. } | Syscall::FailedClone3, libc::EAGAIN | libc::ENOMEM) => {
            elsewhere(a_fork_works(caller))
        }
        (Syscall::Clone3 { flags, .. } | Syscall::Unshare { flags }, libc::ENOSPC) => {
            elsewhere(namespaces_can_be_made(caller, *flags))
        }
        // execve(2) and setuid(2) know one reason each.
        (Syscall::Execve | Syscall::Setuid { .. }, libc::EAGAIN | libc::ENOMEM) => limit(&what(), number),
        (Syscall::RtSigqueueinfo { .. } | Syscall::RtTgsigqueueinfo { .. }, libc::EAGAIN) => {
            let here = surroundings::at_the_start().limit_in_words("RLIMIT_SIGPENDING");
            let reason = format!("{}: the kernel answered EAGAIN: {here}", what());
            Some(Unavailable::new(reason, "raise it (ulimit -i)"))
        }
        _ => None,
    }
}

fn name(syscall: &Syscall) -> &'static str {
    match syscall {
        Syscall::Clone3 { .. } | Syscall::FailedClone3 => "clone3",
        Syscall::Unshare { .. } => "unshare",
        Syscall::Execve => "execve",
        Syscall::Setuid { .. } => "setuid",
        Syscall::MqNotify { .. } => "mq_open",
        Syscall::RtSigqueueinfo { .. } => "rt_sigqueueinfo",
        Syscall::RtTgsigqueueinfo { .. } => "rt_tgsigqueueinfo",
        _ => "of files",
    }
}

/// Whether a process of the same user can make another one in the conductor's own namespace.
fn a_fork_works(caller: Caller) -> Tried {
    in_a_child_as(caller, || match os::fork() {
        Ok(None) => os::exit_now(0),
        Ok(Some((_, child))) => os::exit_status(child.as_raw_fd()) == Some(0),
        Err(_) => false,
    })
}

/// Whether a process of the same user can make such namespaces, below the conductor's own.
fn namespaces_can_be_made(caller: Caller, flags: CloneFlags) -> Tried {
    let wanted = flags.bits() as i32 & (libc::CLONE_NEWPID | libc::CLONE_NEWUSER);
    in_a_child_as(caller, || os::unshare(wanted).err().and_then(|error| error.raw_os_error()) != Some(libc::ENOSPC))
}

/// What came of the same call elsewhere.
enum Tried {
    Works,
    Fails,
    /// No process could be made to try it; with this errno.
    NotAsked(i32),
}

fn in_a_child_as(caller: Caller, works: impl FnOnce() -> bool) -> Tried {
    match os::fork() {
        Ok(None) => {
            let is_other = !caller.is_conductors_user && os::become_user(ANOTHER_USER).is_err();
            // Without such a user there is nothing to be known about its limits.
            os::exit_now(i32::from(!(is_other || works())));
        }
        Ok(Some((_, child))) if os::exit_status(child.as_raw_fd()) == Some(0) => Tried::Works,
        Ok(Some(_)) => Tried::Fails,
        Err(error) => Tried::NotAsked(error.raw_os_error().unwrap_or(libc::EAGAIN)),
    }
}
