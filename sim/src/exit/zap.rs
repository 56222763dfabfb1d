//! The death of a namespace: its child reaper exits, and ends everybody else before anybody can see that it did.
//!
//! ```text
//!   disable_pid_allocation   forks into the namespace fail from now on, for ever
//!   SIGCHLD ignored          whom it adopts vanishes at once
//!   SIGKILL                  for everybody with a number in it, in the order of numbers
//!   wait4                    for its own children
//!   sleep                    until no number is taken but its own
//! ```
//!
//! The sleep can be long. A member whose parent is outside stays a zombie until that parent waits, and a process outside can keep the
//! number of a dead member in use as its process group.
//!
//! In the kernel: kernel/pid_namespace.c:zap_pid_ns_processes.

use pidlab_scenario::{Signal, SignalAction};

use super::release::release_task;
use crate::NsId;
use crate::objects::ids::TaskId;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::sigpending::To;
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::pid::pgrp_members;
use crate::signal::action::change_action;
use crate::signal::info::Info;
use crate::signal::send::send_signal;
use crate::world::World;
use crate::{describe, misconceived, rule, tracing};

/// Begins to end a namespace.
pub(crate) fn zap_pid_ns_processes(w: &mut World, reaper: TaskId) {
    let ns = w.active_ns(reaper);
    w.because(&rule::ZAP_TRIGGER, reaper);
    w.because(&rule::ZAP_ORDER, reaper);
    w.ns_mut(ns).adding = false;
    w.task_mut(reaper).at = At::Zap;
    if w.explains() {
        describe::sharers_at_the_end(w, reaper);
    }
    change_action(w, reaper, Signal::CHLD, SignalAction::Ignore);
    if w.group_leader(reaper) != reaper {
        w.because(&rule::ZAP_MT_STATUS, reaper);
    }
    kill_members(w, ns);
    collect_zombies(w, reaper);
    if w.explains() && !is_alone(w, reaper) {
        describe::what_a_zap_waits_for(w, reaper);
    }
}

/// SIGKILL for every task with a number in the namespace that has not got it yet, in the order of numbers.
fn kill_members(w: &mut World, ns: NsId) {
    let members: Vec<TaskId> = w.ns(ns).idr.holders(2).filter_map(|(_, pid)| w.pids[pid].task).collect();
    for member in members {
        if w.task(member).has(TaskFlags::KILLED) || misconceived::ends::spares(w, ns, member) {
            continue;
        }
        if !w.process(member).has(SignalFlags::GROUP_EXIT) {
            let nested = w.is_unkillable(member);
            w.because(if nested { &rule::ZAP_KILLS_DESCENDANTS } else { &rule::ZAP_KILLS_ALL }, member);
        }
        send_signal(w, Signal::KILL, &mut Info::Priv, member, To::Process);
    }
}

/// Reaps the children that have ended, of every kind (wait4 with `__WALL`).
pub(crate) fn collect_zombies(w: &mut World, reaper: TaskId) {
    let over = |child: &TaskId| w.is_over(*child) && !tracing::is_held_back(w, *child);
    let children = w.thread_list(reaper).into_iter().flat_map(|thread| w.children(thread));
    let zombies: Vec<TaskId> = children.filter(over).collect();
    for zombie in zombies {
        w.because(&rule::ZAP_COLLECTS, zombie);
        w.task_mut(zombie).exit_state = ExitState::Dead;
        release_task(w, zombie);
    }
}

/// Whether no number of its namespace is taken but its own: two if it is not the first thread, whose number its dead leader keeps.
pub(crate) fn is_alone(w: &World, reaper: TaskId) -> bool {
    let own = if w.group_leader(reaper) == reaper { 1 } else { 2 };
    w.ns(w.active_ns(reaper)).pid_allocated <= own || misconceived::ends::does_not_wait(w, reaper)
}

/// What comes when it is alone: a reboot is reported as the end.
pub(crate) fn finish_zap(w: &mut World, reaper: TaskId) {
    w.because(&rule::ZAP_INVARIANT, reaper);
    w.because(&rule::ZAP_EXIT_STATUS, reaper);
    if let Some(signal) = w.ns(w.active_ns(reaper)).reboot {
        w.because(&rule::REBOOT_CODES, reaper);
        w.process_mut(reaper).group_exit_code = ExitCode::signal(signal);
    }
    let process = w.task(reaper).signal;
    let own = w.task(w.group_leader(reaper)).thread_pid;
    if w.explains() && pgrp_members(w, own).any(|member| member != process) {
        w.because(&rule::ZAP_OWN_PGID_NO_PIN, reaper);
    }
}
