//! Where a clone has the TID of whom it makes written.
//!
//! ```text
//!   CLONE_PARENT_SETTID     for the maker: the TID that the maker sees      before the call returns
//!   CLONE_CHILD_SETTID      for the child: the TID that it sees itself      when it first runs
//!   CLONE_CHILD_CLEARTID    0 in the same place, and whoever waits there    when it gives up its memory, if others use that
//!                           is waked: so pthread_join(3) works
//! ```
//!
//! Here each clone has two places of its own, in memory that everybody can read.
//!
//! In the kernel: kernel/fork.c:kernel_clone, mm_release; kernel/sched/core.c:schedule_tail.

use pidlab_scenario::{CloneFlags, Seen};

use crate::objects::ids::TaskId;
use crate::objects::task::{At, ExitState};
use crate::pid::{own_number, task_pid_nr_ns};
use crate::rule;
use crate::world::{TidWords, World};

/// Notes what is written for a new task.
pub(crate) fn write(w: &mut World, caller: TaskId, child: TaskId, flags: CloneFlags) {
    let mut words = TidWords { clears: None, parent_tid: 0, child_tid: 0 };
    if flags.contains(CloneFlags::CLONE_PARENT_SETTID) {
        w.because(&rule::CLONE_PARENT_SETTID, child);
        words.parent_tid = task_pid_nr_ns(w, child, w.active_ns(caller)).map_or(0, |number| number.get());
    }
    if flags.contains(CloneFlags::CLONE_CHILD_SETTID) {
        w.because(&rule::CLONE_CHILD_SETTID, child);
        words.child_tid = own_number(w, child).get();
    }
    if flags.contains(CloneFlags::CLONE_CHILD_CLEARTID) {
        words.clears = Some(child);
    }
    w.tid_words.push(words);
}

/// A task gives up its memory: it has ended, or runs another program.
///
/// # References
/// kernel/fork.c:mm_release
pub(crate) fn mm_release(w: &mut World, task: TaskId) {
    let Some(at) = w.tid_words.iter().position(|words| words.clears == Some(task)) else { return };
    w.because(&rule::CLONE_CHILD_CLEARTID, task);
    let shared = memory_has_others(w, task);
    let words = &mut w.tid_words[at];
    words.clears = None;
    if shared {
        words.child_tid = 0;
    }
}

/// Whether somebody else has a task's memory, and has not given it up.
fn memory_has_others(w: &World, task: TaskId) -> bool {
    let mm = w.process(task).mm;
    let has_memory = |other: TaskId| {
        let record = w.task(other);
        record.exit_state == ExitState::None && !matches!(record.at, At::ExitNotify | At::Zap)
    };
    w.tasks().any(|other| {
        let same = w.same_thread_group(other, task) || (mm.is_some() && w.process(other).mm == mm);
        other != task && same && has_memory(other)
    })
}

/// What stands in the two places of a clone.
pub(crate) fn look(words: Option<&TidWords>) -> Seen {
    let (parent_tid, child_tid) = words.map_or((0, 0), |words| (words.parent_tid, words.child_tid));
    Seen::TidWords { parent_tid, child_tid }
}
