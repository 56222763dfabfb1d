//! Every order of events.
//!
//! Whose turn comes next is the scheduler's choice, so each choice is tried. Orders that lead to the same world meet
//! there again: with `k` independent events there are `2^k` worlds on the way, not `k!` orders.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::World;
use crate::process::Life;

/// How many worlds are looked at in one step. Beyond, only first come first served: the set of outcomes is then not
/// complete. A step of a scenario with a dozen processes stays below.
const MOST_WORLDS: usize = 4096;

/// The quiet worlds that this one can become; the first by events in the order in which they came up.
pub(super) fn explore(world: World) -> Vec<World> {
    let mut quiet = Vec::new();
    let mut met = HashSet::new();
    let mut open = vec![world];
    while let Some(mut world) = open.pop() {
        advance(&mut world);
        if met.len() >= MOST_WORLDS {
            world.settle();
        }
        if !world.runnable.is_empty() || !quiet.is_empty() {
            let mut hasher = DefaultHasher::new();
            world.hash(&mut hasher);
            if !met.insert(hasher.finish()) {
                continue;
            }
        }
        if world.runnable.is_empty() {
            // The first is not entered above, so that a step without a choice costs no hashing.
            if quiet.first() != Some(&world) {
                quiet.push(world);
            }
            continue;
        }
        // The last one pushed goes on first: the one that was first in the queue.
        for next in world.runnable.iter().copied().rev() {
            if world.may_adopt_while_doomed(next) {
                let mut leaving = world.clone();
                leaving.start_leaving(next);
                open.push(leaving);
            }
            let mut looked = world.clone();
            if looked.only_looks(next) {
                open.push(looked);
            }
            let mut ran = world.clone();
            ran.run_queued(next);
            open.push(ran);
        }
    }
    assert!(!quiet.is_empty(), "every order of events comes to an end");
    quiet
}

/// Lets happen what is no choice.
fn advance(world: &mut World) {
    while world.runnable.len() == 1 {
        let only = world.runnable[0];
        if !world.only_looks(only) {
            world.run_queued(only);
        }
    }
    // When the outermost init has ended, nobody is left to see in which order the others did.
    if world.process(world.host()).life == Life::Zapping {
        world.settle();
    }
}
