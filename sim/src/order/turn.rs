//! A turn: what one task does before another may run.
//!
//! ```text
//!   asleep in a wait, waked      look at the children once more; nothing, and a signal? then the wait is cut short
//!   asleep in sigwait, waked     take what is there, or fail
//!   asleep in vfork, killed      out of it
//!   asleep in exec, waked        are the other threads gone?
//!   on the way to user mode      tell the parent of a continuation │ take one signal │ stop │ run one handler │ return from the call
//!   in reboot                    exit, which the init that it has killed may come before
//!   exiting                      the other threads are told to │ PF_EXITING │ the memory │ exit_notify, up to the sleep of a child reaper
//! ```
//!
//! Between two turns of a task everybody else may have any number of turns: there is no other source of races in the model. To add one
//! is to end a turn earlier, with [`Next::GoesOn`].

use crate::exit::do_exit;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::ExitCode;
use crate::objects::task::{At, TaskFlags};
use crate::signal::sigwait;
use crate::world::{InCall, World};
use crate::{Next, entry, exec, wait};

/// Gives a task on the run queue its turn.
pub(crate) fn take(w: &mut World, task: TaskId) {
    debug_assert!(w.task(task).has(TaskFlags::ON_RQ), "who has a turn is on the run queue");
    w.current.0 = Some(task);
    let next = match w.task(task).at {
        At::User | At::Abort | At::Returning | At::WaitInterrupted | At::WaitRestarts => {
            entry::exit_to_user_mode(w, task)
        }
        At::Sigwait => sigwait::go_on(w, task),
        // What it finds when it looks for the last time is not what is there when it takes the signal: meanwhile another child can end.
        At::Wait => wait::go_on(w, task),
        At::Vfork => {
            leave_vfork(w, task);
            Next::GoesOn
        }
        At::DeThread => exec::go_on(w, task),
        At::GroupExit => {
            // It may have lost the CPU to the threads that it has told to exit, and be the last of them.
            let code = w.process(task).group_exit_code;
            do_exit::do_exit(w, task, code)
        }
        // Only the thread, with 0, whatever has been decided about it meanwhile.
        At::Reboot => do_exit::do_exit(w, task, ExitCode::ZERO),
        At::ExitMm => do_exit::exit_mm(w, task),
        At::ExitNotify => do_exit::exit_notify(w, task),
        At::Zap => do_exit::go_on_zapping(w, task),
    };
    end(w, task, next);
    w.current.0 = None;
}

/// The first turn of something that goes on in turns, taken by the caller of a call.
#[inline(always)]
pub(crate) fn first(w: &mut World, caller: TaskId, does: impl FnOnce(&mut World) -> Next) {
    if w.task(caller).has(TaskFlags::ON_RQ) {
        w.run_queue.retain(|other| *other != caller);
    }
    // Whoever has a turn is not waked again meanwhile, not even by what it does itself.
    w.task_mut(caller).flags.insert(TaskFlags::ON_RQ);
    let next = does(w);
    end(w, caller, next);
}

/// What becomes of a task after its turn.
#[inline(always)]
fn end(w: &mut World, task: TaskId, next: Next) {
    match next {
        // It goes on if nobody else is chosen.
        Next::GoesOn => {
            w.task_mut(task).flags.insert(TaskFlags::ON_RQ);
            w.run_queue.push_front(task);
        }
        Next::Sleeps => w.task_mut(task).flags.remove(TaskFlags::ON_RQ),
        // Its slot may be another's by now.
        Next::Ended => {}
    }
}

/// Killed in its vfork: the child has nobody to wake any more.
///
/// # References
/// kernel/fork.c:wait_for_vfork_done
fn leave_vfork(w: &mut World, task: TaskId) {
    if let Some(InCall::Vfork(child)) = w.leave(task) {
        w.task_mut(child).flags.remove(TaskFlags::VFORK_DONE);
    }
}
