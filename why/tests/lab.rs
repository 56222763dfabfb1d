//! The states that the library's scenarios come to, as `why` sees them from outside: it names who is in the way, and what it says would help, helps.
//!
//! What is expected comes from what was observed of the scenario (who is whose parent, and in which namespace), and not from `/proc`.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};

use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{
    Call, KillTarget, NamespaceId, Observation, ProcessView, Role, Scenario, Signal, State, Step, Target, WaitOptions,
    WaitTarget, library,
};
use pidlab_why::{Doing, Help, Holder, How, Procfs, Report, Snapshot, Who, explain, explain_process};

/// The scenarios of the library that this kernel can run.
fn scenarios(lab: &Lab) -> Vec<Scenario> {
    let read = library::files()
        .map(|file| Scenario::parse(&file.name, &file.path, file.text).expect("the library is well formed"));
    read.filter(|scenario| scenario.needs.iter().all(|need| need.is_met(&lab.kernel().facts))).collect()
}

/// Who is in the way of an init, how, and because of whom.
type Held = BTreeSet<(Role, &'static str, Option<Role>)>;

/// Which process is whose role: those below a process that have the PIDs of the role.
fn roles(snapshot: &Snapshot, observation: &Observation, above: u32) -> BTreeMap<u32, Role> {
    let parents: BTreeMap<u32, u32> = snapshot.processes.iter().map(|it| (it.pid, it.parent)).collect();
    let is_below =
        |pid: u32| std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).take(100).any(|pid| pid == above);
    let below: Vec<_> = snapshot.processes.iter().filter(|process| is_below(process.pid)).collect();
    // The scenario's outermost namespace lies so many levels down.
    let at = |levels: usize| -> BTreeMap<u32, Role> {
        let of = |view: &ProcessView| {
            let mut found = below.iter().filter(|process| process.numbers.get(levels..) == Some(&view.pids[..]));
            found.next().map(|process| (process.pid, view.role))
        };
        observation.processes.iter().filter(|view| view.thread_of.is_none()).filter_map(of).collect()
    };
    let leaders = observation.processes.iter().filter(|view| view.thread_of.is_none()).count();
    (1..=32).map(at).find(|found| found.len() == leaders).expect("every role is a process")
}

/// Who is in the way of an init, how, and because of whom: from what was observed of the scenario.
fn expected(observation: &Observation, init: &ProcessView) -> Held {
    let inside = |view: &ProcessView| view.namespaces.contains(own(init));
    let role_is_inside = |role: Role| observation.process(role).is_some_and(inside);
    let inner: Vec<&ProcessView> = observation
        .processes
        .iter()
        .filter(|it| it.state == State::Exiting && it.role != init.role && inside(it))
        .collect();
    let mut found = BTreeSet::new();
    for view in observation.processes.iter().filter(|it| inside(it) && it.role != init.role && it.thread_of.is_none()) {
        let is_said_there = inner.iter().any(|other| other.role != view.role && view.namespaces.contains(own(other)));
        match view.state {
            _ if is_said_there => {}
            State::Exiting => drop(found.insert((view.role, "nested", None))),
            State::Zombie => match (view.tracer, view.parent) {
                (Some(tracer), parent) if Some(tracer) != parent => {
                    if !role_is_inside(tracer) {
                        found.insert((view.role, "traced", Some(tracer)));
                    }
                }
                (_, Some(parent)) if role_is_inside(parent) => {}
                (_, parent) => drop(found.insert((view.role, "unreaped", parent))),
            },
            _ => {}
        }
    }
    found
}

/// The namespace that a process is in.
fn own(view: &ProcessView) -> &NamespaceId {
    view.namespaces.last().expect("a process is in a namespace")
}

/// What `why` says of it, in the same words.
fn said(report: &Report, init: u32, roles: &BTreeMap<u32, Role>) -> Held {
    let role = |who: &Who| *roles.get(&who.pid).expect("only processes of the scenario are in the way");
    let finding = report.findings.iter().find(|it| it.who.pid == init).expect("it is found");
    let by = |holder: &Holder| {
        holder.by.as_ref().and_then(|by| by.who.as_ref()).and_then(|who| roles.get(&who.pid).copied())
    };
    let said = |holder: &Holder| match holder.how {
        How::Unreaped => (role(&holder.who), "unreaped", by(holder)),
        How::Traced => (role(&holder.who), "traced", by(holder)),
        How::NestedInit => (role(&holder.who), "nested", None),
        ref other => panic!("no scenario comes to {other:?}"),
    };
    let certain = finding.holders.iter().filter(|holder| !matches!(holder.how, How::PerhapsGroup { .. }));
    certain.map(said).collect()
}

#[test]
fn it_names_who_is_in_the_way_wherever_the_library_comes_to_that() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let (mut stuck, mut by_group, mut zombies, mut deadlocks) = (BTreeSet::new(), BTreeSet::new(), 0, 0);
    for scenario in scenarios(&lab) {
        let above = lab.helper_pid().expect("a lab has a helper");
        let held = |observation: &Observation| {
            let odd = |view: &&ProcessView| matches!(view.state, State::Exiting | State::Zombie);
            if !observation.processes.iter().any(|view| odd(&view)) {
                return;
            }
            let snapshot = Procfs::default().read().expect("there is a procfs");
            let roles = roles(&snapshot, observation, above);
            for (pid, role) in &roles {
                let view = observation.process(*role).expect("it is one of them");
                match view.state {
                    State::Exiting => {
                        let expected = expected(observation, view);
                        assert_eq!(said(&explain(&snapshot), *pid, &roles), expected, "{}", scenario.name);
                        let alone = explain_process(&snapshot, *pid).expect("it is there");
                        assert_eq!(said(&alone, *pid, &roles), expected, "{}", scenario.name);
                        nothing_false_is_said_where_little_is_seen(&snapshot, *pid, &roles, &expected);
                        assert!(alone.findings[0].stuck, "{}: {alone:?}", scenario.name);
                        stuck.insert(scenario.name.clone());
                        for holder in &alone.findings[0].holders {
                            deadlocks += usize::from(is_deadlock(holder, *pid, observation, &roles));
                        }
                        if expected.is_empty() {
                            let outsider = |it: &Holder| roles.contains_key(&it.who.pid);
                            assert!(alone.findings[0].holders.iter().any(outsider), "{}: {alone:?}", scenario.name);
                            by_group.insert(scenario.name.clone());
                        }
                    }
                    State::Zombie => zombies += usize::from(is_explained(&snapshot, *pid, view, observation, &roles)),
                    _ => {}
                }
            }
        };
        lab.run_held(&scenario, held).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    }
    for name in [
        "death/not-gone-yet",
        "death/stuck-all-the-way-up",
        "death/the-last-number-wakes",
        "tracing/held-up-by-a-tracer",
    ] {
        assert!(stuck.contains(name), "{name} is not among {stuck:?}");
    }
    assert_eq!(by_group.iter().collect::<Vec<_>>(), ["death/stuck-without-a-zombie"]);
    assert!(deadlocks > 0, "death/the-classic-deadlock is one");
    assert!(stuck.len() >= 15 && zombies > 200, "{} stuck, {zombies} zombies", stuck.len());
}

/// Whether who should wait sleeps in a wait for the init; it is said of those who are blocked, and of nobody else.
fn is_deadlock(holder: &Holder, init: u32, observation: &Observation, roles: &BTreeMap<u32, Role>) -> bool {
    let Some(by) = &holder.by else { return false };
    let role = by.who.as_ref().and_then(|who| roles.get(&who.pid));
    let is_blocked = role.and_then(|role| observation.process(*role)).is_some_and(|view| view.state == State::Blocked);
    let waits = matches!(&by.does, Doing::WaitsFor { whom, .. } if whom.pid == init);
    assert_eq!(waits, is_blocked, "{holder:?}");
    assert_eq!(waits, holder.rules.iter().any(|rule| rule == "zap.classic-deadlock"), "{holder:?}");
    waits
}

/// Who may not trace the others is told neither namespaces nor calls: whoever is named all the same, without a doubt, is in the way.
fn nothing_false_is_said_where_little_is_seen(
    snapshot: &Snapshot,
    init: u32,
    roles: &BTreeMap<u32, Role>,
    expected: &Held,
) {
    let mut hidden = snapshot.clone();
    hidden.processes.iter_mut().for_each(|process| process.namespace = None);
    let mut report = explain(&hidden);
    report.findings.iter_mut().for_each(|finding| finding.holders.retain(|holder| holder.certain));
    let said = said(&report, init, roles);
    assert!(said.is_subset(expected), "{said:?}, and there are {expected:?}");
}

/// Whether a zombie's parent or tracer is to blame, and named.
fn is_explained(
    snapshot: &Snapshot,
    pid: u32,
    view: &ProcessView,
    observation: &Observation,
    roles: &BTreeMap<u32, Role>,
) -> bool {
    let report = explain_process(snapshot, pid).expect("it is there");
    let mut threads = observation.processes.iter().filter(|other| other.thread_of == Some(view.role));
    let Some(holder) = report.findings[0].holders.first() else {
        assert!(threads.next().is_none(), "{view:?} has threads, and nothing is said of them");
        return false;
    };
    if let How::ThreadsLeft { threads: said } = &holder.how {
        assert_eq!(said.len(), threads.count(), "{view:?} is explained by {holder:?}");
        return true;
    }
    assert!(threads.next().is_none(), "{view:?} has threads, and is explained by {holder:?}");
    let by = holder.by.as_ref().and_then(|by| by.who.as_ref()).and_then(|who| roles.get(&who.pid).copied());
    let should = view.tracer.or(view.parent);
    // Outside of the scenario is nobody who waits.
    assert!(should.is_none() || by == should, "{view:?} is explained by {holder:?}");
    true
}

/// Plays what helps until nobody is stuck any more, and says how many steps that took.
#[test]
fn what_it_says_would_help_helps() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let mut helped = BTreeSet::new();
    for scenario in scenarios(&lab) {
        for length in stuck_after(&mut lab, &scenario) {
            let mut played = scenario.clone();
            played.steps.truncate(length);
            played.steps.iter_mut().for_each(|step| (step.expect, step.claims) = (None, Vec::new()));
            let mut helps = 0;
            while let Some(next) = next_help(&mut lab, &played) {
                played.steps.push(next);
                helps += 1;
                assert!(helps < 12, "{} after step {length}: {:?}", scenario.name, &played.steps[length..]);
            }
            assert!(helps > 0, "{} after step {length}", scenario.name);
            helped.insert(scenario.name.clone());
        }
    }
    assert!(helped.len() >= 15, "{helped:?}");
}

/// After how many steps an init waits.
fn stuck_after(lab: &mut Lab, scenario: &Scenario) -> Vec<usize> {
    let run = lab.run_held(scenario, |_| {}).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
    let is_stuck = |seen: &Observation| seen.processes.iter().any(|view| view.state == State::Exiting);
    let stuck: Vec<usize> = (1..run.observations.len()).filter(|step| is_stuck(&run.observations[*step])).collect();
    // What comes right after another is mostly the same: the first and the last will do.
    stuck.first().into_iter().chain(stuck.last().filter(|last| Some(*last) != stuck.first())).copied().collect()
}

/// What `why` says would help in the world after these steps, as a step; nothing if nobody is stuck there.
fn next_help(lab: &mut Lab, played: &Scenario) -> Option<Step> {
    let above = lab.helper_pid().expect("a lab has a helper");
    let (mut at, mut help) = (0, None);
    let run = lab.run_held(played, |observation| {
        if at == played.steps.len() && observation.processes.iter().any(|view| view.state == State::Exiting) {
            let snapshot = Procfs::default().read().expect("there is a procfs");
            help = first_help(&snapshot, observation, &roles(&snapshot, observation, above));
            assert!(help.is_some(), "{}: nothing is said that helps", played.name);
        }
        at += 1;
    });
    run.unwrap_or_else(|why| panic!("{}: {why}", played.name));
    help
}

/// The first thing that is said to help and that a role can do as it is.
fn first_help(snapshot: &Snapshot, observation: &Observation, roles: &BTreeMap<u32, Role>) -> Option<Step> {
    let report = explain(snapshot);
    let about = report.findings.iter().filter(|finding| roles.contains_key(&finding.who.pid));
    let helps = about.flat_map(|finding| &finding.holders).flat_map(|holder| &holder.helps);
    let role = |who: &Who| roles.get(&who.pid).copied();
    let can_act = |role: &Role| observation.process(*role).is_some_and(|view| view.state == State::Running);
    let mut steps = helps.filter_map(|help| match help {
        Help::Wait { by: Some(by), whom, .. } => {
            let target = WaitTarget::Pid(Target::Role(role(whom)?));
            let options = WaitOptions::__WALL | WaitOptions::WNOHANG;
            Some(Step::new(role(by).filter(can_act)?, Call::Wait { target, options }))
        }
        Help::LeaveGroup { who, by } if who == by => {
            let own = Target::Number(0);
            Some(Step::new(role(who).filter(can_act)?, Call::Setpgid { pid: own, group: own }))
        }
        // Nothing of a scenario is dear.
        Help::End { who, .. } => {
            let target = KillTarget::Pid(Target::Role(role(who).filter(|role| *role != Role::HOST)?));
            Some(Step::new(Role::HOST, Call::Kill { target, signal: Some(Signal::KILL) }))
        }
        _ => None,
    });
    steps.next()
}
