//! Wrong turns where numbers are given out.

use crate::Misconception;
use crate::objects::ids::NsId;
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::task::ExitState;
use crate::world::World;

/// Before a number is taken from a namespace: the lowest free one is to be found.
#[inline]
pub(crate) fn rewind(w: &mut World, ns: NsId) {
    if w.believes(Misconception::NumbersAreReusedAtOnce) {
        w.ns_mut(ns).cursor = 0;
    }
}

/// Before somebody is born in a namespace: whose init has ended is to be an empty one again.
#[inline]
pub(crate) fn revive(w: &mut World, ns: NsId) {
    if w.believes(Misconception::ForkRevivesNamespace) && !w.ns(ns).adding {
        revive_dead(w, ns);
    }
}

#[cold]
fn revive_dead(w: &mut World, ns: NsId) {
    let over = match w.ns(ns).child_reaper {
        ChildReaper::Unborn => false,
        ChildReaper::Task(reaper) => w.task(reaper).exit_state != ExitState::None,
        ChildReaper::Gone => true,
    };
    if over {
        let namespace = w.ns_mut(ns);
        namespace.adding = true;
        namespace.child_reaper = ChildReaper::Unborn;
        namespace.cursor = 0;
    }
}
