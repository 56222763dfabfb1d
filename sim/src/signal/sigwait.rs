//! Signals that are taken without a handler: sigtimedwait(2), and signalfd(2).
//!
//! Who wants that blocks the signals first, so that they wait for it. While it sleeps they are unblocked, or nobody would wake it; but for
//! the senders it still blocks them, so they are neither ignored nor fatal (`real_blocked`).
//!
//! In the kernel: kernel/signal.c:do_sigtimedwait; fs/signalfd.c:signalfd_dequeue.

use pidlab_scenario::{Errno, Signal};

use super::action::set_current_blocked;
use super::pending::{recalc_sigpending, signal_wake_up};
use crate::objects::ids::TaskId;
use crate::objects::sigpending::{SigSet, To, is_kernel_only};
use crate::objects::task::{At, TaskFlags};
use crate::world::{Handled, InCall, Return, World};
use crate::{Next, rule};

/// sigtimedwait(2), without a timeout or with one of zero. `Ok(None)`: the caller sleeps in it.
///
/// # Errors
/// `EAGAIN`: none of the signals waits, and the caller does not.
///
/// # References
/// kernel/signal.c:do_sigtimedwait
pub(crate) fn do_sigtimedwait(
    w: &mut World,
    caller: TaskId,
    signals: &[Signal],
    waits: bool,
) -> Result<Option<Handled>, Errno> {
    w.because(&rule::SIG_WAIT_TAKES, caller);
    let mut set = SigSet::EMPTY;
    for signal in signals.iter().filter(|signal| !is_kernel_only(**signal)) {
        set.insert(*signal);
    }
    let taken = take(w, caller, set);
    if taken.is_none() && waits {
        w.because(&rule::SIG_WAIT_BLOCKS, caller);
        let real_blocked = w.task(caller).blocked;
        w.task_mut(caller).blocked = real_blocked.without(set);
        recalc_sigpending(w, caller);
        w.enter(caller, At::Sigwait, InCall::Sigwait { set, real_blocked });
    }
    if w.task(caller).has(TaskFlags::SIGPENDING) {
        // There is another signal, of which the caller may only now have been told.
        signal_wake_up(w, caller, false);
    }
    if taken.is_none() && !waits {
        w.because(&rule::SIG_WAIT_NOTHING, caller);
        return Err(Errno::EAGAIN);
    }
    Ok(taken)
}

/// Waked, it takes what there is; nothing, and something else has waked it.
pub(crate) fn go_on(w: &mut World, caller: TaskId) -> Next {
    let Some(InCall::Sigwait { set, real_blocked }) = w.calls.get(&caller) else { unreachable!("it is in a sigwait") };
    let (set, real_blocked) = (*set, *real_blocked);
    set_current_blocked(w, caller, real_blocked);
    let taken = take(w, caller, set);
    if taken.is_none() {
        w.because(&rule::SIG_WAIT_EINTR, caller);
    }
    w.enter(caller, At::Returning, InCall::Returning(Return::Signal(taken.ok_or(Errno::EINTR))));
    Next::GoesOn
}

/// Whether a thread sleeps until a signal comes that it blocks otherwise.
pub(crate) fn is_awaited(w: &World, signal: Signal, thread: TaskId) -> bool {
    if w.task(thread).at != At::Sigwait {
        return false;
    }
    matches!(w.calls.get(&thread), Some(InCall::Sigwait { real_blocked, .. }) if real_blocked.contains(signal))
}

/// Takes the next signal of a set, those for the thread first.
///
/// # References
/// kernel/signal.c:dequeue_signal
fn take(w: &mut World, task: TaskId, set: SigSet) -> Option<Handled> {
    let others = set.complement();
    let (own, shared) = (w.queue(task, To::Thread), w.queue(task, To::Process));
    let info = w.pending.dequeue(own, others).or_else(|| w.pending.dequeue(shared, others));
    recalc_sigpending(w, task);
    let info = info?;
    if w.is_unkillable(task) {
        w.because(&rule::SIG_WAIT_BY_INIT, task);
    }
    Some(Handled { signal: info.signal, si_pid: info.si_pid, child: info.child })
}
