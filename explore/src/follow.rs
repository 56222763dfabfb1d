//! Where a kernel really went on a walk.

use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use pidlab_scenario::{Observation, Scenario};
use pidlab_sim::{Judgement, Model, Position, Spare};

use crate::hash::Hash128;
use crate::moves::{self, Move};
use crate::space::Space;
use crate::walk::Walk;
use crate::written;

/// How far a kernel followed a walk.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Followed {
    /// The moves that it made from the states that they were to be made from, by their first outcomes.
    pub moves: Vec<EdgeIndex>,
    /// The outcomes that it chose where it had a choice.
    pub chosen: Vec<EdgeIndex>,
    /// Whether it left the walk: it chose another outcome, so that the rest of the steps were taken elsewhere, if at all.
    pub left: bool,
}

impl Space {
    /// A walk as a scenario, without claims.
    pub fn scenario(&self, walk: &Walk) -> Scenario {
        written::scenario(self.plan(), walk, "A walk along transitions")
    }

    /// The position that a walk leads to; nothing where a step cannot be taken.
    pub fn position(&self, walk: &Walk) -> Option<Position> {
        let plan = self.plan();
        let start = Position::start(&plan.facts, plan.misconception);
        walk.iter().try_fold(start, |at, (step, way)| moves::go(&at, *step, *way, plan.numbers))
    }

    /// Every move from a position with the ways in which it comes out, each with a hash of what happens and one of the state that it leads to.
    pub fn moves_from(&self, position: &Position) -> Vec<(Move, Vec<[u64; 4]>)> {
        let plan = self.plan();
        let (mut list, mut bytes, mut spare) = (Vec::new(), Vec::new(), Spare::default());
        moves::moves(position, &plan.alphabet, &plan.bounds, &mut list);
        let came = |step: Move| {
            let (ways, _) = moves::came(position, step, plan.numbers, &mut bytes, &mut spare).ok()?;
            let hashes = ways.iter().map(|way| [way.happened.0[0], way.happened.0[1], way.key.0[0], way.key.0[1]]);
            let mut hashes: Vec<[u64; 4]> = hashes.collect();
            hashes.sort_unstable();
            Some((step, hashes))
        };
        list.into_iter().filter_map(came).collect()
    }

    /// Whether Linux has no choice on a walk.
    pub fn is_plain(&self, walk: &Walk) -> bool {
        self.edges(walk).all(|edge| edge.is_some_and(|edge| !self.graph()[edge].open))
    }

    /// The transitions of a walk.
    fn edges<'a>(&'a self, walk: &'a Walk) -> impl Iterator<Item = Option<EdgeIndex>> + 'a {
        let mut at = Some(NodeIndex::new(0));
        walk.iter().map(move |(step, way)| {
            let mut out = self.graph().edges(at?);
            let edge = out.find(|edge| edge.weight().step == *step && edge.weight().way == *way)?;
            at = Some(edge.target());
            Some(edge.id())
        })
    }

    /// The moves of a walk that was followed to its end, by their first outcomes.
    pub fn whole(&self, walk: &Walk) -> Followed {
        Followed {
            moves: self.edges(walk).flatten().map(|edge| self.first_outcome(edge)).collect(),
            ..Followed::default()
        }
    }

    /// How far a kernel that showed this followed a walk. The model says which state it is in after each step.
    pub fn follow(&self, walk: &Walk, scenario: &Scenario, observations: &[Observation]) -> Followed {
        let mut followed = Followed::default();
        let mut model = match self.plan().misconception {
            Some(misconception) => Model::misconceived(self.plan().facts.clone(), misconception),
            None => Model::new(self.plan().facts.clone()),
        };
        model.start(scenario);
        let planned: Vec<Option<EdgeIndex>> = self.edges(walk).collect();
        for ((step, seen), planned) in scenario.steps.iter().zip(observations.iter().skip(1)).zip(planned) {
            let (Ok(Judgement::Agrees(_)), Some(planned)) = (model.judge(scenario, step, seen), planned) else {
                followed.left = true;
                break;
            };
            let edges = self.outcomes(planned);
            followed.moves.extend(edges.iter().copied().find(|edge| self.graph()[*edge].way == 0));
            let Some(came) = self.came_to(&model, &edges) else {
                followed.left = true;
                break;
            };
            if self.graph()[planned].open {
                followed.chosen.push(came);
            }
            if self.graph().edge_endpoints(came) != self.graph().edge_endpoints(planned) {
                followed.left = true;
                break;
            }
        }
        followed
    }

    /// The transition that stands for a move, its first outcome, by any of its outcomes.
    pub fn first_outcome(&self, of: EdgeIndex) -> EdgeIndex {
        if self.graph()[of].way == 0 {
            return of;
        }
        self.outcomes(of).into_iter().find(|edge| self.graph()[*edge].way == 0).unwrap_or(of)
    }

    /// Every outcome of the move that a transition is one of.
    fn outcomes(&self, of: EdgeIndex) -> Vec<EdgeIndex> {
        let Some((from, _)) = self.graph().edge_endpoints(of) else { return Vec::new() };
        let step = self.graph()[of].step;
        self.graph().edges(from).filter(|edge| edge.weight().step == step).map(|edge| edge.id()).collect()
    }

    /// Which of these transitions leads to where the model is; nothing where what was seen does not tell.
    fn came_to(&self, model: &Model, edges: &[EdgeIndex]) -> Option<EdgeIndex> {
        let mut bytes = Vec::new();
        let mut states = model.positions().map(|position| {
            bytes.clear();
            position.key(self.plan().numbers, &mut bytes);
            self.place(Hash128::of(&bytes))
        });
        let first = states.next()??;
        if states.any(|state| state != Some(first)) {
            return None;
        }
        let leads_there =
            |edge: &&EdgeIndex| self.graph().edge_endpoints(**edge).is_some_and(|(_, to)| to.index() == first as usize);
        edges.iter().find(leads_there).copied()
    }
}
