//! Wrong turns where a process is born: what it has from its maker.

use crate::Misconception;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::SigSet;
use crate::world::World;

/// A process was made.
#[inline]
pub(crate) fn inherit(w: &mut World, maker: TaskId, child: TaskId) {
    if let Some(misconception) = w.misconception {
        inherit_wrongly(w, misconception, maker, child);
    }
}

#[cold]
fn inherit_wrongly(w: &mut World, misconception: Misconception, maker: TaskId, child: TaskId) {
    match misconception {
        Misconception::SubreaperFlagIsInherited => {
            let subreaper = w.process(maker).has(SignalFlags::CHILD_SUBREAPER);
            w.process_mut(child).flags.set(SignalFlags::CHILD_SUBREAPER, subreaper);
        }
        Misconception::MaskIsNotInherited => w.task_mut(child).blocked = SigSet::EMPTY,
        Misconception::PromiseIsInherited => {
            let promise = w.task(maker).pdeath_signal;
            w.task_mut(child).pdeath_signal = promise;
        }
        _ => {}
    }
}
