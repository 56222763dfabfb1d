//! One world of a scenario to go on from in every direction: what an exploration walks on.

use pidlab_scenario::syscall::Roles;
use pidlab_scenario::{Facts, Observation, Refusal, Role, Signal, State, Step};

use super::Happened;
use super::cast::Branch;
use super::key::{self, Numbers};
use crate::objects::ids::{NsId, TaskId};
use crate::order::spare::Spare;
use crate::{Misconception, World};

/// A world that a scenario has led to, with the names of its processes. Whoever takes a step from here learns every outcome that Linux
/// may choose, and leaves this one as it is.
///
/// ```
/// use pidlab_scenario::{Call, Facts, Outcome, Role, Step};
/// use pidlab_sim::{Numbers, Position};
///
/// let start = Position::start(&Facts::newest(), None);
/// let fork = Step::new(Role::HOST, Call::Fork { child: Role(1) });
/// let outcomes = start.after(&fork, 100).expect("host can act");
/// assert_eq!(outcomes.ways.len(), 1);
/// assert_eq!(outcomes.ways[0].happened.outcome, Outcome::Ok(2));
///
/// let (mut before, mut after) = (Vec::new(), Vec::new());
/// start.key(Numbers::Exact, &mut before);
/// outcomes.ways[0].position.key(Numbers::Exact, &mut after);
/// assert_ne!(before, after);
/// ```
#[derive(Clone)]
pub struct Position(pub(super) Branch);

/// One way in which a step may come out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Way {
    /// The world that it leads to.
    pub position: Position,
    /// What was heard of on the way.
    pub happened: Happened,
}

/// Every way in which a step may come out.
#[derive(Clone)]
#[non_exhaustive]
pub struct Ways {
    /// The first is the one where events happen first come first served. Two of them may look the same and differ in what nobody has seen
    /// yet.
    pub ways: Vec<Way>,
    /// Whether these are all.
    pub complete: bool,
}

impl Position {
    /// The start of every scenario, on a kernel with these facts.
    pub fn start(facts: &Facts, misconception: Option<Misconception>) -> Position {
        let mut branch = Branch::new(facts, misconception, 1);
        branch.world.record_reasons(false);
        // The outermost namespace is the first one that is shown.
        branch.observe(None, Vec::new());
        Position(branch)
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// The roles that are not released, with their tasks, in the order of roles.
    pub fn roles(&self) -> impl Iterator<Item = (Role, TaskId)> + '_ {
        self.0.known_roles()
    }

    /// The roles that were born and are released, in the order of roles.
    pub fn released(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.released_roles()
    }

    /// How many roles were ever given a name: the number of the next one.
    pub fn named(&self) -> usize {
        self.0.named()
    }

    /// What a role is doing; `None` if it is not born or released.
    pub fn state(&self, role: Role) -> Option<State> {
        Roles::state(&self.0, role)
    }

    /// Whether `role` has, or last had, a number in the namespace of `caller`.
    pub fn has_number(&self, caller: Role, role: Role) -> bool {
        self.0.number_of(caller, role).is_some()
    }

    /// Whether a role has a handler for a signal.
    pub fn catches(&self, role: Role, signal: Signal) -> bool {
        self.0.catches(role, signal)
    }

    /// The signals that a role blocks.
    pub fn mask(&self, role: Role) -> Vec<Signal> {
        self.0.mask(role)
    }

    /// The number of the outermost namespace that is tried next.
    pub fn next_number(&self) -> u32 {
        self.0.world.ns(NsId::OUTERMOST).cursor
    }

    /// Every outcome that a step may have, found among at most so many worlds.
    ///
    /// # Errors
    /// The step cannot be taken, or no machine with real processes may take it.
    pub fn after(&self, step: &Step, most: usize) -> Result<Ways, Refusal> {
        self.after_with(step, most, &mut Spare::default())
    }

    /// The same, for who takes very many steps: copies are made in the memory of positions that were given back ([`Position::give_back`]).
    ///
    /// # Errors
    /// As those of [`Position::after`].
    pub fn after_with(&self, step: &Step, most: usize, spare: &mut Spare) -> Result<Ways, Refusal> {
        let (ways, complete) = self.settled_after(step, most, spare, |branch| branch.happen(step))?;
        let ways = ways.into_iter().map(|(position, happened)| Way { position, happened }).collect();
        Ok(Ways { ways, complete })
    }

    /// The same with what would be observed: for whoever compares with another world, or a kernel.
    ///
    /// # Errors
    /// As those of [`Position::after`].
    pub fn observed_after(&self, step: &Step, most: usize) -> Result<(Vec<(Position, Observation)>, bool), Refusal> {
        self.settled_after(step, most, &mut Spare::default(), |branch| branch.conclude(step).observation)
    }

    /// Gives up this position.
    pub fn give_back(self, to: &mut Spare) {
        to.take_back(self.0.world);
    }

    /// The quiet worlds that a step leads to, each with what `end` makes of it, and whether these are all.
    fn settled_after<T>(
        &self,
        step: &Step,
        most: usize,
        spare: &mut Spare,
        end: impl Fn(&mut Branch) -> T,
    ) -> Result<(Vec<(Position, T)>, bool), Refusal> {
        self.0.refuse_harm(step)?;
        let (mut complete, mut ways) = (true, Vec::with_capacity(1));
        for begun in self.0.begin_all(step, spare)? {
            let (quiet, whole) = begun.settled(most, spare);
            complete &= whole;
            ways.extend(quiet.into_iter().map(|mut branch| {
                let came = end(&mut branch);
                (Position(branch), came)
            }));
        }
        Ok((ways, complete))
    }

    /// Writes down everything that can still make a difference, behind what stands in `bytes`: two positions with the same key go on in the
    /// same ways for ever, with other names for their processes.
    ///
    /// What is left out is history: which slot an object stands in, how many were there before it, how many births and namespaces there have
    /// been (the order of births stays), which credentials were ever met. With [`Numbers::Renamed`] also which numbers processes have, and who
    /// is reaped.
    pub fn key(&self, numbers: Numbers, bytes: &mut Vec<u8>) {
        key::write(&self.0, numbers, bytes);
    }
}
