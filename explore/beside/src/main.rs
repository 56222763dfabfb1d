//! The explorer and [stateright](https://github.com/stateright/stateright) on one model, with one key for a state, one thread each, in turns.
//!
//! ```text
//! cargo run --release --manifest-path explore/beside/Cargo.toml
//! ```
//!
//! stateright asks for one state after each action, so the calls are those of which Linux has no choice how they come out. Both must find as many
//! states and as many transitions, or there is nothing to compare.
#![forbid(unsafe_code)]

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pidlab_explore::{Alphabet, Bounds, Plan, Space};
use pidlab_scenario::{
    Call, CallName, CloneFlags, ExitSignal, Facts, KillTarget, Role, Signal, State, Step, Target, WaitOptions,
    WaitTarget,
};
use pidlab_sim::{Numbers, Position};
use stateright::{Checker, Model, Property};

const CALLS: &str = "fork,clone CLONE_NEWPID,exit,wait any WNOHANG,kill SIGTERM,set_child_subreaper";
const TURNS: usize = 5;
const MOST_WORLDS: usize = 200_000;

/// The same moves as the explorer makes of [`CALLS`].
struct Pids {
    bounds: Bounds,
}

/// A position, known by its key.
#[derive(Clone)]
struct World {
    position: Arc<Position>,
    key: u64,
}

impl World {
    fn new(position: Position) -> World {
        let mut bytes = Vec::new();
        position.key(Numbers::Renamed, &mut bytes);
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        World { position: Arc::new(position), key: hasher.finish() }
    }
}

impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        self.key == other.key
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.key)
    }
}

impl Model for Pids {
    type State = World;
    type Action = (Role, CallName, Role);

    fn init_states(&self) -> Vec<World> {
        vec![World::new(Position::start(&Facts::newest(), None))]
    }

    fn actions(&self, state: &World, actions: &mut Vec<Self::Action>) {
        let position = &*state.position;
        let world = position.world();
        let processes = world.tasks().filter(|task| world.leader(*task) == *task).count();
        let (room, deeper) = (processes < self.bounds.processes, world.namespaces().count() < self.bounds.namespaces);
        for (by, _) in position.roles().filter(|(role, _)| position.state(*role) == Some(State::Running)) {
            if room {
                actions.push((by, CallName::Fork, by));
            }
            if room && deeper {
                actions.push((by, CallName::Clone, by));
            }
            actions.extend([CallName::Exit, CallName::Wait, CallName::SetChildSubreaper].map(|call| (by, call, by)));
            let seen = position.roles().filter(|(at, _)| position.has_number(by, *at));
            actions.extend(seen.map(|(at, _)| (by, CallName::Kill, at)));
        }
    }

    fn next_state(&self, state: &World, (by, call, at): Self::Action) -> Option<World> {
        let child = Role(u16::try_from(state.position.named()).ok()?);
        let call = match call {
            CallName::Fork => Call::Fork { child },
            CallName::Clone => Call::Clone {
                child,
                flags: CloneFlags::CLONE_NEWPID,
                exit_signal: ExitSignal::Default,
                set_tid: Vec::new(),
            },
            CallName::Exit => Call::Exit { status: 0 },
            CallName::Wait => Call::Wait { target: WaitTarget::Any, options: WaitOptions::WNOHANG },
            CallName::Kill => Call::Kill { target: KillTarget::Pid(Target::Role(at)), signal: Some(Signal::TERM) },
            _ => Call::SetChildSubreaper { on: true },
        };
        let ways = state.position.after(&Step::new(by, call), MOST_WORLDS).ok()?.ways;
        ways.into_iter().next().map(|way| World::new(way.position))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing", |_, _| true)]
    }
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = what();
    (done, start.elapsed())
}

fn main() -> Result<(), String> {
    let mut bounds = Bounds::default();
    (bounds.steps, bounds.processes, bounds.namespaces) = (7, 5, 3);
    let plan = Plan::new(Alphabet::from_words(CALLS)?, bounds);
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let (space, time) = timed(|| Space::explore(&plan, |_, _| true));
        let space = space.ok_or("nobody gives it up")?;
        if space.open().0 > 0 {
            return Err(format!("{} moves come out in several ways", space.open().0));
        }
        own.push(time);
        let depth = usize::from(bounds.steps) + 1;
        let (checker, time) = timed(|| Pids { bounds }.checker().target_max_depth(depth).spawn_bfs().join());
        theirs.push(time);
        let (states, unique) = (space.graph().node_count(), checker.unique_state_count());
        println!("{states} states, {} transitions; stateright {unique} states", space.graph().edge_count());
        if states != unique {
            return Err("they have not explored the same".to_owned());
        }
    }
    let [own, theirs] = [own, theirs].map(|mut times| {
        times.sort_unstable();
        times
    });
    println!("calls: {CALLS}");
    println!(
        "of {TURNS} turns (fastest, median): the explorer {:.2?}, {:.2?}; stateright {:.2?}, {:.2?}",
        own[0],
        own[TURNS / 2],
        theirs[0],
        theirs[TURNS / 2]
    );
    println!(
        "stateright takes {:.2} times as long (medians)",
        theirs[TURNS / 2].as_secs_f64() / own[TURNS / 2].as_secs_f64()
    );
    Ok(())
}
