//! Process groups that have lost their last tie to the session.
//!
//! A group is *orphaned* if no member has a parent in another group of the same session: there is nobody to tell it to go on. If such
//! a group has a stopped member when it becomes orphaned, all get SIGHUP and SIGCONT. In an orphaned group SIGTSTP and its like do
//! nothing.
//!
//! In the kernel: kernel/exit.c:will_become_orphaned_pgrp, kill_orphaned_pgrp.

use pidlab_scenario::Signal;

use crate::objects::ids::{PidId, SignalId, TaskId};
use crate::objects::signal_struct::SignalFlags;
use crate::objects::sigpending::To;
use crate::pid::pgrp_members;
use crate::rule;
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;

/// Whether the process group of a task is orphaned.
///
/// # References
/// kernel/exit.c:is_current_pgrp_orphaned
pub(crate) fn is_current_pgrp_orphaned(w: &World, task: TaskId) -> bool {
    tie_of(w, w.process(task).pgrp, None).is_none()
}

/// A member whose parent keeps the group from being orphaned.
fn tie_of(w: &World, pgrp: PidId, ignored: Option<SignalId>) -> Option<TaskId> {
    pgrp_members(w, pgrp).find_map(|member| {
        let leader = w.sig(member).leader;
        let counts = Some(member) != ignored && !w.is_over(leader);
        let parent = w.task(leader).real_parent.filter(|_| counts)?;
        is_tie(w, leader, parent).then_some(leader)
    })
}

/// Whether a parent is in another group of the same session.
#[inline(always)]
fn is_tie(w: &World, child: TaskId, parent: TaskId) -> bool {
    let (child, parent) = (w.process(child), w.process(parent));
    parent.pgrp != child.pgrp && parent.session == child.session
}

/// SIGHUP and SIGCONT for a group that has just become orphaned with a stopped member. `father`: the parent that the process has just
/// lost; `None`: the process itself is the one that goes.
///
/// # References
/// kernel/exit.c:kill_orphaned_pgrp
#[inline(always)]
pub(crate) fn kill_orphaned_pgrp(w: &mut World, leader: TaskId, father: Option<TaskId>) {
    let Some(parent) = father.or(w.task(leader).real_parent) else { return };
    if is_tie(w, leader, parent) {
        lost_a_tie(w, leader, father.is_none());
    }
}

#[inline(never)]
fn lost_a_tie(w: &mut World, leader: TaskId, leaves: bool) {
    let process = w.task(leader).signal;
    let pgrp = w.sig(process).pgrp;
    if let Some(tie) = tie_of(w, pgrp, Some(process).filter(|_| leaves)) {
        if w.task(tie).real_parent.is_some_and(|parent| w.is_unkillable(parent)) {
            w.because(&rule::PG_ORPHAN_NS_INIT, tie);
        }
        return;
    }
    let members: Vec<SignalId> = pgrp_members(w, pgrp).collect();
    if !members.iter().any(|member| w.sig(*member).has(SignalFlags::STOP_STOPPED)) {
        return;
    }
    w.because(&rule::PG_ORPHAN_EXIT, leader);
    for signal in [Signal::HUP, Signal::CONT] {
        for member in &members {
            let to = w.sig(*member).leader;
            send_signal(w, signal, &mut Info::Priv, to, To::Process);
        }
    }
}
