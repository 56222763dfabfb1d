//! What somebody does who should wait, and what would make him.

use crate::finding::{By, Doing, Help, Who};
use crate::places::Places;
use crate::snapshot::{Call, Process};

/// SIGCHLD, which is 17 on every machine that pidlab runs on.
const SIGCHLD: i32 = 17;

/// A process as it is mentioned.
pub(crate) fn who(places: &Places<'_>, process: usize) -> Who {
    let Process { pid, name, numbers, started, .. } = &places.processes[process];
    Who { pid: *pid, name: name.clone(), numbers: numbers.clone(), started: *started }
}

/// Who should wait for a dead process, and what that one does instead.
pub(crate) fn by(places: &Places<'_>, whose: Option<usize>, dead: &Process, as_parent: bool) -> By {
    let process = whose.map(|whose| &places.processes[whose]);
    By {
        who: whose.map(|whose| who(places, whose)),
        does: whose.map_or(Doing::Unknown, |whose| doing(places, whose)),
        ignores_sigchld: process.is_some_and(|process| process.ignores_sigchld),
        // A tracer is told of every end by SIGCHLD, and needs to ask for no kind.
        exit_signal: (as_parent && dead.exit_signal != SIGCHLD).then_some(dead.exit_signal),
    }
}

/// What a process does.
pub(crate) fn doing(places: &Places<'_>, whose: usize) -> Doing {
    let process = &places.processes[whose];
    match process.state {
        _ if process.is_frozen() => Doing::Frozen,
        'T' => Doing::Stopped,
        't' => Doing::HeldByTracer,
        _ if process.is_leaving() => Doing::Leaves,
        'R' => Doing::Runs,
        // Its first thread has ended, and what the others do is not one thing.
        'Z' | 'X' => Doing::Sleeps { place: None },
        _ => {
            let detail = process.detail.as_ref();
            let call = detail.and_then(|detail| detail.call.as_ref());
            let waits = call.and_then(|call| waits(places, whose, call, detail?.pidfd_of));
            waits.unwrap_or_else(|| Doing::Sleeps {
                place: call.map(|call| call.name.clone()).or_else(|| process.wchan().map(str::to_owned)),
            })
        }
    }
}

/// For whom a wait waits: wait4(2), waitid(2).
fn waits(places: &Places<'_>, whose: usize, call: &Call, pidfd_of: Option<u32>) -> Option<Doing> {
    let first = *call.arguments.first()?;
    let own = places.namespace(whose)?;
    let of_number = |number: u32| places.with_number(own, number);
    // The kernel takes 32 bits of the argument, and the sign with them.
    let (whom, any) = match (call.name.as_str(), first as u32 as i32) {
        ("wait4", number) if number > 0 => (of_number(number.unsigned_abs()), false),
        ("wait4", -1) | ("waitid", 0) => (None, true),
        ("waitid", 1) => (of_number(u32::try_from(*call.arguments.get(1)?).ok()?), false),
        ("waitid", 3) => (places.process(pidfd_of?), false),
        _ => (None, false),
    };
    let call = call.name.clone();
    match whom {
        Some(whom) => Some(Doing::WaitsFor { whom: who(places, whom), call }),
        None if any => Some(Doing::WaitsForAny { call }),
        None => None,
    }
}

/// What makes somebody wait for a dead process, and what would do in place of that.
pub(crate) fn to_reap(places: &Places<'_>, whose: Option<usize>, dead: usize, as_parent: bool) -> Vec<Help> {
    let mut helps = Vec::new();
    if let Some(whose) = whose {
        match doing(places, whose) {
            Doing::Stopped => helps.push(Help::Continue { who: who(places, whose) }),
            Doing::Frozen => helps.push(Help::Thaw { who: who(places, whose) }),
            Doing::HeldByTracer => {
                let tracer = places.process(places.processes[whose].tracer).map(|tracer| who(places, tracer));
                helps.push(Help::LetGo { tracer, who: who(places, whose) });
            }
            _ => {}
        }
    }
    let number = whose.and_then(|whose| places.number(dead, places.namespace(whose)?));
    let of_all_kinds = as_parent && places.processes[dead].exit_signal != SIGCHLD;
    let by = whose.map(|whose| who(places, whose));
    helps.push(Help::Wait { by, whom: who(places, dead), number, of_all_kinds });
    // With the end of an init everybody in its namespace ends: that is no help.
    if let Some(whose) = whose.filter(|whose| !places.processes[*whose].is_init()) {
        let adopter = if as_parent { places.adopter(whose) } else { None };
        helps.push(Help::End { who: who(places, whose), adopter: adopter.map(|adopter| who(places, adopter)) });
    }
    helps
}
