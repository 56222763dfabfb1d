//! What a kernel is like, found out by behaviour: one function for each [`Fact`].
//!
//! The conductor asks once, before the first scenario. Each question is put to a process of its own that ends with the answer;
//! all of them together take about two milliseconds. A question that the kernel does not even let be put (an old kernel, a
//! sandbox) is answered with no.

mod calls;
mod children;
mod memory;
mod signals;

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering;

use pidlab_scenario::{ANOTHER_USER, CloneFlags, Fact, Facts, LEAST_PID_MAX};

pub(crate) use self::calls::{RefusedCalls, bpf_comes_through};
use self::children::{answer_of_a_child, await_the_leaders_end, child, end_by, in_a_child, thread, wait_for_ever};
use crate::agent;
use crate::blame;
use crate::sys::arena;
use crate::sys::raw::{self, Raw};
use crate::sys::{looking, os};
use crate::trouble::Trouble;

/// Every fact of the kernel at hand.
///
/// # Errors
/// A limit that did not let a question be put: the answer would be its own.
pub(crate) fn facts() -> Result<Facts, Trouble> {
    children::note_limits();
    let facts = as_answered();
    let limit = children::noted_limit()
        .and_then(|errno| blame::limit("what it takes to ask the kernel could not be made", errno));
    limit.map_or(Ok(facts), |limit| Err(limit.into()))
}

fn as_answered() -> Facts {
    let newest = Facts::newest().with_levels_above(levels_above_host());
    let facts = Fact::ALL.iter().fold(newest, |facts, fact| {
        let holds = match fact {
            Fact::PidMaxPerNamespace => pid_max_has_an_owner(),
            Fact::PidfdOpenThreadIsEnoent => pidfd_open_thread_is_enoent(),
            Fact::PidfdHangsUp => pidfd_hangs_up(),
            Fact::PidTranslation => pid_translation(),
            Fact::LastThreadStatus => last_thread_status(),
            Fact::SetTidCheckedFirst => set_tid_checked_first(),
            Fact::PidForChildrenBeforeInit => pid_for_children_before_init(),
            Fact::FirstForkMayFail => first_fork_may_fail(),
            Fact::PidfdNamespaces => pidfd_namespaces(),
            Fact::PidfdAccessFirst => pidfd_access_first(),
            Fact::PidfdInfo => pidfd_info(),
            Fact::PidfdInfoIsRemote => pidfd_info_is_remote(),
            Fact::ProcfsPidns => procfs_pidns(),
            Fact::AnotherUser => another_user(),
            Fact::UserNamespaces => user_namespaces(),
            Fact::MachineRoot => machine_root(),
            Fact::ClosedAfterDeath => closed_after_death(),
            Fact::CloneAutoreap => clone_autoreap(),
            Fact::PidfdAutokill => pidfd_autokill(),
            Fact::InitThreadsSpared => signals::init_threads_spared(),
            Fact::SenderForEach => signals::sender_for_each(),
            Fact::SenderTranslated => signals::sender_translated(),
            Fact::SigchldTellsProcess => signals::sigchld_tells_process(),
            Fact::NsLastPid => fs::metadata(NS_LAST_PID).is_ok(),
            Fact::ChildrenFile => fs::metadata("/proc/thread-self/children").is_ok(),
            Fact::PidfdThread => os::thread_pidfd(raw::plain(libc::SYS_gettid, [0; 4]) as i32).is_some(),
            Fact::PidfdExit => pidfd_exit(),
            Fact::PidfdInfoOfGuest => pidfd_info_of_guest(),
            Fact::CoreDumpAlone => memory::core_dump_alone(),
            Fact::PutInPlace => signals::put_in_place(),
            Fact::EndedThreadDeaf => signals::ended_thread_deaf(),
            Fact::ExecHandsOn => memory::exec_hands_on(),
            Fact::ThirtyLevels => return facts,
        };
        facts.with(*fact, holds)
    });
    facts.with_least_pid_max(least_pid_max())
}

/// Whether a child that is made with `CLONE_AUTOREAP` leaves nothing to wait for (kernel/signal.c, `do_notify_parent`).
fn clone_autoreap() -> bool {
    in_a_child(|| {
        let made = raw::fork_with(CloneFlags::CLONE_AUTOREAP.bits());
        if made == 0 {
            os::exit_now(0);
        }
        // It sleeps until the child has ended, and then there is none.
        made > 0 && raw::wait4(-1, libc::__WALL as u32).0 == -(libc::ECHILD as Raw)
    })
}

/// Whether a child can be made that is killed when the pidfd is closed that comes with it (fs/pidfs.c, `pidfs_file_release`).
fn pidfd_autokill() -> bool {
    in_a_child(|| {
        let flags = CloneFlags::CLONE_AUTOREAP | CloneFlags::CLONE_PIDFD_AUTOKILL;
        let (made, pidfd) = raw::fork_with_pidfd(flags.bits());
        if made == 0 {
            wait_for_ever(0);
        }
        if made < 0 {
            return false;
        }
        raw::plain(libc::SYS_close, [pidfd as usize, 0, 0, 0]);
        // It sleeps until the child has ended, and then there is none.
        raw::wait4(-1, libc::__WALL as u32).0 == -(libc::ECHILD as Raw)
    })
}

const PID_MAX: &str = "/proc/sys/kernel/pid_max";
const NS_LAST_PID: &str = "/proc/sys/kernel/ns_last_pid";

/// What no `pid_max` exceeds (include/linux/threads.h, `PID_MAX_LIMIT`).
const MOST_PID_MAX: u32 = 4 << 20;

/// Whether who has the capabilities over a PID namespace, but is not root of the machine, may open its `pid_max` for writing: only
/// where each namespace has one (kernel/pid.c, `pid_table_root_permissions`). Elsewhere the machine's root may, and nobody else
/// (kernel/sysctl, `test_perm`), so root must not be the one who asks. Nothing is written.
fn pid_max_has_an_owner() -> bool {
    // As another user that keeps its capabilities, where there is another user.
    match answer_of_a_child(|| keep_capabilities_as_another_user().then(may_write_pid_max)) {
        Some(answer) => answer,
        // Whether this user is the machine's root cannot be known in a user namespace. If it is, then it needs no capability where
        // there is one value for all.
        None => in_a_child(may_write_pid_max) && in_a_child(is_closed_without_capabilities),
    }
}

fn may_write_pid_max() -> bool {
    fs::OpenOptions::new().write(true).open(PID_MAX).is_ok()
}

fn keep_capabilities_as_another_user() -> bool {
    const SECBIT_NO_SETUID_FIXUP: usize = 1 << 2;
    os::prctl(libc::PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP).is_ok() && os::become_user(ANOTHER_USER).is_ok()
}

/// Whether the `pid_max` of a namespace that belongs to a user namespace without users is closed to who has no capabilities there.
/// Such a one is neither its owner nor in its group, whoever it is outside.
fn is_closed_without_capabilities() -> bool {
    os::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID).is_ok()
        && in_a_child(|| os::drop_capabilities().is_ok() && !may_write_pid_max())
}

/// The least `pid_max` that may be written (kernel/pid.c, `pid_max_min`). It is found by writing that of a namespace made for it, as a
/// user who could write no other. Where there is no such user it is what the kernel makes of its processors at boot (`pid_idr_init`).
fn least_pid_max() -> u32 {
    arena::slot(0).value.store(0, Ordering::Relaxed);
    let found = in_a_child(|| {
        os::unshare(libc::CLONE_NEWPID).is_ok()
            && in_a_child(|| {
                let least = if keep_capabilities_as_another_user() { least_that_is_taken() } else { 0 };
                arena::slot(0).value.store(i64::from(least), Ordering::Relaxed);
                least > 0
            })
    });
    let least = u32::try_from(arena::slot(0).value.load(Ordering::Relaxed)).ok().filter(|_| found);
    least.unwrap_or_else(|| LEAST_PID_MAX.max(8 * possible_cpus()))
}

/// `pid_max` as this process sees it.
pub(crate) fn pid_max() -> Option<i64> {
    fs::read_to_string(PID_MAX).ok()?.trim().parse().ok()
}

/// Gives this process's namespace a `pid_max` that is another than this one, and that binds nobody. Where there is another user, it is
/// that one who writes, as in [`least_pid_max`]; else it is the user of the conductor's own user namespace.
pub(crate) fn mark_pid_max(other_than: i64) -> bool {
    let mark = i64::from(MOST_PID_MAX) - if other_than == i64::from(MOST_PID_MAX) - 1 { 2 } else { 1 };
    let writes = || fs::write(PID_MAX, mark.to_string()).is_ok();
    answer_of_a_child(|| keep_capabilities_as_another_user().then(writes)).unwrap_or_else(writes)
}

/// The least value that `pid_max` takes, or 0 if it takes none.
fn least_that_is_taken() -> u32 {
    let is_taken = |value: u32| fs::write(PID_MAX, value.to_string()).is_ok();
    let (mut refused, mut taken) = (0, MOST_PID_MAX);
    if !is_taken(taken) {
        return 0;
    }
    while refused + 1 < taken {
        let middle = u32::midpoint(refused, taken);
        if is_taken(middle) { taken = middle } else { refused = middle }
    }
    taken
}

/// How many processors the kernel has made room for (Documentation/admin-guide/cputopology.rst): ranges like `0-3,8`.
fn possible_cpus() -> u32 {
    let list = fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<u32>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    list.trim().split(',').filter_map(count).sum()
}

/// pidfd_open(2) of a thread that is no leader: `ENOENT` (kernel/fork.c, `pidfd_prepare`), on older kernels `EINVAL`.
fn pidfd_open_thread_is_enoent() -> bool {
    in_a_child(|| {
        let thread = thread(wait_for_ever);
        let opened = raw::plain(libc::SYS_pidfd_open, [thread.max(0) as usize, 0, 0, 0]);
        thread > 0 && opened == -(libc::ENOENT as Raw)
    })
}

/// poll(2) of the pidfd of a reaped process says `POLLHUP` (fs/pidfs.c, `pidfd_poll`).
fn pidfd_hangs_up() -> bool {
    let Ok(Some((_, child))) = child(|| 0) else { return false };
    os::reap_pidfd(child.as_fd()).is_ok()
        && os::poll([(child.as_fd(), libc::POLLIN)], 0).is_ok_and(|[events]| events & libc::POLLHUP != 0)
}

/// The translation ioctls of a PID namespace exist (fs/nsfs.c, `ns_ioctl`): 1 is 1 in one's own.
fn pid_translation() -> bool {
    fs::File::open("/proc/self/ns/pid").is_ok_and(|own| looking::number_in(own.as_raw_fd() as Raw, 1) == 1)
}

/// A process whose leader ends first, with 1, and whose last thread then ends with 2, has ended with 2 (kernel/exit.c,
/// `synchronize_group_exit`).
fn last_thread_status() -> bool {
    let Ok(Some((_, child))) = child(|| end_by(end_after_the_leader)) else { return false };
    os::exit_status(child.as_raw_fd()) == Some(2)
}

/// `set_tid` with a number that is taken, and beside it one that is invalid: `EEXIST` where one namespace is done after the
/// other, `EINVAL` where all are checked first (kernel/pid.c, `alloc_pid`). 1 is taken by the conductor itself, and 0 is no
/// number, so no process can come of it.
fn set_tid_checked_first() -> bool {
    let refused = |set_tid: &[i32]| -(agent::make(0, 0, libc::SIGCHLD as u64, set_tid)) as i32;
    (refused(&[1]), refused(&[1, 0])) == (libc::EEXIST, libc::EINVAL)
}

/// `pid_for_children` leads to a namespace that has no process yet (kernel/pid_namespace.c, `pidns_for_children_get`).
fn pid_for_children_before_init() -> bool {
    in_a_child(|| os::unshare(libc::CLONE_NEWPID).is_ok() && fs::metadata("/proc/self/ns/pid_for_children").is_ok())
}

/// After a first fork that failed late another one is born in the unshared namespace (kernel/pid.c, `free_pid`).
fn first_fork_may_fail() -> bool {
    in_a_child(|| {
        os::unshare(libc::CLONE_NEWPID).is_ok()
            && raw::failed_fork() == -(libc::EFAULT as Raw)
            && child(|| 0).is_ok_and(|child| child.is_some_and(|(_, child)| os::reap_pidfd(child.as_fd()).is_ok()))
    })
}

/// A pidfd gives namespaces (fs/pidfs.c, `pidfd_ioctl`).
fn pidfd_namespaces() -> bool {
    let own = own_pidfd();
    let namespace = looking::for_children_of(own);
    for descriptor in [own, namespace].into_iter().filter(|descriptor| *descriptor >= 0) {
        raw::plain(libc::SYS_close, [descriptor as usize, 0, 0, 0]);
    }
    namespace >= 0
}

/// Of a process that has ended it gives none, and who might not look into that process is told this instead (fs/pidfs.c, `pidfd_ioctl`).
fn pidfd_access_first() -> bool {
    in_a_child(|| {
        let Ok(Some((_, ended))) = child(|| 0) else { return false };
        let has_ended = os::poll([(ended.as_fd(), libc::POLLIN)], -1).is_ok();
        let asks = || {
            let is_a_stranger = os::unshare(libc::CLONE_NEWUSER).is_ok() || become_another_user();
            is_a_stranger && looking::for_children_of(ended.as_raw_fd() as Raw) == -(libc::EACCES as Raw)
        };
        has_ended && in_a_child(asks)
    })
}

fn own_pidfd() -> Raw {
    let own = raw::plain(libc::SYS_getpid, [0; 4]);
    raw::plain(libc::SYS_pidfd_open, [own as usize, 0, 0, 0])
}

/// A pidfd says who its process is (fs/pidfs.c, `pidfd_info`): also of one that has ended.
fn pidfd_info() -> bool {
    let Ok(Some((number, child))) = child(|| 0) else { return false };
    let (result, [pid, ..]) = looking::pidfd_info(child.as_raw_fd() as Raw);
    os::reap_pidfd(child.as_fd()).is_ok() && result == 0 && i64::from(pid) == i64::from(number)
}

/// It also says how a process ended that is reaped (fs/pidfs.c, `pidfs_exit`).
fn pidfd_exit() -> bool {
    const STATUS: i32 = 3;
    let Ok(Some((_, child))) = child(|| STATUS) else { return false };
    let reaped = os::reap_pidfd(child.as_fd()).is_ok();
    let (result, given, status) = looking::pidfd_exit(child.as_raw_fd() as Raw);
    reaped && result == 0 && given & looking::PIDFD_INFO_EXIT != 0 && libc::WEXITSTATUS(status) == STATUS
}

/// Of a process that the asker cannot see it says `EREMOTE` (fs/pidfs.c, `pidfd_info`), on older kernels `ESRCH`.
fn pidfd_info_is_remote() -> bool {
    in_a_child(|| {
        let pidfd = own_pidfd();
        let asks = || looking::pidfd_info(pidfd).0 == -(libc::EREMOTE as Raw);
        pidfd >= 0 && os::unshare(libc::CLONE_NEWPID).is_ok() && in_a_child(asks)
    })
}

/// It also tells of a process whose parent the asker cannot see (fs/pidfs.c, `pidfd_info`): here the asker itself, whose parent
/// stayed outside, and which is not the init.
fn pidfd_info_of_guest() -> bool {
    in_a_child(|| {
        let init = if os::unshare(libc::CLONE_NEWPID).is_ok() { child(|| wait_for_ever(0)) } else { Ok(None) };
        let Ok(Some((_, init))) = init else { return false };
        let told = in_a_child(|| looking::pidfd_info(own_pidfd()).0 == 0);
        os::kill_pidfd(init.as_raw_fd());
        told && os::reap_pidfd(init.as_fd()).is_ok()
    })
}

/// A procfs can be mounted for a chosen namespace (fs/proc/root.c, `proc_parse_pidns_param`).
fn procfs_pidns() -> bool {
    let Ok(own) = fs::File::open("/proc/self/ns/pid") else { return false };
    let mounted = looking::procfs_of(Some(own.as_raw_fd() as Raw));
    if mounted >= 0 {
        raw::plain(libc::SYS_close, [mounted as usize, 0, 0, 0]);
    }
    mounted >= 0
}

/// There is a second user to become.
fn another_user() -> bool {
    in_a_child(become_another_user)
}

fn become_another_user() -> bool {
    raw::plain(libc::SYS_setuid, [ANOTHER_USER as usize, 0, 0, 0]) == 0
}

/// Processes can make user namespaces, and have capabilities there: also those of the second user, if there is one.
fn user_namespaces() -> bool {
    let makes_both = || os::unshare(libc::CLONE_NEWUSER).is_ok() && os::unshare(libc::CLONE_NEWPID).is_ok();
    in_a_child(makes_both) && (!another_user() || in_a_child(|| become_another_user() && makes_both()))
}

/// A process of the second user cannot look into its own child that has ended, because root's memory was copied into it
/// (kernel/ptrace.c, `__ptrace_may_access`): `EPERM`, where others only find that it has ended. Without a second user there is
/// no such child, and nothing to tell.
fn closed_after_death() -> bool {
    let refuses = || {
        let child = if become_another_user() { child(|| 0) } else { Ok(None) };
        let Ok(Some((_, child))) = child else { return false };
        let ended = os::poll([(child.as_fd(), libc::POLLIN)], -1).is_ok();
        let joined = raw::plain(libc::SYS_setns, [child.as_raw_fd() as usize, libc::CLONE_NEWPID as usize, 0, 0]);
        ended && joined == -(libc::EPERM as Raw)
    };
    !another_user() || in_a_child(refuses)
}

/// Root may look into who has ended, and had closed its memory before (kernel/ptrace.c, `task_still_dumpable`): it is told that there are no
/// namespaces any more, and not that it may not know. Kernels that forget with the memory that it was closed say so to everybody.
fn machine_root() -> bool {
    let ended = child(|| os::prctl(libc::PR_SET_DUMPABLE, 0).map_or(1, |()| 0));
    let Ok(Some((_, ended))) = ended else { return false };
    let has_ended = os::poll([(ended.as_fd(), libc::POLLIN)], -1).is_ok();
    let joined = raw::plain(libc::SYS_setns, [ended.as_raw_fd() as usize, libc::CLONE_NEWPID as usize, 0, 0]);
    os::reap_pidfd(ended.as_fd()).is_ok() && has_ended && joined == -(libc::ESRCH as Raw)
}

/// Whether signals can take their information along: as many at once as a scenario may have, and more (`RLIMIT_SIGPENDING`). What a user's
/// other processes have pending counts, too.
pub(crate) fn signals_can_queue() -> bool {
    const ENOUGH: usize = 64;
    const REAL_TIME: i32 = 34;
    in_a_child(|| {
        raw::sigprocmask(libc::SIG_BLOCK, REAL_TIME);
        let own = raw::plain(libc::SYS_getpid, [0; 4]) as i32;
        let told = raw::Siginfo::said(REAL_TIME, libc::SI_QUEUE, own);
        (0..ENOUGH).all(|_| raw::sigqueue(own, REAL_TIME, &told) != -(libc::EAGAIN as Raw))
    })
}

/// How many namespaces are around a scenario's outermost one, which is one below this process's: the limit is 32 below the machine's
/// first (kernel/pid_namespace.c, `MAX_PID_NS_LEVEL`), and they are made here one in the other until the kernel refuses.
///
/// With the same errno a user is refused who may have no more of them, however deep (user.max_pid_namespaces). So a neighbour makes one
/// while the others are there: what refuses that, too, is noted as a limit.
fn levels_above_host() -> u32 {
    const DEEPEST: u32 = 32;
    const PATIENCE_MS: i32 = 20_000;
    let Ok((mut asked, ask)) = io::pipe() else { return DEEPEST };
    let mut ask = Some(ask);
    let neighbour = child(|| {
        ask.take();
        let refused = asked.read_exact(&mut [0]).and_then(|()| os::unshare(libc::CLONE_NEWPID));
        children::note_if_full(refused);
        0
    });
    let (Ok(Some((_, neighbour))), Some(mut ask)) = (neighbour, ask) else { return DEEPEST };
    let first = child(|| {
        let refused = || {
            let asked = ask.write_all(&[0]);
            let _ = asked.and_then(|()| os::poll([(neighbour.as_fd(), libc::POLLIN)], PATIENCE_MS));
        };
        nest(0, refused)
    });
    let below = first.ok().flatten().and_then(|(_, first)| os::exit_status(first.as_raw_fd()));
    drop(ask);
    let _ = os::reap_pidfd(neighbour.as_fd());
    let below = below.and_then(|levels| u32::try_from(levels).ok()).unwrap_or(0);
    (DEEPEST + 1).saturating_sub(below).min(DEEPEST)
}

/// Makes a namespace with a process in it that does the same, and answers how deep that went.
fn nest(depth: i32, mut refused: impl FnMut()) -> i32 {
    if os::unshare(libc::CLONE_NEWPID).is_err() {
        refused();
        return depth;
    }
    match child(|| nest(depth + 1, refused)) {
        Ok(Some((_, child))) => os::exit_status(child.as_raw_fd()).unwrap_or(depth),
        _ => depth,
    }
}

extern "C" fn end_after_the_leader(_: usize) -> ! {
    await_the_leaders_end();
    loop {
        raw::plain(libc::SYS_exit, [2, 0, 0, 0]);
    }
}
