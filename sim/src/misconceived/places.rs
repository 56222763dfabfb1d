//! Wrong turns of unshare(2) and setns(2): the caller itself goes into a namespace.

use crate::alloc::put_pid_ns;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::pid_namespace::ChildReaper;
use crate::objects::signal_struct::SignalFlags;
use crate::pid::numbers;
use crate::tracing;
use crate::world::World;

/// The caller becomes a member of a descendant of its namespace, with the numbers that it has and one more for each level. Not who has
/// children, tracees, other threads or a duty where it is: nobody says what becomes of these.
#[cold]
pub(crate) fn enter(w: &mut World, caller: TaskId, ns: NsId) {
    let from = w.active_ns(caller);
    let duty = w.is_unkillable(caller) || w.process(caller).has(SignalFlags::CHILD_SUBREAPER);
    let cares = w.task(caller).first_child.is_some() || tracing::tracees(w, caller).next().is_some();
    let bound = duty || cares || !w.thread_group_empty(caller);
    let Some(way) = way_down(w, from, ns).filter(|_| !bound && w.ns(ns).adding) else { return };
    let span = |ns: NsId| (w.ns(ns).cursor.max(1), w.ns(ns).pid_max - 1);
    let is_full = |ns: &NsId| w.ns(*ns).idr.first_free(span(*ns).0, span(*ns).1).is_none();
    if way.iter().any(is_full) {
        return;
    }
    let pid = w.task(caller).thread_pid;
    let (old_level, old_numbers) = (w.ns(from).level, w.pids[pid].numbers);
    let mut all = numbers(w, pid).to_vec();
    for namespace in way {
        let namespace = w.ns_mut(namespace);
        let (start, last) = (namespace.cursor.max(1), namespace.pid_max - 1);
        let Some(number) = namespace.idr.insert_first(start, last, pid) else { unreachable!("there is room") };
        namespace.pid_allocated += 1;
        namespace.cursor = number + 1;
        all.push(number);
    }
    let level = w.ns(ns).level;
    let mut new_numbers = w.rows.add(level);
    for (at, number) in (0..).zip(all) {
        w.rows.set(level, &mut new_numbers, at, number);
    }
    w.rows.remove(old_level, &old_numbers);
    w.pids[pid].numbers = new_numbers;
    w.pids[pid].ns = ns;
    w.ns_mut(ns).count += 1;
    put_pid_ns(w, from);
    if w.ns(ns).is_unborn() {
        w.ns_mut(ns).child_reaper = ChildReaper::Task(caller);
        w.process_mut(caller).flags.insert(SignalFlags::UNKILLABLE);
    }
}

/// The namespaces from below one down to another; nothing if there is no such way, or somewhere on it nobody has been born.
fn way_down(w: &World, from: NsId, to: NsId) -> Option<Vec<NsId>> {
    let mut way = vec![to];
    while let Some(above) = w.ns(*way.last()?).parent {
        if above == from {
            way.reverse();
            return Some(way);
        }
        if w.ns(above).is_unborn() {
            return None;
        }
        way.push(above);
    }
    None
}
