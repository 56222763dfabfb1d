//! Numbers as they are looked up, and as they are seen: by whom, and where.
//!
//! In the kernel: kernel/pid.c.

use crate::objects::ids::{NsId, PidId, SignalId, TaskId};
use crate::objects::pid::Nr;
use crate::world::World;

/// The namespace itself or the ancestor of it that is at this level.
pub(crate) fn ancestor_at(w: &World, mut ns: NsId, level: u32) -> Option<NsId> {
    loop {
        let namespace = w.ns(ns);
        if namespace.level <= level {
            return (namespace.level == level).then_some(ns);
        }
        ns = namespace.parent?;
    }
}

/// Whether `inner` is `outer` or a descendant of it.
pub(crate) fn is_within(w: &World, inner: NsId, outer: NsId) -> bool {
    ancestor_at(w, inner, w.ns(outer).level) == Some(outer)
}

/// The numbers of a `struct pid`, the outermost namespace's first.
#[inline]
pub(crate) fn numbers(w: &World, pid: PidId) -> &[u32] {
    let record = &w.pids[pid];
    w.rows.all(w.ns(record.ns).level, &record.numbers)
}

/// The number in a namespace; `None` where it has none.
#[inline]
pub(crate) fn pid_nr_ns(w: &World, pid: PidId, ns: NsId) -> Option<Nr> {
    let record = &w.pids[pid];
    let level = w.ns(ns).level;
    // Mostly somebody looks at its like.
    let own_level = if record.ns == ns { level } else { w.ns(record.ns).level };
    let visible = record.ns == ns || ancestor_at(w, record.ns, level) == Some(ns);
    if visible { Nr::new(w.rows.one(own_level, &record.numbers, level)) } else { None }
}

/// The number of a task in a namespace.
#[inline]
pub(crate) fn task_pid_nr_ns(w: &World, task: TaskId, ns: NsId) -> Option<Nr> {
    pid_nr_ns(w, w.task(task).thread_pid, ns)
}

/// The number of a task's process in a namespace.
#[inline]
pub(crate) fn task_tgid_nr_ns(w: &World, task: TaskId, ns: NsId) -> Option<Nr> {
    task_pid_nr_ns(w, w.group_leader(task), ns)
}

/// The number of a task in its own namespace: it has one.
pub(crate) fn own_number(w: &World, task: TaskId) -> Nr {
    task_pid_nr_ns(w, task, w.active_ns(task)).expect("a task has a number in its own namespace")
}

/// What has this number in a namespace, be it only a group or a session.
#[inline]
pub(crate) fn find_pid_ns(w: &World, ns: NsId, number: i32) -> Option<PidId> {
    w.ns(ns).idr.get(u32::try_from(number).ok()?)
}

/// The task that has this number in a namespace.
#[inline]
pub(crate) fn find_task_by_pid_ns(w: &World, ns: NsId, number: i32) -> Option<TaskId> {
    w.pids[find_pid_ns(w, ns, number)?].task
}

/// Makes a process a member of a process group, the newest.
///
/// # References
/// kernel/pid.c:attach_pid
#[inline(always)]
pub(crate) fn attach_pgrp(w: &mut World, process: SignalId, pgrp: PidId) {
    let next = w.pids[pgrp].pgrp.replace(process);
    if let Some(next) = next {
        w.sig_mut(next).pgrp_prev = Some(process);
    }
    let record = w.sig_mut(process);
    record.pgrp = pgrp;
    record.pgrp_next = next;
    record.pgrp_prev = None;
}

/// Takes a process out of its process group.
///
/// # References
/// kernel/pid.c:detach_pid
#[inline(always)]
pub(crate) fn detach_pgrp(w: &mut World, process: SignalId) {
    let record = w.sig_mut(process);
    let (pgrp, next, prev) = (record.pgrp, record.pgrp_next.take(), record.pgrp_prev.take());
    match prev {
        Some(prev) => w.sig_mut(prev).pgrp_next = next,
        None => w.pids[pgrp].pgrp = next,
    }
    if let Some(next) = next {
        w.sig_mut(next).pgrp_prev = prev;
    }
}

/// The members of a process group, the newest first.
pub(crate) fn pgrp_members(w: &World, pgrp: PidId) -> impl Iterator<Item = SignalId> + '_ {
    std::iter::successors(w.pids[pgrp].pgrp, |process| w.sig(*process).pgrp_next)
}
