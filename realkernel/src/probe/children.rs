//! Processes and threads that questions are put to.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use crate::sys::arena::{self, STACK};
use crate::sys::os;
use crate::sys::raw::{self, CloneArgs, Raw};

/// Ends this thread, the leader, with 1, and leaves another one behind.
pub(super) fn end_by(other: extern "C" fn(usize) -> !) -> i32 {
    // The kernel clears the word when the leader is past the place that notes a status (kernel/fork.c, `mm_release`).
    arena::slot(0).command.store(1, Ordering::Release);
    raw::set_tid_address(&arena::slot(0).command);
    if thread(other) > 0 {
        raw::plain(libc::SYS_exit, [1, 0, 0, 0]);
    }
    1
}

/// What a question gets as its answer in a child process. No answer is a no.
pub(super) fn in_a_child(question: impl FnOnce() -> bool) -> bool {
    answer_of_a_child(|| Some(question())).unwrap_or(false)
}

/// The same, where there may be no answer.
pub(super) fn answer_of_a_child(question: impl FnOnce() -> Option<bool>) -> Option<bool> {
    let answered = child(|| question().map_or(2, |answer| i32::from(!answer)));
    match answered.ok()?.and_then(|(_, child)| os::exit_status(child.as_raw_fd()))? {
        0 => Some(true),
        1 => Some(false),
        _ => None,
    }
}

/// Makes a process that ends with what `life` gives.
pub(super) fn child(life: impl FnOnce() -> i32) -> io::Result<Option<(i32, OwnedFd)>> {
    let child = os::fork().inspect_err(|error| note(error.raw_os_error()))?;
    if child.is_none() {
        os::exit_now(life());
    }
    Ok(child)
}

/// Notes what a limit refused, wherever: then the answers are not the kernel's. Of what the guard asks, before there is memory to note it in, a refusal is an answer.
fn note(errno: Option<i32>) {
    const LIMITS: [i32; 3] = [libc::EAGAIN, libc::EMFILE, libc::ENFILE];
    if let Some(errno) = errno.filter(|errno| LIMITS.contains(errno) && arena::is_made()) {
        arena::slot(0).code.store(errno, Ordering::Relaxed);
    }
}

/// Notes that this user may have no more namespaces.
pub(super) fn note_if_full(made: io::Result<()>) {
    let errno = made.err().and_then(|error| error.raw_os_error());
    if errno == Some(libc::ENOSPC) {
        arena::slot(0).code.store(libc::ENOSPC, Ordering::Relaxed);
    }
}

/// Begins to note.
pub(super) fn note_limits() {
    arena::slot(0).code.store(0, Ordering::Relaxed);
}

/// The errno with which a limit refused a process, a thread or a namespace since then, if one did.
pub(super) fn noted_limit() -> Option<i32> {
    Some(arena::slot(0).code.load(Ordering::Relaxed)).filter(|errno| *errno > 0)
}

/// Makes a thread of this process, on the stack of host: there is none yet, and this is a copy.
pub(super) fn thread(life: extern "C" fn(usize) -> !) -> Raw {
    let shared = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_SYSVSEM;
    in_this_memory(shared | libc::CLONE_THREAD, 0, 0, life)
}

/// Makes somebody in the memory of this process, on the stack of a role that there is none of yet.
pub(super) fn in_this_memory(flags: i32, exit_signal: i32, role: usize, life: extern "C" fn(usize) -> !) -> Raw {
    let arguments = CloneArgs {
        flags: (flags | libc::CLONE_VM) as u64,
        exit_signal: exit_signal as u64,
        stack: arena::stack(role) as u64,
        stack_size: STACK as u64,
        ..CloneArgs::default()
    };
    let made = raw::clone3_agent(&arguments, life, role);
    note(i32::try_from(-made).ok());
    made
}

/// Ends with its process.
pub(super) extern "C" fn wait_for_ever(_: usize) -> ! {
    loop {
        raw::plain(libc::SYS_ppoll, [0, 0, 0, 0]);
    }
}

pub(super) fn await_the_leaders_end() {
    let leader_lives = &arena::slot(0).command;
    while leader_lives.load(Ordering::Acquire) != 0 {
        raw::futex_wait(leader_lives, 1);
    }
}
