//! Giving out numbers, and taking them back.
//!
//! ```text
//!   level 2   cursor 7   ──▶ 7        the innermost level first;
//!   level 1   cursor 12  ──▶ 12       the first level without a number ends it all
//!   level 0   cursor 31  ──▶ 31
//! ```
//!
//! A new task gets a number in its own namespace and in every ancestor of it. Each namespace has a cursor that goes round: a number
//! that was given back is not given out again before the cursor has passed all others. Everything that can be wrong with a number is
//! found while levels are gone through, innermost first; whether the namespace still has a child reaper is asked last of all.
//!
//! In the kernel: kernel/pid.c:alloc_pid, free_pid; lib/idr.c.

use pidlab_scenario::{Errno, Fact};

use crate::capable::dec_pid_namespaces;
use crate::misconceived::numbers::{revive, rewind};
use crate::objects::ids::{NsId, PidId, TaskId};
use crate::objects::pid::Pid;
use crate::objects::pid_namespace::{ChildReaper, PidNamespace, RESERVED_PIDS};
use crate::objects::task::At;
use crate::objects::wait_opts::Who;
use crate::rule;
use crate::set_tid::{check_all, restart, take_chosen};
use crate::storage::arena::Slot;
use crate::storage::numbers::Inline;
use crate::world::{InCall, World};

/// Takes the lowest free number from the cursor on, else from the floor: 1, or `restart` once the cursor has passed the reserved
/// numbers.
///
/// # References
/// lib/idr.c:idr_alloc_cyclic
#[inline(always)]
fn idr_alloc_cyclic(ns: &mut PidNamespace, restart: u32, holder: PidId) -> Option<u32> {
    let floor = if ns.cursor > RESERVED_PIDS { restart } else { 1 };
    let start = ns.cursor.max(floor);
    let last = ns.pid_max - 1;
    let number = match ns.idr.insert_first(start, last, holder) {
        Some(number) => number,
        None if start > floor => ns.idr.insert_beyond(floor, last, holder)?,
        None => return None,
    };
    ns.pid_allocated += 1;
    ns.cursor = number + 1;
    Some(number)
}

/// Gives out a number in `ns` and in every ancestor of it. `set_tid` asks for particular ones, innermost first.
///
/// # Errors
/// `EINVAL`, `EPERM`, `EEXIST`: what `set_tid` asks for; `EAGAIN`: a level is full; `ENOMEM`: the child reaper of `ns` has begun to
/// exit.
///
/// # References
/// kernel/pid.c:alloc_pid
pub(crate) fn alloc_pid(w: &mut World, ns: NsId, set_tid: &[i32], caller: TaskId) -> Result<PidId, Errno> {
    revive(w, ns);
    let innermost = w.ns(ns);
    let (level, adding) = (innermost.level, innermost.adding);
    if set_tid.len() > level as usize + 1 {
        w.because_of_newborn(&rule::SETTID_SIZE);
        return Err(Errno::EINVAL);
    }
    if !set_tid.is_empty() && w.holds(Fact::SetTidCheckedFirst) {
        check_all(w, ns, set_tid, caller)?;
    }
    let restart = restart(w);
    let mut numbers = w.rows.add(level);
    let born = next_birth(w);
    let pid = w.pids.next();
    let mut at = Some(ns);
    let mut done = 0;
    let mut refused = None;
    while let Some(current) = at {
        let taken = match set_tid.get(done as usize) {
            Some(asked) => take_chosen(w, current, *asked, pid, caller),
            None => take_next(w, current, restart, pid),
        };
        match taken {
            Ok(number) => {
                w.rows.set(level, &mut numbers, level - done, number);
                at = w.ns(current).parent;
                done += 1;
            }
            Err(errno) => {
                refused = Some(errno);
                break;
            }
        }
    }
    if let Some(errno) = refused {
        name_the_level(w, ns, set_tid, done);
        roll_back(w, ns, numbers, done);
        return Err(errno);
    }
    // Only now: whatever is wrong with a number wins over the death of the namespace.
    if !adding {
        w.because_of_newborn(&rule::ALLOC_ENOMEM_DEAD_NS);
        w.because_of_newborn(&rule::ZAP_NO_NEW_PIDS);
        w.because_of_newborn(&rule::ALLOC_ENOMEM_AFTER_EAGAIN);
        if !set_tid.is_empty() {
            w.because_of_newborn(&rule::SETTID_DEAD_NS);
        }
        roll_back(w, ns, numbers, done);
        return Err(Errno::ENOMEM);
    }
    if !set_tid.is_empty() {
        w.because_of_newborn(&rule::SETTID_ORDER);
    }
    w.because_of_newborn(&rule::ALLOC_ONE_PER_LEVEL);
    // The number keeps its namespace (`get_pid_ns`).
    w.ns_mut(ns).count += 1;
    Ok(w.pids.insert(Pid { ns, numbers, born, ..Pid::VACANT }))
}

/// The place of the next birth in the order of births.
#[inline]
fn next_birth(w: &mut World) -> u32 {
    if w.births == u32::MAX {
        renumber_births(w);
    }
    w.births += 1;
    w.births
}

/// After four thousand million births their places are counted anew; only their order means something.
#[cold]
fn renumber_births(w: &mut World) {
    let mut order: Vec<&mut Pid> = w.pids.iter_mut().filter(|pid| pid.born > 0).collect();
    order.sort_unstable_by_key(|pid| pid.born);
    for (place, pid) in (1..).zip(order) {
        pid.born = place;
        w.births = place;
    }
}

/// A number of the namespace's own choice.
#[inline(always)]
fn take_next(w: &mut World, ns: NsId, restart: u32, pid: PidId) -> Result<u32, Errno> {
    rewind(w, ns);
    let namespace = w.ns_mut(ns);
    let cursor = namespace.cursor;
    let Some(number) = idr_alloc_cyclic(namespace, restart, pid) else {
        w.because_of_newborn(&rule::ALLOC_EAGAIN_EXHAUSTED);
        if w.ns(ns).pid_max == RESERVED_PIDS + 1 {
            w.because_of_newborn(&rule::LIMIT_PIDMAX_MINIMAL_TRAP);
        }
        return Err(Errno::EAGAIN);
    };
    if w.explains() {
        name_the_number(w, ns, restart, cursor, number);
    }
    Ok(number)
}

#[cold]
fn name_the_number(w: &mut World, ns: NsId, restart: u32, cursor: u32, number: u32) {
    let floor = if cursor > RESERVED_PIDS { restart } else { 1 };
    let start = cursor.max(floor);
    let rule = match floor {
        RESERVED_PIDS if number < start => &rule::ALLOC_RESERVED_WRAP,
        _ if number < start => &rule::ALLOC_RESERVED_IS_CURSOR_BASED,
        _ if w.ns(ns).is_unborn() => &rule::ALLOC_STARTS_AT_1,
        _ if number > start => &rule::ALLOC_LIVE_SKIP,
        _ => &rule::ALLOC_CYCLIC,
    };
    w.because_of_newborn(rule);
    if number < start {
        w.because_of_newborn(&rule::ALLOC_ALGORITHM);
    }
}

/// Which level ended it, and what that wins over.
#[cold]
fn name_the_level(w: &mut World, ns: NsId, set_tid: &[i32], done: u32) {
    let namespace = w.ns(ns);
    let (level, adding) = (namespace.level, namespace.adding);
    if !adding {
        w.because_of_newborn(&rule::ALLOC_ENOMEM_AFTER_EAGAIN);
    }
    if level > 0 {
        w.because_of_newborn(&rule::ALLOC_ORDER_DEEPEST_FIRST);
    }
    if set_tid.len() > 1 && (done as usize) < set_tid.len() && !w.holds(Fact::SetTidCheckedFirst) {
        w.because_of_newborn(&rule::SETTID_INTERLEAVED_ERRORS);
    }
}

/// Gives back the numbers of the `done` innermost levels. Their cursors stay where they are, but for a namespace in which no number
/// has ever been in use.
#[cold]
fn roll_back(w: &mut World, ns: NsId, numbers: Inline, done: u32) {
    let level = w.ns(ns).level;
    let mut at = Some(ns);
    for depth in 0..done {
        let Some(current) = at else { break };
        let number = w.rows.one(level, &numbers, level - depth);
        let namespace = w.ns_mut(current);
        namespace.idr.remove(number);
        namespace.pid_allocated -= 1;
        at = namespace.parent;
    }
    w.rows.remove(level, &numbers);
    let namespace = w.ns_mut(ns);
    if namespace.adding && namespace.is_unborn() && namespace.pid_allocated == 0 {
        namespace.cursor = 0;
        w.because_of_newborn(&rule::ALLOC_FAILURE_CURSOR_FIRST);
    } else if done > 0 {
        w.because_of_newborn(&rule::ALLOC_FAILURE_CURSOR);
    }
    if done > 0 {
        w.because_of_newborn(&rule::ALLOC_ROLLBACK);
    }
}

/// Gives the numbers of a `struct pid` back, at every level.
///
/// # References
/// kernel/pid.c:free_pid
#[inline(always)]
pub(crate) fn free_pid(w: &mut World, pid: PidId) {
    let (ns, numbers) = (w.pids[pid].ns, w.pids[pid].numbers);
    let level = w.ns(ns).level;
    let mut at = ns;
    let mut few = false;
    for number in w.rows.all(level, &numbers).iter().rev() {
        let namespace = &mut w.namespaces[at];
        namespace.idr.remove(*number);
        namespace.pid_allocated -= 1;
        few |= namespace.pid_allocated <= 2;
        at = namespace.parent.unwrap_or(at);
    }
    if few {
        few_are_left(w, ns);
    }
    if !w.calls.is_empty() {
        forget_in_waits(w, pid);
    }
    w.rows.remove(level, &numbers);
    w.pids.remove(pid);
    put_pid_ns(w, ns);
}

/// What depends on a namespace, or one around it, becoming empty: its child reaper may sleep until it is alone, and one that never had any
/// is spoilt.
#[inline(never)]
fn few_are_left(w: &mut World, mut ns: NsId) {
    loop {
        let namespace = w.ns(ns);
        let (parent, left, init) = (namespace.parent, namespace.pid_allocated, namespace.child_reaper);
        match init {
            ChildReaper::Task(reaper) if left < 3 && w.task(reaper).at == At::Zap => w.wake_up(reaper),
            ChildReaper::Unborn if left == 0 && w.holds(Fact::FirstForkMayFail) => w.ns_mut(ns).cursor = 0,
            ChildReaper::Unborn if left == 0 => w.ns_mut(ns).adding = false,
            ChildReaper::Unborn | ChildReaper::Task(_) | ChildReaper::Gone => {}
        }
        let Some(parent) = parent else { return };
        ns = parent;
    }
}

/// Whoever sleeps in a wait for this `struct pid` goes on holding it in the kernel, and nobody has it any more.
fn forget_in_waits(w: &mut World, pid: PidId) {
    for call in w.calls.values_mut() {
        if let InCall::Wait(wo) = call
            && matches!(wo.who, Who::Pid(of) | Who::Pgrp(of) if of == pid)
        {
            wo.who = Who::Nobody;
        }
    }
}

/// One reason less for a namespace to exist; without one it goes, and so may its ancestors.
///
/// # References
/// kernel/pid_namespace.c:put_pid_ns
#[inline(always)]
pub(crate) fn put_pid_ns(w: &mut World, ns: NsId) {
    let namespace = w.ns_mut(ns);
    namespace.count -= 1;
    if namespace.count == 0 {
        destroy_pid_namespace(w, ns);
    }
}

#[cold]
fn destroy_pid_namespace(w: &mut World, ns: NsId) {
    let namespace = w.ns(ns);
    let (parent, user_ns, uid) = (namespace.parent, namespace.user_ns, namespace.ucounts);
    w.namespaces.remove(ns);
    dec_pid_namespaces(w, user_ns, uid);
    if let Some(parent) = parent {
        put_pid_ns(w, parent);
    }
}

/// Frees the numbers of a `struct pid` if nobody uses them in any way.
///
/// # References
/// kernel/pid.c:__change_pid
#[inline(always)]
pub(crate) fn free_if_unused(w: &mut World, pid: PidId) {
    let record = &w.pids[pid];
    if record.task.is_none() && record.pgrp.is_none() && record.session == 0 {
        free_pid(w, pid);
    }
}
