//! The space against an enumeration that knows neither keys nor hashes: scenarios as lists of steps, each replayed from its start.

use pidlab_explore::{Alphabet, Bounds, Plan, Space};
use pidlab_scenario::{
    Call, CloneFlags, Entrance, ExitSignal, Facts, KillTarget, Role, SetnsVia, Signal, SignalAction, State, Step,
    Target, WaitOptions, WaitTarget,
};
use pidlab_sim::{NsId, Position, TaskId, World};

const STEPS: usize = 3;
const PROCESSES: usize = 3;

fn bounds(steps: usize) -> Bounds {
    let mut bounds = Bounds::default();
    bounds.steps = u16::try_from(steps).expect("a few");
    bounds.processes = PROCESSES;
    // More than so few steps can make.
    bounds.namespaces = 10;
    bounds
}

fn explore(alphabet: &str, steps: usize) -> Space {
    let alphabet = Alphabet::from_words(alphabet).expect("there are these calls");
    Space::explore(&Plan::new(alphabet, bounds(steps)), |_, _| true).expect("nobody gives it up")
}

/// What a process may call, written out by hand: `kills` for the calls that send signals or set what is done with one.
fn calls(position: &Position, by: Role, child: Role, kills: bool) -> Vec<Call> {
    let clone =
        Call::Clone { child, flags: CloneFlags::CLONE_NEWPID, exit_signal: ExitSignal::Default, set_tid: vec![] };
    let mut calls = vec![
        Call::Unshare { flags: CloneFlags::CLONE_NEWPID },
        Call::Exit { status: 0 },
        Call::Wait { target: WaitTarget::Any, options: WaitOptions::empty() },
        Call::Wait { target: WaitTarget::Any, options: WaitOptions::WNOHANG },
        Call::SetChildSubreaper { on: true },
    ];
    if position.roles().count() < PROCESSES {
        calls.extend([Call::Fork { child }, clone]);
    }
    for (role, _) in position.roles() {
        calls.push(Call::Setns { to: Entrance::Process(role), via: SetnsVia::NsPid, nstype: None });
        if kills && position.has_number(by, role) {
            for signal in [Signal::KILL, Signal::TERM] {
                calls.push(Call::Kill { target: KillTarget::Pid(Target::Role(role)), signal: Some(signal) });
            }
        }
    }
    if kills {
        let everybody = KillTarget::Pid(Target::Number(-1));
        calls.push(Call::Kill { target: everybody, signal: Some(Signal::KILL) });
        calls.push(Call::Sigaction { signal: Signal::CHLD, action: SignalAction::Ignore });
    }
    calls
}

/// Every scenario of each length, as the positions that they lead to: each scenario's own, however alike they are.
fn scenarios(steps: usize, kills: bool) -> Vec<Vec<Position>> {
    let mut all = vec![vec![Position::start(&Facts::newest(), None)]];
    for length in 0..steps {
        let mut longer = Vec::new();
        for position in &all[length] {
            let child = Role(u16::try_from(position.named()).expect("a few"));
            let acting: Vec<Role> = position.roles().map(|(role, _)| role).collect();
            for by in acting.into_iter().filter(|role| position.state(*role) == Some(State::Running)) {
                for call in calls(position, by, child, kills) {
                    let ways = position.after(&Step::new(by, call), 1000).expect("it can act").ways;
                    let mut met = Vec::new();
                    for way in ways {
                        // Two orders of events after which nothing is different are one outcome.
                        let own = (way.happened, description(&way.position));
                        if !met.contains(&own) {
                            met.push(own);
                            longer.push(way.position);
                        }
                    }
                }
            }
        }
        all.push(longer);
    }
    all
}

/// All that can be asked of a world in which nobody was killed and nobody has set anything for a signal, by the places of its processes in the
/// order of their births.
fn description(position: &Position) -> Vec<Vec<usize>> {
    let world: &World = position.world();
    let tasks: Vec<TaskId> = position.roles().map(|(_, task)| task).collect();
    let place =
        |task: Option<TaskId>| task.and_then(|task| tasks.iter().position(|known| *known == task)).unwrap_or(99);
    let mut met: Vec<NsId> = Vec::new();
    let mut name = |ns: NsId| {
        met.iter().position(|known| *known == ns).unwrap_or_else(|| {
            met.push(ns);
            met.len() - 1
        })
    };
    let mut lines = Vec::new();
    for (role, task) in position.roles() {
        let mut line = vec![
            position.state(role).map_or(99, |state| state as usize),
            place(world.parent(task)),
            usize::from(world.is_child_subreaper(task)),
        ];
        for start in [Some(world.namespace(task)), world.namespace_for_children(task)] {
            line.push(99);
            let mut at = start;
            while let Some(ns) = at {
                line.extend([name(ns), place(world.init(ns)), usize::from(world.is_unborn(ns))]);
                at = world.parent_namespace(ns);
            }
        }
        line.push(99);
        line.extend(world.children(task).map(|child| place(Some(child))));
        lines.push(line);
    }
    lines
}

#[test]
fn there_are_as_many_scenarios_as_are_written_out_one_by_one() {
    let space = explore("core", STEPS);
    let naive: Vec<u128> = scenarios(STEPS, true).iter().map(|all| all.len() as u128).collect();
    assert_eq!(space.scenarios(), naive);
    assert!(naive[STEPS] > 2_000, "{naive:?}");
}

#[test]
fn there_are_as_many_states_as_worlds_that_differ_in_words() {
    const CALLS: &str =
        "fork,clone CLONE_NEWPID,unshare CLONE_NEWPID,setns ns/pid,exit,wait any,wait any WNOHANG,set_child_subreaper";
    let space = explore(CALLS, STEPS);
    let mut descriptions: Vec<Vec<Vec<usize>>> = Vec::new();
    for position in scenarios(STEPS, false).iter().flatten() {
        let own = description(position);
        if !descriptions.contains(&own) {
            descriptions.push(own);
        }
    }
    assert_eq!(space.graph().node_count(), descriptions.len());
    assert!(descriptions.len() > 100);
}
