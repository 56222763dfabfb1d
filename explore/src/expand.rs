//! From states to those after them: the work of one thread.

use std::collections::BTreeMap;
use std::ops::Range;

use pidlab_sim::{Position, Spare};

use crate::hash::{Hash128, SetHash};
use crate::moves::{self, Came, Move};
use crate::plan::Plan;
use crate::property;
use crate::trail::{self, Trail};

/// A transition that was found.
pub(crate) struct Found {
    pub(crate) from: u32,
    pub(crate) step: Move,
    pub(crate) way: u16,
    pub(crate) open: bool,
    pub(crate) key: Hash128,
    /// The properties that are shown, or shown to be wrong.
    pub(crate) hits: u32,
}

/// What some states lead to.
pub(crate) struct Expanded {
    pub(crate) found: Vec<Found>,
    pub(crate) hash: SetHash,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) given_up: u64,
}

/// A thread's own things, kept from one piece of work to the next.
pub(crate) struct Worker<'p> {
    plan: &'p Plan,
    trail: Trail<Position>,
    moves: Vec<Move>,
    bytes: Vec<u8>,
    spare: Spare,
    /// The hash of each call with its arguments: their order in the table is nothing to hang a result on.
    words: Vec<Hash128>,
}

impl<'p> Worker<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Worker<'p> {
        let start = Position::start(&plan.facts, plan.misconception);
        let words = crate::calls::KINDS.iter().map(|kind| Hash128::of(kind.word.as_bytes())).collect();
        Worker { plan, trail: Trail::new(start), moves: Vec::new(), bytes: Vec::new(), spare: Spare::default(), words }
    }

    /// Tries every move from these states; `before` says how each was come to.
    pub(crate) fn expand(&mut self, before: &dyn Fn(u32) -> trail::Came, states: Range<usize>) -> Expanded {
        let mut all = Expanded { found: Vec::new(), hash: SetHash::default(), refused: BTreeMap::new(), given_up: 0 };
        for state in states {
            self.state(before, u32::try_from(state).expect("there is memory for fewer states"), &mut all);
        }
        all
    }

    fn state(&mut self, before: &dyn Fn(u32) -> trail::Came, from: u32, all: &mut Expanded) {
        let numbers = self.plan.numbers;
        let again = |at: &Position, step, way| moves::go(at, step, way, numbers);
        let position = self.trail.go(from, before, again);
        moves::moves(position, &self.plan.alphabet, &self.plan.bounds, &mut self.moves);
        self.bytes.clear();
        position.key(self.plan.numbers, &mut self.bytes);
        let own = Hash128::of(&self.bytes);
        for step in &self.moves {
            let came = match moves::came(position, *step, self.plan.numbers, &mut self.bytes, &mut self.spare) {
                Ok((came, complete)) => {
                    all.given_up += u64::from(!complete);
                    came
                }
                Err(why) => {
                    *all.refused.entry(crate::told::reason(why)).or_default() += 1;
                    continue;
                }
            };
            let open = came.len() > 1;
            for (way, Came { position: after, key, happened }) in (0..).zip(came) {
                let places = Hash128([u64::from(step.by), u64::from(step.at)]);
                let word = self.words[usize::from(step.kind)];
                all.hash.add(Hash128::of_all(&[own, word, places, happened, key]));
                let hits = property::hits(position, &after, key == own);
                all.found.push(Found { from, step: *step, way, open, key, hits });
                after.give_back(&mut self.spare);
            }
        }
    }
}
