//! From a snapshot to findings: a pure function.
//!
//! An init that has ended waits until every PID of its namespace is free but its own (kernel/pid_namespace.c:zap_pid_ns_processes). A PID is in
//! use as long as a process has it, living or zombie, as PID or TID; or as long as it names the process group or session of one
//! (kernel/pid.c:free_pid). Sessions hold nothing up: who is in a session that a member has made descends from that member, and is a member.

use crate::catalogue;
use crate::deeds::who;
use crate::finding::{Condition, Finding, Holder, How, Report};
use crate::holders;
use crate::places::Places;
use crate::snapshot::Snapshot;

/// Why the namespaces do not go away whose inits have ended or were killed; nothing is found where none is.
///
/// A finding may be of the moment: who is seen while it goes away looks as one who does not. Two snapshots with time between them tell
/// ([`Report::is_stuck`] in both).
///
/// # References
/// pid_namespaces(7), The namespace init process; kernel/pid_namespace.c:zap_pid_ns_processes.
pub fn explain(snapshot: &Snapshot) -> Report {
    let places = Places::of(snapshot);
    let mut leaving: Vec<usize> = (0..places.namespaces.len()).filter(|it| is_going(&places, *it)).collect();
    leaving.sort_by_key(|namespace| (places.namespaces[*namespace].level, places.namespaces[*namespace].init));
    let findings = leaving.into_iter().filter_map(|namespace| of_namespace(&places, namespace)).collect();
    Report { view: snapshot.view.clone(), findings }
}

/// The same about one process: of the namespace whose init it is, with the inner ones that hold that up; of a zombie why nobody has waited for
/// it; of anybody else what keeps it from acting. Nothing if there is no process with this PID.
pub fn explain_process(snapshot: &Snapshot, pid: u32) -> Option<Report> {
    let places = Places::of(snapshot);
    let asked = places.process(pid)?;
    let own = places.namespace(asked);
    let is_its_init = |namespace: &usize| places.namespaces[*namespace].init == Some(asked);
    let findings = match own.filter(is_its_init) {
        Some(own) if is_going(&places, own) => {
            let inner = (0..places.namespaces.len()).filter(|it| *it != own && places.lies_in(*it, own));
            let mut about: Vec<usize> = inner.filter(|it| is_going(&places, *it)).collect();
            about.sort_by_key(|namespace| places.namespaces[*namespace].level);
            about.insert(0, own);
            about.into_iter().filter_map(|namespace| of_namespace(&places, namespace)).collect()
        }
        _ => vec![of_process(&places, asked)],
    };
    Some(Report { view: snapshot.view.clone(), findings })
}

/// Whether the init of a namespace has ended or is to end. Of the procfs's own namespace, and of one whose init is not seen, nothing is known.
fn is_going(places: &Places<'_>, namespace: usize) -> bool {
    namespace != 0 && places.namespaces[namespace].init.is_some_and(|init| condition(places, init).is_some())
}

fn condition(places: &Places<'_>, init: usize) -> Option<Condition> {
    let process = &places.processes[init];
    if process.is_over() {
        // It is alone: it can be waited for, and nothing but that is left of its namespace.
        None
    } else if process.is_leaving() {
        Some(Condition::Emptying)
    } else if process.killed {
        Some(Condition::Killed)
    } else {
        None
    }
}

fn of_namespace(places: &Places<'_>, namespace: usize) -> Option<Finding> {
    let init = places.namespaces[namespace].init?;
    let condition = condition(places, init)?;
    let (mut found, mut following) = (Vec::new(), 0);
    if condition == Condition::Emptying {
        for process in (0..places.processes.len()).filter(|it| *it != init && places.is_inside(*it, namespace)) {
            // Who is inside a namespace below that is kept waiting itself is said there.
            if is_in_one_below(places, process, namespace) {
                following += 1;
                continue;
            }
            match holders::of_member(places, namespace, process) {
                Some(holder) => found.push(holder),
                None => following += 1,
            }
        }
        found.extend(holders::own_group(places, namespace, init));
        if found.is_empty() && following == 0 {
            found = perhaps(places, namespace, init);
        }
    } else {
        found.extend(holders::of_itself(places, init));
    }
    let seen = &places.processes[init];
    Some(Finding {
        who: who(places, init),
        condition,
        namespace: seen.namespace,
        stuck: !found.is_empty(),
        holders: found,
        following,
        rules: catalogue::rules(condition).iter().map(|rule| (*rule).to_owned()).collect(),
    })
}

/// Who may be in the way where nobody is known to be.
fn perhaps(places: &Places<'_>, namespace: usize, init: usize) -> Vec<Holder> {
    let members = places.perhaps_inside(namespace).into_iter();
    let held = members.filter_map(|process| holders::of_member(places, namespace, process));
    let members: Vec<Holder> = held.map(|holder| Holder { certain: false, ..holder }).collect();
    if members.is_empty() { holders::perhaps_groups(places, namespace, init) } else { members }
}

/// Whether a process is inside a namespace below this one whose init is on its way out, and is not that init.
fn is_in_one_below(places: &Places<'_>, process: usize, namespace: usize) -> bool {
    let Some(mut at) = places.namespace(process) else { return false };
    while at != namespace {
        let init = places.namespaces[at].init;
        if init.is_some_and(|init| init != process && condition(places, init) == Some(Condition::Emptying)) {
            return true;
        }
        match places.namespaces[at].around {
            Some(around) => at = around,
            None => return false,
        }
    }
    false
}

/// Of a process that is no init on its way out.
fn of_process(places: &Places<'_>, asked: usize) -> Finding {
    let process = &places.processes[asked];
    let holder: Option<Holder> = match process.is_dead() {
        true => holders::of_zombie(places, None, asked),
        false => holders::of_itself(places, asked),
    };
    let condition = match &holder {
        _ if process.is_dead() && process.is_init() && process.threads > 1 => Condition::Headless,
        Some(Holder { how: How::Unreaped | How::Traced | How::ThreadsLeft { .. }, .. }) => Condition::Unreaped,
        Some(_) => Condition::Held,
        None => Condition::Nothing,
    };
    Finding {
        who: who(places, asked),
        condition,
        namespace: process.namespace,
        // A first thread that has ended is nothing wrong, and neither is a stop.
        stuck: holder.as_ref().is_some_and(|holder| !matches!(holder.how, How::ThreadsLeft { .. } | How::Stopped)),
        holders: holder.into_iter().collect(),
        following: 0,
        rules: catalogue::rules(condition).iter().map(|rule| (*rule).to_owned()).collect(),
    }
}
