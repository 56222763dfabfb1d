//! What a core dump does to others. Whether a file is written is another matter.
//!
//! In the kernel: fs/coredump.c:do_coredump, zap_threads.

use pidlab_scenario::{Fact, Signal};

use crate::objects::ids::{MmId, TaskId};
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::rule;
use crate::signal::send::kill_threads;
use crate::world::World;

/// A task dumps core, and is about to end its process by the signal. Older kernels end all that share the memory first, so that it holds
/// still, unless it is not to be dumped.
///
/// # References
/// fs/coredump.c:do_coredump, zap_threads
pub(crate) fn do_coredump(w: &mut World, task: TaskId, signal: Signal) {
    let Some(mm) = w.process(task).mm.filter(|mm| !w.undumpable.contains(mm)) else { return };
    let sharers: Vec<TaskId> = w.processes().filter(|other| shares(w, task, *other, mm)).collect();
    if sharers.is_empty() {
        return;
    }
    if w.holds(Fact::CoreDumpAlone) {
        return w.because(&rule::SIG_DUMP_ALONE, task);
    }
    w.because(&rule::SIG_DUMP_ENDS_SHARERS, task);
    for other in sharers {
        let process = w.task(other).signal;
        let record = w.sig_mut(process);
        // Also if it was to end otherwise: nobody asks (`zap_process`).
        record.flags.remove(SignalFlags::GROUP_EXIT);
        record.set_group_exit(ExitCode::signal(signal));
        kill_threads(w, process, None);
    }
}

/// Whether another process has this memory, and has not given it up.
fn shares(w: &World, task: TaskId, other: TaskId, mm: MmId) -> bool {
    let process = w.task(other).signal;
    let is_alive = |thread: TaskId| w.task(thread).is_alive();
    process != w.task(task).signal && w.sig(process).mm == Some(mm) && w.threads_of(process).any(is_alive)
}
