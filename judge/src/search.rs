//! The search: some order of the events of a log, on the worlds of the model.
//!
//! Calls overlap, and what one does happens at some moment between its two lines. So a log has many orders. This is the search of those who
//! check linearizability (Wing and Gong; Lowe): a place is how far each task is and the world that led there, and a place that was met is not
//! entered again.

use std::collections::HashSet;
use std::rc::Rc;

use pidlab_sim::Moment;

use crate::event::NEVER;
use crate::node::{Mismatch, Move, Node};
use crate::program::Program;

/// What a search has come to.
pub(crate) struct Found {
    /// The moves of an order that explains all.
    pub(crate) order: Option<Vec<Chosen>>,
    /// Whether all orders were looked at.
    pub(crate) complete: bool,
    /// How many worlds were.
    pub(crate) worlds: usize,
    /// The line up to which some order explains everything.
    pub(crate) explained: usize,
    /// Places from which nothing leads beyond that line, and what the model has instead.
    pub(crate) stuck: Vec<Stuck>,
}

/// A place from which it does not go on.
#[derive(Clone)]
pub(crate) struct Stuck {
    pub(crate) node: Rc<Node>,
    /// What came of the moves that were tried.
    pub(crate) mismatches: Vec<(Move, Mismatch)>,
}

/// A move, and which of the worlds after it.
#[derive(Clone, Copy)]
pub(crate) struct Chosen {
    pub(crate) chosen: Move,
    pub(crate) which: usize,
}

/// A choice of moves, the last one first.
struct Path {
    last: Chosen,
    before: Option<Rc<Path>>,
}

struct Open {
    node: Rc<Node>,
    chosen: Move,
    path: Option<Rc<Path>>,
}

/// So many places are kept to say what would have been allowed.
const STUCK_KEPT: usize = 16;

pub(crate) fn search(program: &Program, start: Moment, most: usize) -> Found {
    let mut found = Found { order: None, complete: true, worlds: 0, explained: 0, stuck: Vec::new() };
    let root = Rc::new(Node::start(program, start));
    let mut met: HashSet<u64> = HashSet::new();
    let mut open: Vec<Open> = Vec::new();
    if root.is_over(program) {
        found.order = Some(Vec::new());
        return found;
    }
    expand(program, &root, None, &mut open, &mut found);
    while let Some(Open { node, chosen, path }) = open.pop() {
        if found.worlds >= most {
            found.complete = false;
            break;
        }
        found.worlds += 1;
        for (which, after) in node.after(program, chosen).into_iter().enumerate() {
            match after {
                Err(mismatch) => found.note(&node, chosen, mismatch),
                Ok(after) => {
                    let path = Some(Rc::new(Path { last: Chosen { chosen, which }, before: path.clone() }));
                    if after.is_over(program) {
                        found.order = Some(moves(path.as_deref()));
                        found.explained = NEVER;
                        return found;
                    }
                    if met.insert(after.key()) {
                        expand(program, &Rc::new(after), path, &mut open, &mut found);
                    }
                }
            }
        }
    }
    found
}

fn expand(program: &Program, node: &Rc<Node>, path: Option<Rc<Path>>, open: &mut Vec<Open>, found: &mut Found) {
    let frontier = node.frontier(program);
    if frontier > found.explained {
        found.explained = frontier;
        found.stuck.clear();
    }
    if frontier == found.explained && found.stuck.len() < STUCK_KEPT {
        found.stuck.push(Stuck { node: Rc::clone(node), mismatches: Vec::new() });
    }
    let moves = node.moves(program);
    open.extend(moves.into_iter().rev().map(|chosen| Open { node: Rc::clone(node), chosen, path: path.clone() }));
}

impl Found {
    fn note(&mut self, node: &Rc<Node>, chosen: Move, mismatch: Mismatch) {
        if let Some(stuck) = self.stuck.iter_mut().find(|stuck| Rc::ptr_eq(&stuck.node, node)) {
            stuck.mismatches.push((chosen, mismatch));
        }
    }
}

fn moves(path: Option<&Path>) -> Vec<Chosen> {
    let mut moves: Vec<Chosen> =
        std::iter::successors(path, |path| path.before.as_deref()).map(|path| path.last).collect();
    moves.reverse();
    moves
}

/// The world in which a log begins.
pub(crate) fn begin(program: &Program, mut moment: Moment) -> Option<Moment> {
    for (number, step) in &program.prologue {
        if let Some(number) = number {
            moment = moment.with_next_number(*number);
        }
        moment = moment.begin(step).ok()?.into_iter().next()?.0;
        while let Some(turn) = moment.turns().into_iter().next() {
            moment = moment.take(turn).0;
        }
    }
    Some(moment.traced_by(program.recorder))
}
