//! The space of all scenarios up to a bound: which states they lead to, and by which moves.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use pidlab_sim::Position;

use crate::expand::{Expanded, Worker};
use crate::hash::{AsItIs, Hash128, Key, SetHash};
use crate::moves::Move;
use crate::plan::Plan;
use crate::property::Hits;
use crate::shares;

/// A state, and how it was first come to: by one of the shortest scenarios that lead to it.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// How many steps that takes.
    pub depth: u16,
    /// Which of the ways in which the last step may come out.
    way: u16,
    /// The state before the last step.
    from: u32,
    /// The last step.
    step: Move,
}

/// A transition from one state to another, or to itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Transition {
    /// What is done.
    pub step: Move,
    /// Which of the ways in which Linux may have it come out.
    pub way: u16,
    /// Whether there are others.
    pub open: bool,
}

/// All states and transitions up to a bound.
pub struct Space {
    pub(crate) plan: Plan,
    pub(crate) graph: DiGraph<State, Transition>,
    pub(crate) places: Places,
    hash: SetHash,
    /// Moves that are no steps, by the reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Moves of which not every outcome was found.
    given_up: u64,
    pub(crate) hits: Hits,
    /// States of the last depth: no move from them was tried.
    unexpanded: usize,
}

/// Which state has which key.
pub(crate) type Places = HashMap<Key, u32, BuildHasherDefault<AsItIs>>;

/// So many states are expanded at a time by one thread; then what they found is taken in.
const PIECE: usize = 512;

impl Space {
    /// Explores, breadth first. After each piece of work `told` hears how many states and transitions there are by then, and says whether
    /// to go on; nothing comes of it if not.
    pub fn explore(plan: &Plan, mut told: impl FnMut(usize, usize) -> bool) -> Option<Space> {
        let mut space = Space::start(plan);
        let jobs = plan.jobs.max(1);
        let mut workers: Vec<Worker<'_>> = (0..jobs).map(|_| Worker::new(plan)).collect();
        let mut level = 0..space.graph.node_count();
        for depth in 0..plan.bounds.steps {
            let mut next = level.start;
            while next < level.end {
                let end = level.end.min(next + PIECE * jobs);
                let pieces = shares::spread(&mut workers, next..end, |worker, states| {
                    worker.expand(&|state| space.before(state), states)
                });
                for expanded in pieces {
                    space.take(expanded, depth);
                }
                next = end;
                if !told(space.graph.node_count(), space.graph.edge_count()) {
                    return None;
                }
            }
            level = level.end..space.graph.node_count();
            if level.is_empty() {
                break;
            }
        }
        space.unexpanded = level.len();
        Some(space)
    }

    fn start(plan: &Plan) -> Space {
        let position = Position::start(&plan.facts, plan.misconception);
        let mut bytes = Vec::new();
        position.key(plan.numbers, &mut bytes);
        let key = Hash128::of(&bytes);
        let mut graph = DiGraph::new();
        let nobody = Move { kind: 0, by: 0, at: 0 };
        graph.add_node(State { depth: 0, way: 0, from: 0, step: nobody });
        let mut hash = SetHash::default();
        hash.add(key);
        Space {
            plan: plan.clone(),
            graph,
            places: [(Key(key), 0)].into_iter().collect(),
            hash,
            refused: BTreeMap::new(),
            given_up: 0,
            hits: Hits::new(),
            unexpanded: 0,
        }
    }

    /// Takes in what was found from some states of this depth.
    fn take(&mut self, expanded: Expanded, depth: u16) {
        self.given_up += expanded.given_up;
        for (why, count) in expanded.refused {
            *self.refused.entry(why).or_default() += count;
        }
        self.hash.add_all(expanded.hash);
        for found in expanded.found {
            let place = u32::try_from(self.graph.node_count()).expect("there is memory for fewer states");
            let to = *self.places.entry(Key(found.key)).or_insert(place);
            if to == place {
                self.graph.add_node(State { depth: depth + 1, way: found.way, from: found.from, step: found.step });
                self.hash.add(found.key);
            }
            let transition = Transition { step: found.step, way: found.way, open: found.open };
            let edge =
                self.graph.add_edge(NodeIndex::new(found.from as usize), NodeIndex::new(to as usize), transition);
            self.hits.take(found.hits, edge);
        }
    }

    /// States as nodes, the first of them the start of every scenario, and transitions as edges.
    pub fn graph(&self) -> &DiGraph<State, Transition> {
        &self.graph
    }

    /// What was explored.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A hash of all states, and of all transitions with what each gives. It does not depend on the order in which they were found, nor
    /// on the machine.
    pub fn hash(&self) -> String {
        format!("{:032x}", self.hash.value())
    }

    /// How many moves Linux may have come out in several ways, and how many ways these are.
    pub fn open(&self) -> (usize, usize) {
        let open = self.graph.edge_weights().filter(|transition| transition.open);
        open.fold((0, 0), |(moves, ways), transition| (moves + usize::from(transition.way == 0), ways + 1))
    }

    /// Moves of which not every outcome was found, because there are too many orders of events.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    /// How many moves are no steps, because neither machine makes the call or none with real processes may, by the reason.
    pub fn refused(&self) -> &BTreeMap<String, u64> {
        &self.refused
    }

    /// Whether longer scenarios lead to nothing new.
    pub fn is_closed(&self) -> bool {
        self.unexpanded == 0
    }

    /// How many states there are of each depth.
    pub fn depths(&self) -> Vec<usize> {
        let mut depths = vec![0; 1];
        for state in self.graph.node_weights() {
            let depth = usize::from(state.depth);
            depths.resize(depths.len().max(depth + 1), 0);
            depths[depth] += 1;
        }
        depths
    }

    /// How many scenarios there are of each length, from 0 up to the bound, where every outcome of a step counts as one.
    pub fn scenarios(&self) -> Vec<u128> {
        let mut now = vec![0u128; self.graph.node_count()];
        now[0] = 1;
        let mut all = vec![1];
        for _ in 0..self.plan.bounds.steps {
            let mut next = vec![0u128; now.len()];
            for edge in self.graph.edge_references() {
                let to = &mut next[edge.target().index()];
                *to = to.saturating_add(now[edge.source().index()]);
            }
            now = next;
            all.push(now.iter().fold(0, |sum: u128, count| sum.saturating_add(*count)));
        }
        all
    }

    /// The moves of the scenario by which a state was first come to.
    pub fn path(&self, to: NodeIndex) -> Vec<(Move, u16)> {
        let mut path = Vec::new();
        let mut at = to.index();
        while at > 0 {
            let state = self.graph[NodeIndex::new(at)];
            path.push((state.step, state.way));
            at = state.from as usize;
        }
        path.reverse();
        path
    }

    /// The state before the last step on the way to a state.
    pub(crate) fn before(&self, state: u32) -> (u32, Move, u16) {
        let State { from, step, way, .. } = self.graph[NodeIndex::new(state as usize)];
        (from, step, way)
    }

    /// The state that has this key.
    pub(crate) fn place(&self, key: Hash128) -> Option<u32> {
        self.places.get(&Key(key)).copied()
    }
}
