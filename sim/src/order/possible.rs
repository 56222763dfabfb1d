//! Could this be? Every order of turns, searched for those that lead to what was seen.
//!
//! Six children that die at once and are heard of by one handler have 1,956 outcomes and 35,695 worlds on the way, eight have millions.
//! Nobody has to list them: what a kernel showed says which child the handler heard of first, and every order that begins otherwise is
//! left at once. Orders that lead to the same world meet there again. So 4,200 worlds are looked at for six, and 37,400 for eight.
//!
//! ```text
//!   world ── whose turn? ──▶ a ──▶ world ── … ──▶ quiet: does it look like what was seen?
//!                       └──▶ b ──▶ world ✗ it has a handler note what was not seen
//! ```

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash};
use std::rc::Rc;

use foldhash::quality::FixedState;

use super::orders;
use super::spare::Spare;
use crate::objects::ids::{NsId, TaskId};
use crate::objects::task::At;
use crate::world::World;

/// How many worlds are looked at in one search. Beyond, the answer is not decided.
pub(crate) const MOST_WORLDS: usize = 200_000;

/// A choice of turns, the last one first.
struct Path {
    turn: TaskId,
    before: Option<Rc<Path>>,
}

/// What a search has found.
pub(crate) struct Found {
    /// The quiet worlds that were asked for, the one that comes first when who comes first is served first before the others.
    pub(crate) worlds: Vec<World>,
    /// How many worlds were looked at.
    pub(crate) looked_at: usize,
    /// Whether all were.
    pub(crate) complete: bool,
}

/// Searches the orders of turns for quiet worlds. `hopeless` says of a world on the way that nothing can come of it, `wanted` of a quiet
/// one that it is looked for.
///
/// Reasons are noted for what is found, and for nothing on the way.
pub(crate) fn search(
    start: &World,
    most: usize,
    hopeless: impl Fn(&World) -> bool,
    mut wanted: impl FnMut(&World, &mut Spare) -> bool,
    spare: &mut Spare,
) -> Found {
    let mut found = Found { worlds: Vec::new(), looked_at: 0, complete: true };
    let mut met = HashSet::new();
    let mut silent = spare.copy(start);
    silent.log.recording = false;
    silent.log.reasons.clear();
    let mut open: Vec<(World, Option<Rc<Path>>)> = vec![(silent, None)];
    while let Some((mut world, mut path)) = open.pop() {
        if found.looked_at >= most {
            found.complete = false;
            break;
        }
        found.looked_at += 1;
        advance(&mut world, |turn| path = Some(Rc::new(Path { turn, before: path.take() })));
        if hopeless(&world) {
            spare.take_back(world);
            continue;
        }
        // Mostly nobody has had a choice when all is quiet: then there is no other way that could meet this world.
        let alone = open.is_empty() && met.is_empty() && world.run_queue.is_empty();
        if !alone && !met.insert(fingerprint(&world)) {
            spare.take_back(world);
            continue;
        }
        if world.run_queue.is_empty() {
            if wanted(&world, spare) {
                found.worlds.push(replay(start, path.as_deref(), world, spare));
            } else {
                spare.take_back(world);
            }
            continue;
        }
        // The last one pushed goes on first: the one at the head of the queue. It needs no copy, for nobody comes after it.
        for next in world.run_queue.iter().skip(1).rev().copied() {
            let mut ran = spare.copy(&world);
            orders::choose(&mut ran, next);
            open.push((ran, Some(Rc::new(Path { turn: next, before: path.clone() }))));
        }
        let head = world.run_queue[0];
        orders::choose(&mut world, head);
        open.push((world, Some(Rc::new(Path { turn: head, before: path }))));
    }
    found
}

/// Lets happen what is no choice, and tells of each turn.
pub(crate) fn advance(world: &mut World, mut took: impl FnMut(TaskId)) {
    // When the outermost init has ended, nobody is left to see in which order the others did.
    let ends = |world: &World| world.init(NsId::OUTERMOST).is_some_and(|reaper| world.task(reaper).at == At::Zap);
    while world.run_queue.len() == 1 || (ends(world) && !world.run_queue.is_empty()) {
        let next = world.run_queue[0];
        orders::choose(world, next);
        took(next);
    }
}

/// The same turns once more, with reasons.
fn replay(start: &World, path: Option<&Path>, quiet: World, spare: &mut Spare) -> World {
    if !start.log.recording {
        return quiet;
    }
    let mut turns: Vec<TaskId> =
        std::iter::successors(path, |path| path.before.as_deref()).map(|path| path.turn).collect();
    turns.reverse();
    let mut world = spare.copy(start);
    for turn in turns {
        orders::choose(&mut world, turn);
    }
    debug_assert!(world == quiet, "the same turns lead to the same world");
    spare.take_back(quiet);
    world
}

/// Equal for worlds that nothing can tell apart. No world is made to deceive it, so it need not be a hash that withstands that: with one that
/// does, half of the model's time went here.
pub(crate) fn fingerprint(world: &impl Hash) -> u64 {
    FixedState::default().hash_one(world)
}
