//! Wrong turns where a signal meets an init.

use pidlab_scenario::Signal;

use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::{DefaultAction, default_action};
use crate::objects::task::At;
use crate::world::World;
use crate::{Misconception, rule};

/// Whether a signal is ignored by an init, where that is decided wrongly; `force`: it comes from an ancestor namespace or the kernel.
#[inline]
pub(crate) fn ignores(w: &mut World, signal: Signal, to: TaskId, force: bool) -> Option<bool> {
    let misconception = w.misconception?;
    ignores_wrongly(w, misconception, signal, to, force)
}

#[cold]
fn ignores_wrongly(
    w: &mut World,
    misconception: Misconception,
    signal: Signal,
    to: TaskId,
    force: bool,
) -> Option<bool> {
    if !w.is_unkillable(to) || !w.sighand(to).is_default(signal) {
        return None;
    }
    let blocked = w.task(to).blocked.contains(signal);
    match misconception {
        Misconception::InitDiesFromInside if signal == Signal::KILL && !force => {
            w.because(&rule::SIG_INIT_IMMUNE_INSIDE, to);
            Some(false)
        }
        Misconception::TermFromOutsideKillsInit if force && !blocked && is_fatal(signal) => {
            w.because(&rule::SIG_INIT_OUTER_DROPPED, to);
            w.process_mut(to).flags.remove(SignalFlags::UNKILLABLE);
            Some(false)
        }
        Misconception::KillFromOutsideIsDropped if signal == Signal::KILL && force && is_sent(w) => {
            w.because(&rule::SIG_INIT_OUTER_FORCED, to);
            Some(true)
        }
        Misconception::StopFromOutsideIsDropped if signal == Signal::STOP && force => {
            w.because(&rule::SIG_INIT_OUTER_FORCED, to);
            Some(true)
        }
        Misconception::InitLosesBlockedSignals if blocked => {
            w.because(&rule::SIG_INIT_BLOCKED, to);
            Some(true)
        }
        _ => None,
    }
}

/// Whether it ends whom nothing shields; SIGKILL apart.
fn is_fatal(signal: Signal) -> bool {
    signal != Signal::KILL && matches!(default_action(signal), DefaultAction::Terminate | DefaultAction::Dump)
}

/// Whether somebody sends it by a call, and no namespace that ends.
fn is_sent(w: &World) -> bool {
    w.current.0.is_some_and(|sender| w.task(sender).at == At::User)
}

/// Whether a fault leaves an init its protection. Not the trap of abort(3), to which it would return for ever.
#[inline]
pub(crate) fn outlasts_fault(w: &World, task: TaskId) -> bool {
    w.believes(Misconception::InitSurvivesCrashes) && w.is_unkillable(task) && w.task(task).at != At::Abort
}
