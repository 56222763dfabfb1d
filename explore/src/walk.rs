//! Scenarios that take every move: few and long ones.
//!
//! A space is like a town, and its moves are the streets, all of them one-way. A postman has to go along each; he begins at the start, as often
//! as he has to, for there are dead ends: states in which nobody can act, and those of the last depth, from which no move was tried. Each dead
//! end is the end of a walk, so there are at least as many walks as moves into dead ends. The rest is taken along on the way: at every state
//! first the moves that lead back to it, then one that leads on; where all are done, the nearest state with something left is gone to, if
//! that is not further than a new beginning.

use std::collections::{HashMap, VecDeque};

use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::hash::Hash128;
use crate::moves::Move;
use crate::space::Space;

/// One walk from the start: the moves, each with the way in which it is thought to come out.
pub type Walk = Vec<(Move, u16)>;

impl Space {
    /// A hash of the order of the transitions, and of these walks. Where it is the same, an index of a transition, or of one of the walks, means
    /// the same, too; [`Space::hash`] does not say so, for it knows no order.
    pub fn fingerprint(&self, walks: &[Walk]) -> String {
        let mut bytes = Vec::new();
        let mut write = |step: Move, way: u16| {
            bytes.extend_from_slice(&step.kind.to_le_bytes());
            bytes.extend_from_slice(&[step.by, step.at]);
            bytes.extend_from_slice(&way.to_le_bytes());
        };
        let transitions = self.graph().edge_weights();
        transitions.for_each(|transition| write(transition.step, transition.way));
        let mut parts: Vec<Hash128> = self
            .graph()
            .edge_references()
            .map(|edge| Hash128([edge.source().index() as u64, edge.target().index() as u64]))
            .collect();
        for walk in walks {
            walk.iter().for_each(|(step, way)| write(*step, *way));
            // Where one ends and the next begins.
            parts.push(Hash128([walk.len() as u64, u64::MAX]));
        }
        parts.push(Hash128::of(&bytes));
        let Hash128([first, second]) = Hash128::of_all(&parts);
        format!("{first:016x}{second:016x}")
    }
}

/// How walks are laid.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Laying {
    /// How many moves a walk has at most, if it has not been further to its first new one.
    pub longest: usize,
    /// What a new beginning costs beside its steps, in steps.
    pub beginning: usize,
}

impl Default for Laying {
    fn default() -> Laying {
        Laying { longest: 100, beginning: 5 }
    }
}

/// So many states are looked at in search of one with something left.
const NEAR: usize = 300;

/// Which moves are still to be taken, and from where.
pub struct Cover<'s> {
    space: &'s Space,
    /// By state: where its transitions begin in the list.
    starts: Vec<u32>,
    /// Transitions by their state, as they were found.
    edges: Vec<EdgeIndex>,
    /// By transition: whether its move is still to be taken. Of several outcomes of one move the first stands for it.
    left: Vec<bool>,
    /// By state: how many of its moves are left.
    left_of: Vec<u32>,
    /// No state before this one has any left.
    first: usize,
}

impl<'s> Cover<'s> {
    /// Every move of a space.
    pub fn of(space: &'s Space) -> Cover<'s> {
        let graph = space.graph();
        let mut starts = vec![0u32; graph.node_count() + 1];
        for edge in graph.edge_references() {
            starts[edge.source().index() + 1] += 1;
        }
        for index in 1..starts.len() {
            starts[index] += starts[index - 1];
        }
        let mut next = starts.clone();
        let mut edges = vec![EdgeIndex::new(0); graph.edge_count()];
        for edge in graph.edge_references() {
            let at = &mut next[edge.source().index()];
            edges[*at as usize] = edge.id();
            *at += 1;
        }
        let mut cover = Cover {
            space,
            starts,
            edges,
            left: vec![false; graph.edge_count()],
            left_of: vec![0; graph.node_count()],
            first: 0,
        };
        let moves: Vec<EdgeIndex> = cover.moves().collect();
        cover.leave(moves);
        cover
    }

    /// Every move, by its first outcome.
    pub fn moves(&self) -> impl Iterator<Item = EdgeIndex> + '_ {
        self.space.graph().edge_indices().filter(|edge| self.space.graph()[*edge].way == 0)
    }

    /// Leaves these moves to be taken, beside those that are.
    pub fn leave(&mut self, moves: impl IntoIterator<Item = EdgeIndex>) {
        for edge in moves {
            let Some((from, _)) = self.space.graph().edge_endpoints(edge) else { continue };
            if !std::mem::replace(&mut self.left[edge.index()], true) {
                self.left_of[from.index()] += 1;
                self.first = self.first.min(from.index());
            }
        }
    }

    fn out(&self, state: usize) -> &[EdgeIndex] {
        &self.edges[self.starts[state] as usize..self.starts[state + 1] as usize]
    }

    fn target(&self, edge: EdgeIndex) -> usize {
        self.space.graph().edge_endpoints(edge).map_or(0, |(_, to)| to.index())
    }

    fn is_dead_end(&self, state: usize) -> bool {
        self.starts[state] == self.starts[state + 1]
    }

    /// The next walk, and the moves that no walk before it takes; nothing when all are taken.
    pub fn walk(&mut self, laying: &Laying) -> Option<(Walk, Vec<EdgeIndex>)> {
        while *self.left_of.get(self.first)? == 0 {
            self.first += 1;
        }
        let mut walk = Walking { cover: self, walk: Vec::new(), new: Vec::new(), at: 0 };
        let target = walk.cover.first;
        walk.begin_at(target);
        while walk.walk.len() < laying.longest || walk.new.is_empty() {
            if !walk.go_on(laying) {
                break;
            }
        }
        Some((walk.walk, walk.new))
    }
}

struct Walking<'c, 's> {
    cover: &'c mut Cover<'s>,
    walk: Walk,
    new: Vec<EdgeIndex>,
    at: usize,
}

impl Walking<'_, '_> {
    /// Along the shortest scenario to the first state that has anything left, and everything on the way that leads back to where it began.
    fn begin_at(&mut self, target: usize) {
        for (step, way) in self.cover.space.path(NodeIndex::new(target)) {
            let out = self.cover.out(self.at);
            let graph = self.cover.space.graph();
            let edge = out.iter().copied().find(|edge| graph[*edge].step == step && graph[*edge].way == way);
            let Some(edge) = edge else { return };
            self.take(edge);
        }
    }

    fn take(&mut self, edge: EdgeIndex) {
        let transition = self.cover.space.graph()[edge];
        let mover = match transition.way {
            0 => edge,
            // The move is taken, however it comes out.
            _ => self.first_way(transition.step).unwrap_or(edge),
        };
        if std::mem::replace(&mut self.cover.left[mover.index()], false) {
            self.cover.left_of[self.at] -= 1;
            self.new.push(mover);
        }
        self.walk.push((transition.step, transition.way));
        self.at = self.cover.target(edge);
    }

    fn first_way(&self, step: Move) -> Option<EdgeIndex> {
        let graph = self.cover.space.graph();
        self.cover.out(self.at).iter().copied().find(|edge| graph[*edge].step == step && graph[*edge].way == 0)
    }

    /// Takes a move that is left, here or near. `false`: it is the end of the walk.
    fn go_on(&mut self, laying: &Laying) -> bool {
        if let Some((edge, ends)) = self.best_here() {
            // A dead end can wait for another walk, if there is something else to do near by; some walk has to end in it.
            self.take(edge);
            return !ends;
        }
        let Some(path) = self.nearest() else { return false };
        let begins = usize::from(self.cover.space.graph()[NodeIndex::new(self.cover.first)].depth) + laying.beginning;
        if path.len() > begins {
            return false;
        }
        path.into_iter().for_each(|edge| self.take(edge));
        true
    }

    /// The best of the moves that are left here, and whether it leads into a dead end: first those that lead back, then those that lead on.
    fn best_here(&self) -> Option<(EdgeIndex, bool)> {
        if self.cover.left_of[self.at] == 0 {
            return None;
        }
        let left = self.cover.out(self.at).iter().copied().filter(|edge| self.cover.left[edge.index()]);
        let rank = |edge: &EdgeIndex| {
            let to = self.cover.target(*edge);
            match (to == self.at, self.cover.is_dead_end(to)) {
                (true, _) => 0,
                (false, false) if self.cover.left_of[to] > 0 => 1,
                (false, false) => 2,
                (false, true) => 3,
            }
        };
        let best = left.min_by_key(rank)?;
        Some((best, rank(&best) == 3))
    }

    /// The way to the nearest state with something left.
    fn nearest(&self) -> Option<Vec<EdgeIndex>> {
        let mut from: HashMap<usize, Option<(usize, EdgeIndex)>> = [(self.at, None)].into_iter().collect();
        let mut open: VecDeque<usize> = [self.at].into();
        while let Some(state) = open.pop_front() {
            if self.cover.left_of[state] > 0 {
                let mut path = Vec::new();
                let mut at = state;
                while let Some(Some((before, edge))) = from.get(&at) {
                    path.push(*edge);
                    at = *before;
                }
                path.reverse();
                return Some(path);
            }
            if from.len() > NEAR {
                return None;
            }
            for edge in self.cover.out(state) {
                // What Linux seldom chooses is no way to go.
                if self.cover.space.graph()[*edge].way == 0 {
                    let to = self.cover.target(*edge);
                    from.entry(to).or_insert_with(|| {
                        open.push_back(to);
                        Some((state, *edge))
                    });
                }
            }
        }
        None
    }
}
