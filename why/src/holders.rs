//! Who keeps a PID in use, and how.

use std::collections::BTreeMap;

use crate::catalogue::{self, Entry};
use crate::deeds::{self, who};
use crate::finding::{By, Doing, Help, Holder, How, Who};
use crate::places::Places;
use crate::snapshot::Process;

/// More process groups than this are not named that may be in the way.
const MOST_PERHAPS: usize = 3;

/// A member of a namespace whose init has ended: how it holds its PID. Nothing if it goes by itself, or when another member goes.
pub(crate) fn of_member(places: &Places<'_>, namespace: usize, member: usize) -> Option<Holder> {
    let process = &places.processes[member];
    let is_nested = places.namespace(member) != Some(namespace) && process.is_init() && process.is_leaving();
    if is_nested {
        let help = Help::Inner { init: who(places, member) };
        return Some(holder(places, Some(namespace), member, How::NestedInit, None, vec![help]));
    }
    // The last threads of one whose first is dead can be held up in their exit, too.
    if process.is_dead() {
        return of_zombie(places, Some(namespace), member);
    }
    blocked(places, Some(namespace), member)
}

/// A process that is to end, or that was asked for, and cannot act.
pub(crate) fn of_itself(places: &Places<'_>, process: usize) -> Option<Holder> {
    let stopped = || {
        let seen = &places.processes[process];
        // SIGKILL ends a stop.
        (seen.state == 'T' && !seen.killed).then(|| {
            let help = Help::Continue { who: who(places, process) };
            holder(places, None, process, How::Stopped, None, vec![help])
        })
    };
    blocked(places, None, process).or_else(stopped)
}

/// Who does not go though it was killed; nothing of somebody who is merely on his way.
fn blocked(places: &Places<'_>, namespace: Option<usize>, member: usize) -> Option<Holder> {
    let process = &places.processes[member];
    let made = |how, by, help| Some(holder(places, namespace, member, how, by, vec![help]));
    match process.state {
        't' => {
            let tracer = places.process(process.tracer);
            let by = By {
                who: tracer.map(|tracer| who(places, tracer)),
                does: tracer.map_or(Doing::Unknown, |tracer| deeds::doing(places, tracer)),
                ignores_sigchld: false,
                exit_signal: None,
            };
            let help = Help::LetGo { tracer: by.who.clone(), who: who(places, member) };
            made(How::HeldByTracer, Some(by), help)
        }
        _ if process.is_frozen() => made(How::Frozen, None, Help::Thaw { who: who(places, member) }),
        'D' => {
            let wchan = process.wchan().map(str::to_owned);
            made(How::Uninterruptible { wchan: wchan.clone() }, None, Help::WhatItWaitsFor { wchan })
        }
        _ => None,
    }
}

/// A process whose first thread has ended. Of a member of a namespace it is asked who else is in the way.
pub(crate) fn of_zombie(places: &Places<'_>, namespace: Option<usize>, dead: usize) -> Option<Holder> {
    let process = &places.processes[dead];
    if process.state == 'X' {
        return None;
    }
    let is_inside = |other: usize| namespace.is_some_and(|namespace| places.is_inside(other, namespace));
    if process.threads > 1 {
        return threads_left(places, namespace, dead);
    }
    let parent = places.process(process.parent);
    let tracer = places.process(process.tracer).filter(|tracer| Some(*tracer) != parent);
    if let Some(tracer) = tracer {
        let by = deeds::by(places, Some(tracer), process, false);
        let helps = deeds::to_reap(places, Some(tracer), dead, false);
        // A tracer that is a member goes as all members do.
        return (!is_inside(tracer)).then(|| holder(places, namespace, dead, How::Traced, Some(by), helps));
    }
    if parent.is_some_and(is_inside) || parent.is_some_and(|parent| is_emptying(places, parent)) {
        // It waits for its children before it goes, or gives them to who does.
        return None;
    }
    let by = deeds::by(places, parent, process, true);
    let helps = deeds::to_reap(places, parent, dead, true);
    Some(holder(places, namespace, dead, How::Unreaped, Some(by), helps))
}

/// Whether somebody is an init in the teardown of its namespace, which waits for its own children.
fn is_emptying(places: &Places<'_>, process: usize) -> bool {
    places.processes[process].is_init() && places.processes[process].is_leaving()
}

/// A process of which threads are left. Where they have been killed, they are in the way only if they cannot act.
fn threads_left(places: &Places<'_>, namespace: Option<usize>, dead: usize) -> Option<Holder> {
    let process: &Process = &places.processes[dead];
    let cannot_act = |state: char| matches!(state, 'D' | 't') || namespace.is_none();
    let threads: Vec<(u32, Option<String>)> = process
        .living_threads()
        .filter(|thread| cannot_act(thread.state))
        .map(|thread| (thread.tid, thread.wchan.clone()))
        .collect();
    if threads.is_empty() && namespace.is_some() {
        return None;
    }
    let wchan = threads.first().and_then(|(_, wchan)| wchan.clone());
    let helps = if namespace.is_some() { vec![Help::WhatItWaitsFor { wchan }] } else { Vec::new() };
    Some(holder(places, namespace, dead, How::ThreadsLeft { threads }, None, helps))
}

/// The init itself, if it is in a process group that a member led which is gone.
pub(crate) fn own_group(places: &Places<'_>, namespace: usize, init: usize) -> Option<Holder> {
    let process = &places.processes[init];
    let group = *process.groups.get(places.namespaces[namespace].level)?;
    if group == 0 || places.with_number(namespace, group).is_some() {
        return None;
    }
    // Only a parent can move it, one that is not on its way out, and only while the child runs the parent's program (setpgid(2), EACCES).
    let parent = places.process(process.parent);
    let mover = parent.filter(|parent| process.has_not_executed() && !places.processes[*parent].is_exiting());
    let help = match mover {
        Some(parent) => Help::LeaveGroup { who: who(places, init), by: who(places, parent) },
        None => Help::Nothing,
    };
    Some(holder(places, Some(namespace), init, How::OwnGroup { group }, None, vec![help]))
}

/// Who is outside and in a process group whose leader is gone. That leader may have been a member: what a PID was inside is not told of a group
/// to whoever is outside. Those in the session of the init, and with a PID given out after the init's, come first.
pub(crate) fn perhaps_groups(places: &Places<'_>, namespace: usize, init: usize) -> Vec<Holder> {
    let level = places.namespaces[namespace].level;
    let inside_groups = |group: u32| {
        // Where a member of this group sees it as 0, it has no PID in the namespace.
        (0..places.processes.len()).any(|other| {
            let groups = &places.processes[other].groups;
            groups.first() == Some(&group) && groups.get(level) == Some(&0) && places.is_inside(other, namespace)
        })
    };
    let is_candidate = |index: &usize| {
        let process = &places.processes[*index];
        let group = process.groups.first().copied().unwrap_or(0);
        group != 0
            && !process.is_of_the_kernel()
            && !places.is_inside(*index, namespace)
            && places.process(group).is_none()
            && !inside_groups(group)
    };
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for index in (0..places.processes.len()).filter(is_candidate) {
        groups.entry(places.processes[index].groups[0]).or_default().push(index);
    }
    let mut groups: Vec<(u32, Vec<usize>)> = groups.into_iter().collect();
    // PIDs are given out in ascending order, until they begin again.
    let init = &places.processes[init];
    groups.sort_by_key(|(group, members)| (places.processes[members[0]].session != init.session, *group < init.pid));
    groups.truncate(MOST_PERHAPS);
    let made = |(group, members): (u32, Vec<usize>)| {
        let others: Vec<Who> = members[1..].iter().map(|member| who(places, *member)).collect();
        let leave = |member: &usize| {
            let me = who(places, *member);
            Help::LeaveGroup { who: me.clone(), by: me }
        };
        let mut helps: Vec<Help> = members.iter().map(leave).collect();
        if let [alone] = members[..] {
            helps.push(Help::End { who: who(places, alone), adopter: None });
        }
        let how = How::PerhapsGroup { group, others };
        Holder { certain: false, number: None, ..holder(places, Some(namespace), members[0], how, None, helps) }
    };
    groups.into_iter().map(made).collect()
}

fn holder(
    places: &Places<'_>,
    namespace: Option<usize>,
    process: usize,
    how: How,
    by: Option<By>,
    helps: Vec<Help>,
) -> Holder {
    let init = namespace.and_then(|namespace| places.namespaces[namespace].init);
    let for_the_init = match (&by, init) {
        (Some(by), Some(init)) => catalogue::waits_for(&by.does, places.processes[init].pid),
        _ => false,
    };
    let Entry { rules, scenario } = catalogue::entry(&how, namespace.is_some(), for_the_init);
    let mut rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
    if let Some(by) = &by {
        rules.extend(by.ignores_sigchld.then(|| catalogue::TOO_LATE.to_owned()));
        rules.extend(by.exit_signal.map(|_| catalogue::KINDS.to_owned()));
    }
    if helps.iter().any(|help| matches!(help, Help::End { adopter: Some(_), .. })) && namespace.is_some() {
        rules.push(catalogue::HANDED_ON.to_owned());
    }
    // Also where it is not certain that it is inside.
    let number = namespace
        .and_then(|namespace| places.processes[process].numbers.get(places.namespaces[namespace].level).copied());
    Holder {
        certain: true,
        who: who(places, process),
        number,
        how,
        by,
        helps,
        rules,
        scenario: scenario.map(str::to_owned),
    }
}
