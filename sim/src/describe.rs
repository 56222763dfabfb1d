//! Rules that describe: what a situation is called, where other rules have decided what comes of it.
//!
//! Most rules are named at the branch that decides. Some sentences that a learner should meet decide nothing: "an orphan comes last in its
//! adopter's list" is true wherever children are handed on. Such rules are named here, once what they are about has come up, and the
//! catalogue says so ([`Kind::Describes`](crate::rule::Kind)). Nothing here changes a world, and nothing is called where nobody asks why.

use pidlab_scenario::{CloneFlags, Signal, WaitOptions, WaitStatus};

use crate::objects::ids::{NsId, SighandId, TaskId};
use crate::objects::pid_namespace::MAX_PID_NS_LEVEL;
use crate::objects::signal_struct::{ExitCode, SignalFlags};
use crate::objects::task::{At, ExitState, TaskFlags};
use crate::objects::wait_opts::{WaitOpts, Who};
use crate::pid::{find_pid_ns, is_within};
use crate::rule;
use crate::tracing::is_held;
use crate::world::{InCall, World};

#[cold]
pub(crate) fn birth(w: &mut World, caller: TaskId, child: TaskId, flags: CloneFlags) {
    let new_ns = flags.contains(CloneFlags::CLONE_NEWPID);
    let ns = w.active_ns(child);
    let elsewhere = ns != w.active_ns(caller);
    if w.is_unkillable(child) {
        w.because(if new_ns { &rule::CLONE_NEWPID_INIT } else { &rule::UNSHARE_FIRST_CHILD_INIT }, child);
        w.because(&rule::PG_INIT_INITIAL, child);
    } else if elsewhere {
        w.because(&rule::SETNS_INJECTED_CHILD, child);
    }
    if elsewhere {
        w.because(&rule::CLONE_RETURN_VIEW, child);
        w.because(&rule::UNSHARE_CHILD_INHERITS_TARGET, child);
        if flags.contains(CloneFlags::CLONE_VM) {
            w.because(if new_ns { &rule::CLONE_NEWPID_VM } else { &rule::CLONE_VM_TARGET_DIFFERS }, child);
        }
    }
    depth(w, child, ns, new_ns);
    if flags.contains(CloneFlags::CLONE_PARENT) {
        sibling(w, caller, child, new_ns);
    }
    inheritance(w, caller, child);
}

#[cold]
pub(crate) fn sibling(w: &mut World, caller: TaskId, child: TaskId, new_ns: bool) {
    w.because(&rule::CP_SIBLING, child);
    w.because(&rule::WAIT_ORDER_CLONE_PARENT, child);
    let own = w.active_ns(caller);
    let parent = w.task(w.group_leader(caller)).real_parent;
    if parent.is_some_and(|parent| w.active_ns(parent) != own) {
        w.because(&rule::CLONE_PARENT_INJECTED, child);
        w.because(&rule::CP_INJECTED, child);
    }
    if new_ns {
        w.because(&rule::CLONE_NEWPID_PARENT, child);
    } else if w.active_ns(child) != own {
        w.because(&rule::CLONE_PARENT_TARGET_DIFFERS, child);
    }
}

/// What a child has from its maker, and what it has not.
#[cold]
pub(crate) fn inheritance(w: &mut World, caller: TaskId, child: TaskId) {
    let ignores = w.sighand(child).ignored.contains(Signal::CHLD);
    let subreaper = w.process(caller).has(SignalFlags::CHILD_SUBREAPER);
    let pdeath = w.task(w.group_leader(caller)).pdeath_signal.is_some();
    let of_init = w.is_unkillable(caller) && !w.is_unkillable(child);
    for (holds, rule) in [
        (ignores, &rule::EXIT_IGN_INHERITED),
        (subreaper, &rule::REAP_FLAG_SCOPE),
        (pdeath, &rule::PDEATH_LIFETIME),
        (of_init, &rule::SIG_INIT_FLAG_SCOPE),
    ] {
        if holds {
            w.because(rule, child);
        }
    }
}

#[cold]
pub(crate) fn depth(w: &mut World, child: TaskId, ns: NsId, new_ns: bool) {
    if !new_ns && w.ns(ns).level + w.levels_above == MAX_PID_NS_LEVEL {
        w.because(&rule::LIMIT_DEPTH_OTHER_OPS, child);
    }
}

/// A process in the middle of dying takes no signal.
#[cold]
pub(crate) fn deaf(w: &mut World, to: TaskId) {
    if !w.explains() {
        return;
    }
    let leader = w.group_leader(to);
    let zaps = w.threads_of(w.task(to).signal).any(|thread| w.task(thread).at == At::Zap);
    let rule = if w.is_over(leader) {
        &rule::EXIT_ZOMBIE_IS_ADDRESSABLE
    } else if zaps {
        &rule::ZAP_STUCK_IMMUNE
    } else {
        &rule::EXIT_FIRST_FATAL_WINS
    };
    w.because(rule, to);
}

#[cold]
pub(crate) fn targets(w: &mut World, caller: TaskId, pid: i32, targets: &[TaskId]) {
    let ns = w.active_ns(caller);
    if pid == -1 {
        w.because(&rule::SIG_KILL_MINUS1, caller);
        if w.ns(ns).level > 0 {
            w.because(&rule::SIG_KILL_MINUS1_OUTSIDE, caller);
        }
        return;
    }
    if pid > 0 {
        return;
    }
    if targets.len() > 1 {
        w.because(&rule::SIG_PGRP_ORDER, caller);
    }
    let leader = if pid < -1 { find_pid_ns(w, ns, -pid) } else { None };
    if let Some(gone) = leader.filter(|leader| w.pids[*leader].task.is_none_or(|task| w.is_over(task))) {
        let about = w.pids[gone].task.unwrap_or(caller);
        w.because(&rule::PG_GROUP_OUTLIVES_LEADER, about);
    }
    if pid == 0 && targets.iter().any(|target| !is_within(w, w.active_ns(*target), ns)) {
        w.because(&rule::SIG_KILL0_ESCAPES, caller);
    } else if targets.iter().any(|target| w.active_ns(*target) != ns) {
        w.because(&rule::SIG_PGRP_MIXED_NS, caller);
    }
}

#[cold]
pub(crate) fn adoption(w: &mut World, father: TaskId, child: TaskId) {
    let task = w.task(child);
    let (over, stopped) = (w.is_over(child), task.has(TaskFlags::STOPPED));
    let reaper = task.real_parent;
    let process = w.process(child);
    let (init, unreported) = (process.has(SignalFlags::UNKILLABLE), process.group_exit_code != ExitCode::ZERO);
    if init {
        w.because(&rule::REAP_NS_INIT, child);
    } else if w.active_ns(child) != w.active_ns(father) {
        w.because(&rule::REAP_INJECTED_CHILD, child);
    }
    if !over {
        w.because(&rule::REAP_LIVE_CHILD_SILENT, child);
    } else if !is_held(w, child)
        && w.task(father).real_parent.map(|it| w.group_leader(it)) == reaper.map(|it| w.group_leader(it))
    {
        w.because(&rule::EXIT_SIGCHLD_ORDER, child);
    }
    if stopped && unreported {
        w.because(&rule::WAIT_STOP_AFTER_ADOPTION, child);
    }
    w.because(&rule::REAP_ORDER, child);
}

#[cold]
pub(crate) fn what_bears_it(w: &mut World, leader: TaskId) {
    let record = &w.pids[w.task(leader).thread_pid];
    let (group, session) = (record.pgrp.is_some(), record.session > 0);
    if group || session {
        w.because(&rule::ALLOC_FREED_WHEN, leader);
    }
    if group {
        w.because(&rule::PG_GROUP_OUTLIVES_LEADER, leader);
    }
}

/// `ns`: where its children were born.
#[cold]
pub(crate) fn unsharer(w: &mut World, task: TaskId, ns: Option<NsId>) {
    let own = w.active_ns(task);
    let Some(ns) = ns.filter(|ns| *ns != own) else { return };
    let is_init_there = |child: TaskId| w.is_unkillable(child) && w.active_ns(child) == ns;
    if w.children(task).any(is_init_there) {
        w.because(&rule::REAP_UNSHARER, task);
    }
}

#[cold]
pub(crate) fn session_leader(w: &mut World, leader: TaskId) {
    let process = w.process(leader);
    if process.has(SignalFlags::SESSION_LEADER) && w.pids[process.session].session > 1 {
        w.because(&rule::PG_SESSION_LEADER_EXIT, leader);
    }
}

/// The table that SIGCHLD is ignored in may be another's, too.
#[cold]
pub(crate) fn sharers_at_the_end(w: &mut World, reaper: TaskId) {
    let (leader, table) = (w.group_leader(reaper), w.process(reaper).sighand);
    let shares = |other: &TaskId| *other != leader && w.process(*other).sighand == table;
    let shared = table != SighandId::DEFAULT;
    let sharers: Vec<TaskId> = w.processes().filter(|other| shared && shares(other)).collect();
    for sharer in sharers {
        w.because(&rule::ZAP_SIGHAND_LEAK, sharer);
    }
}

/// Names what a child reaper has to wait for, where it is not only for its own children.
#[cold]
pub(crate) fn what_a_zap_waits_for(w: &mut World, reaper: TaskId) {
    let ns = w.active_ns(reaper);
    let members: Vec<_> = w.ns(ns).idr.holders(2).map(|(_, pid)| pid).collect();
    let mut stuck = false;
    for pid in members {
        let Some(member) = w.pids[pid].task else {
            w.because(&rule::ZAP_PGID_PIN, reaper);
            stuck = true;
            continue;
        };
        if let Some(tracer) = w.tracing.get(&member).map(|tracing| tracing.tracer)
            && !is_within(w, w.active_ns(tracer), ns)
        {
            w.because(&rule::ZAP_TRACER, member);
            stuck = true;
        }
        let parent = w.task(member).real_parent.filter(|_| w.group_leader(member) == member);
        let Some(parent) = parent.filter(|parent| !is_within(w, w.active_ns(*parent), ns)) else { continue };
        w.because(&rule::ZAP_WAITS_FOR_OUTSIDE_PARENT, member);
        stuck = true;
        // The parent of both sleeps until the reaper ends, and the reaper until that parent reaps the member.
        if w.task(w.group_leader(reaper)).real_parent == Some(parent) && sleeps_for(w, parent, reaper) {
            w.because(&rule::ZAP_CLASSIC_DEADLOCK, parent);
        }
    }
    let outer = w.ns(ns).parent.and_then(|parent| w.ns(parent).reaper());
    if let Some(outer) = outer.filter(|outer| stuck && w.task(*outer).at == At::Zap) {
        w.because(&rule::ZAP_NESTED_STALL, outer);
    }
}

/// The one waited for is an init that waits for a child of the waiter.
#[cold]
pub(crate) fn deadlock(w: &mut World, caller: TaskId, who: Who) {
    let Who::Pid(pid) = who else { return };
    let Some(init) = w.pids[pid].task.filter(|init| w.task(*init).at == At::Zap) else { return };
    let holds_up = |child: TaskId| {
        w.task(child).exit_state == ExitState::Zombie && is_within(w, w.active_ns(child), w.active_ns(init))
    };
    if w.children(caller).any(holds_up) {
        w.because(&rule::ZAP_CLASSIC_DEADLOCK, caller);
    }
}

#[cold]
pub(crate) fn report(w: &mut World, caller: TaskId, child: TaskId, status: WaitStatus, wo: &WaitOpts) {
    let rule = match (status, wo.who) {
        (WaitStatus::Stopped(_) | WaitStatus::Continued, _) => &rule::WAIT_STOPPED,
        (_, Who::Pgrp(_)) => &rule::WAIT_PGID_ACROSS_NS,
        (_, Who::Any) => &rule::WAIT_ORDER,
        (_, Who::Pid(_) | Who::Nobody) => &rule::WAIT_PID_NUMBER_SPACE,
    };
    w.because(rule, child);
    if matches!(wo.who, Who::Pgrp(_)) {
        w.because(&rule::WAIT_PGID_ORDER, child);
    }
    if w.active_ns(child) != w.active_ns(caller) {
        w.because(&rule::VIEW_SIGINFO_SIGCHLD, child);
    }
    if wo.options.contains(WaitOptions::WNOWAIT) {
        w.because(&rule::WAIT_NOWAIT, child);
    }
}

/// Whether a task sleeps until this one child has ended.
#[cold]
pub(crate) fn sleeps_for(w: &World, task: TaskId, child: TaskId) -> bool {
    let pid = w.task(w.group_leader(child)).thread_pid;
    matches!(w.calls.get(&task), Some(InCall::Wait(wo)) if wo.who == Who::Pid(pid))
}

#[cold]
pub(crate) fn plan(w: &mut World, caller: TaskId) {
    w.because(&rule::UNSHARE_CHILDREN_ONLY, caller);
    w.because(&rule::UNSHARE_NO_NUMBER_NO_INIT, caller);
    if w.is_unkillable(caller) {
        w.because(&rule::UNSHARE_BY_INIT, caller);
    }
    if !w.thread_group_empty(caller) {
        w.because(&rule::UNSHARE_PER_THREAD, caller);
    }
}
