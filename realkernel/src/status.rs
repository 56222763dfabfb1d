//! What a wait, and a SIGCHLD, says of a child.

use pidlab_scenario::{ChildStatus, Handled, Signal, WaitStatus};

/// The status of wait4(2), by the macros of wait(2).
pub(crate) fn wait_status(status: i32) -> Option<WaitStatus> {
    let signal = |number: i32| Signal::new(i64::from(number));
    if libc::WIFEXITED(status) {
        u8::try_from(libc::WEXITSTATUS(status)).ok().map(WaitStatus::Exited)
    } else if libc::WIFSIGNALED(status) {
        signal(libc::WTERMSIG(status)).map(WaitStatus::Killed)
    } else if libc::WIFSTOPPED(status) {
        signal(libc::WSTOPSIG(status)).map(WaitStatus::Stopped)
    } else {
        libc::WIFCONTINUED(status).then_some(WaitStatus::Continued)
    }
}

/// The code and status of waitid(2), and of a SIGCHLD.
pub(crate) fn child_status(code: i32, status: i64) -> Option<ChildStatus> {
    match code {
        libc::CLD_EXITED => u8::try_from(status).ok().map(ChildStatus::Exited),
        libc::CLD_KILLED | libc::CLD_DUMPED => Signal::new(status).map(ChildStatus::Killed),
        libc::CLD_STOPPED if status == 0 => Some(ChildStatus::Stopped(None)),
        libc::CLD_STOPPED => Signal::new(status).map(|signal| ChildStatus::Stopped(Some(signal))),
        // What PTRACE_SEIZE adds, that a stop is one of an event, is left out: wait4(2) has it in a byte of its own.
        libc::CLD_TRAPPED if status & 0x7f == 0 => Some(ChildStatus::Trapped(None)),
        libc::CLD_TRAPPED => Signal::new(status & 0x7f).map(|signal| ChildStatus::Trapped(Some(signal))),
        libc::CLD_CONTINUED => Some(ChildStatus::Continued),
        _ => None,
    }
}

/// What a signal told: its number, `si_pid`, `si_code`, `si_status`. Nothing if that is no signal.
pub(crate) fn handled(signal: i64, sender: i32, code: i32, status: i64) -> Option<Handled> {
    let signal = Signal::new(signal)?;
    // Of other signals the code may mean something else.
    let child = if signal == Signal::CHLD { child_status(code, status) } else { None };
    Some(Handled { signal, si_pid: u32::try_from(sender).ok()?, child })
}
