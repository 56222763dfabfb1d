//! What a kernel does with signals: the questions of [`facts`](super::facts) that are put by sending one.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering;

use super::children::{await_the_leaders_end, child, end_by, in_a_child, thread, wait_for_ever};
use crate::asleep::Witness;
use crate::quiet;
use crate::sight::Sight;
use crate::sys::raw::{self, Raw, Siginfo};
use crate::sys::{arena, looking, os};

/// An init with two threads, of which one blocks SIGTERM, lives on when a process of its namespace sends it one (kernel/signal.c,
/// `complete_signal`). Elsewhere it is killed before the sender's end can be reaped: it never comes to its own.
pub(super) fn init_threads_spared() -> bool {
    let init = || {
        let thread = thread(wait_for_ever);
        raw::sigprocmask(libc::SIG_BLOCK, libc::SIGTERM);
        let sent = child(|| raw::plain(libc::SYS_kill, [1, libc::SIGTERM as usize, 0, 0]) as i32);
        let Ok(Some((_, sender))) = sent else { return false };
        os::exit_status(sender.as_raw_fd()) == Some(0) && thread > 0
    };
    in_a_child(|| os::unshare(libc::CLONE_NEWPID).is_ok() && in_a_child(init))
}

/// A receiver that cannot see the sender of kill(2), the newest member of the group and so the first to be signalled, leaves the
/// sender's number alone for the next (kernel/signal.c, `__kill_pgrp_info`, `send_signal_locked`).
pub(super) fn sender_for_each() -> bool {
    in_a_child(|| {
        let own = raw::plain(libc::SYS_getpid, [0; 4]);
        in_own_group(|| {
            let Ok(Some((_, guest))) = child(|| wait_for_ever(0)) else { return None };
            raw::plain(libc::SYS_kill, [0, libc::SIGUSR1 as usize, 0, 0]);
            os::kill_pidfd(guest.as_raw_fd());
            os::reap_pidfd(guest.as_fd()).ok()
        })
        .is_some_and(|(told, ())| told.pid as Raw == own)
    })
}

/// Whoever sends a signal out of its namespace is named by its number outside (kernel/signal.c, `send_signal_locked`), on older
/// kernels by the one that it knows itself.
pub(super) fn sender_translated() -> bool {
    in_a_child(|| {
        in_own_group(|| {
            let signals = || raw::plain(libc::SYS_kill, [0, libc::SIGUSR1 as usize, 0, 0]) as i32;
            let Ok(Some((number, guest))) = child(signals) else { return None };
            os::reap_pidfd(guest.as_fd()).ok().map(|()| number)
        })
        .is_some_and(|(told, number)| told.pid == number)
    })
}

/// A tracer puts SIGTERM, which the tracee blocks and which is pending for its process, in the place of a signal of the process: there it is
/// lost, where it is put in for the thread there are two (kernel/signal.c, `ptrace_signal`). Where nobody may trace there is nothing to tell.
pub(super) fn put_in_place() -> bool {
    const PUT: usize = libc::SIGTERM as usize;
    let tracee = || {
        raw::sigprocmask(libc::SIG_BLOCK, libc::SIGTERM);
        let own = raw::plain(libc::SYS_getpid, [0; 4]) as usize;
        let traced = raw::plain(libc::SYS_ptrace, [libc::PTRACE_TRACEME as usize, 0, 0, 0]) == 0;
        for signal in [PUT, libc::SIGUSR1 as usize].into_iter().take(1 + usize::from(traced)) {
            raw::plain(libc::SYS_kill, [own, signal, 0, 0]);
        }
        let takes = || looking::take_signal(libc::SIGTERM).0 == libc::SIGTERM as Raw;
        i32::from(takes() && takes())
    };
    let Ok(Some((number, tracee))) = child(tracee) else { return true };
    let is_held = raw::plain(libc::SYS_wait4, [number as usize, 0, 0, 0]) == number as Raw;
    let put = raw::plain(libc::SYS_ptrace, [libc::PTRACE_CONT as usize, number as usize, 0, PUT]) == 0;
    !(is_held && put) || os::exit_status(tracee.as_raw_fd()) != Some(1)
}

/// A stop signal for a thread that has ended, the first one of a process that lives, leaves a SIGCONT pending that another thread blocks
/// (kernel/signal.c, `prepare_signal`).
pub(super) fn ended_thread_deaf() -> bool {
    in_a_child(|| {
        raw::sigprocmask(libc::SIG_BLOCK, libc::SIGCONT);
        without_its_leader(stops_its_leader) == Some(0)
    })
}

extern "C" fn stops_its_leader(_: usize) -> ! {
    await_word_to_end();
    let own = raw::plain(libc::SYS_getpid, [0; 4]) as usize;
    raw::plain(libc::SYS_kill, [own, libc::SIGCONT as usize, 0, 0]);
    raw::plain(libc::SYS_tgkill, [own, own, libc::SIGSTOP as usize, 0]);
    let is_left = looking::take_signal(libc::SIGCONT).0 == libc::SIGCONT as Raw;
    end_process(usize::from(!is_left))
}

/// The status with which a process ends whose first thread is a zombie before another one does this, which begins with [`await_word_to_end`].
fn without_its_leader(life: extern "C" fn(usize) -> !) -> Option<i32> {
    let may_end = &arena::slot(0).taken;
    may_end.store(0, Ordering::Release);
    let (number, child) = child(|| end_by(life)).ok()??;
    let is_zombie = || Sight::by_files(number, Witness::Place).is_ok_and(|it| it.is_zombie(number));
    quiet::until("a first thread did not end", is_zombie).ok()?;
    may_end.store(1, Ordering::Release);
    raw::futex_wake(may_end);
    os::exit_status(child.as_raw_fd())
}

fn await_word_to_end() {
    await_the_leaders_end();
    let may_end = &arena::slot(0).taken;
    while may_end.load(Ordering::Acquire) == 0 {
        raw::futex_wait(may_end, 0);
    }
}

fn end_process(status: usize) -> ! {
    loop {
        raw::plain(libc::SYS_exit_group, [status, 0, 0, 0]);
    }
}

/// What SIGUSR1 says that a group gets, of which this process is the first, and whose other members are born in a new namespace.
fn in_own_group<T>(sends: impl FnOnce() -> Option<T>) -> Option<(Siginfo, T)> {
    raw::sigprocmask(libc::SIG_BLOCK, libc::SIGUSR1);
    let alone = raw::plain(libc::SYS_setpgid, [0; 4]) == 0 && os::unshare(libc::CLONE_NEWPID).is_ok();
    let sent = if alone { sends() } else { None }?;
    let (signal, told) = looking::take_signal(libc::SIGUSR1);
    (signal == libc::SIGUSR1 as Raw).then_some((told, sent))
}

/// A process whose first thread ends with 1, and which another one then ends with 2, tells 2 to its parent's handler, as to its
/// wait (kernel/signal.c, `do_notify_parent`).
pub(super) fn sigchld_tells_process() -> bool {
    in_a_child(|| {
        raw::sigprocmask(libc::SIG_BLOCK, libc::SIGCHLD);
        // Until the first thread is a zombie it is itself who tells the parent in the end, and then it is its own status on every kernel.
        let status = without_its_leader(ends_the_process);
        let (signal, told) = looking::take_signal(libc::SIGCHLD);
        status == Some(2) && signal == libc::SIGCHLD as Raw && told.status == 2
    })
}

extern "C" fn ends_the_process(_: usize) -> ! {
    await_word_to_end();
    end_process(2)
}
