//! Small settings: who adopts, what comes at the parent's end, and the numbers a task has for itself and its parent.
//!
//! In the kernel: kernel/sys.c.

use pidlab_scenario::Signal;

use crate::objects::ids::{NsId, TaskId};
use crate::objects::pid::Nr;
use crate::objects::signal_struct::SignalFlags;
use crate::pid::{own_number, task_pid_nr_ns, task_tgid_nr_ns};
use crate::world::World;
use crate::{Misconception, rule};

/// prctl(2), `PR_SET_CHILD_SUBREAPER`: of the process.
pub(crate) fn set_child_subreaper(w: &mut World, caller: TaskId, on: bool) {
    if w.task(caller).first_child.is_some() {
        w.because(&rule::REAP_FLAG_SET_LATE, caller);
    }
    w.process_mut(caller).flags.set(SignalFlags::CHILD_SUBREAPER, on);
}

/// prctl(2), `PR_GET_CHILD_SUBREAPER`: of the process.
pub(crate) fn child_subreaper(w: &mut World, caller: TaskId) -> bool {
    w.because(&rule::REAP_FLAG_READ, caller);
    w.process(caller).has(SignalFlags::CHILD_SUBREAPER)
}

/// prctl(2), `PR_SET_PDEATHSIG`: of the thread.
pub(crate) fn set_pdeathsig(w: &mut World, caller: TaskId, signal: Option<Signal>) {
    w.because(&rule::PDEATH_LIFETIME, caller);
    w.task_mut(caller).pdeath_signal = signal;
}

/// prctl(2), `PR_GET_PDEATHSIG`: of the thread.
pub(crate) fn pdeathsig(w: &mut World, caller: TaskId) -> Option<Signal> {
    w.because(&rule::PDEATH_LIFETIME, caller);
    w.task(caller).pdeath_signal
}

/// getpid(2).
pub(crate) fn sys_getpid(w: &mut World, caller: TaskId) -> Nr {
    w.because(&rule::VIEW_GETPID_FIXED, caller);
    let leader = w.group_leader(caller);
    let outermost = w.believes(Misconception::GetpidIsTheHosts).then_some(NsId::OUTERMOST);
    outermost.and_then(|ns| task_pid_nr_ns(w, leader, ns)).unwrap_or_else(|| own_number(w, leader))
}

/// gettid(2).
pub(crate) fn sys_gettid(w: &mut World, caller: TaskId) -> Nr {
    w.because(&rule::VIEW_GETPID_FIXED, caller);
    own_number(w, caller)
}

/// getppid(2); `None` (Linux says 0) where the parent has no number in the caller's namespace.
pub(crate) fn sys_getppid(w: &mut World, caller: TaskId) -> Option<Nr> {
    let seen = visible_parent(w, caller);
    w.because(if seen.is_some() { &rule::REAP_GETPPID } else { &rule::VIEW_GETPPID_OUTSIDE }, caller);
    seen
}

/// The parent's number as the task itself sees it.
pub(crate) fn visible_parent(w: &World, task: TaskId) -> Option<Nr> {
    let parent = w.task(w.group_leader(task)).real_parent?;
    let seen = task_tgid_nr_ns(w, parent, w.active_ns(task));
    let guest = w.believes(Misconception::GuestsAreChildrenOf1) && !w.is_unkillable(task);
    if guest { seen.or(Nr::new(1)) } else { seen }
}
