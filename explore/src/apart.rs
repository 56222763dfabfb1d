//! The shortest scenario that tells two models apart.
//!
//! Two models go the same steps side by side. After each step either may look in several ways; as long as both may look in the same ones,
//! nothing tells them apart, and for each look they go on as those of their worlds that look so. The first step after which one of them may
//! look as the other may not ends the search. It goes through all scenarios of one length before it begins with the next, so there is no
//! shorter one among the calls and within the bounds that were given.
//!
//! ```text
//!   {a} ~ {b} ── fork ──▶ both look like this ──▶ {a1} ~ {b1} ── … ──▶ one looks like that, the other cannot
//!                   └───▶ or both like that   ──▶ {a2} ~ {b2}
//! ```

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use pidlab_scenario::{Claim, Fact, Facts, Machine, Need, Observation, OutcomeClaim, Scenario};
use pidlab_sim::{Misconception, Model, Numbers, Position};

use crate::hash::{AsItIs, Hash128, Key};
use crate::moves::{self, Move};
use crate::plan::Plan;
use crate::shares;
use crate::trail::Trail;
use crate::written::Writer;

/// The other model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Other {
    /// The kernel that it is a model of.
    pub facts: Facts,
    /// What it takes for true though it is not.
    pub misconception: Option<Misconception>,
    /// What a kernel must be like for the first model to be right about it.
    pub needs: Vec<Need>,
}

impl Other {
    /// A model of the same kernel that follows a misconception.
    pub fn misconceived(plan: &Plan, misconception: Misconception) -> Other {
        Other { facts: plan.facts.clone(), misconception: Some(misconception), needs: Vec::new() }
    }

    /// A model of a kernel that is unlike the plan's in one fact.
    pub fn unlike(plan: &Plan, fact: Fact) -> Other {
        let holds = plan.facts.holds(fact);
        let needs = vec![Need { fact, holds }];
        Other { facts: plan.facts.clone().with(fact, !holds), misconception: plan.misconception, needs }
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Apart {
    /// The scenario, with claims that hold on the first model and not on the other; nothing if none was found.
    pub scenario: Option<Scenario>,
    /// Every scenario of so many steps was tried, and tells nothing.
    pub searched: u16,
    /// How many pairs of worlds these led to.
    pub pairs: usize,
    /// How many steps were tried for that.
    pub moves: u64,
    /// Steps of which not every outcome was found: there a difference may be hidden.
    pub given_up: u64,
}

/// So many pairs are gone on from at a time by one thread.
const PIECE: usize = 64;
/// So many worlds are looked at for what one step may come to.
const MOST_WORLDS: usize = 200_000;

/// Worlds of either model that look alike, and did so all the time.
#[derive(Clone)]
struct Pair {
    one: Vec<Position>,
    other: Vec<Position>,
}

/// What one step makes of a pair.
enum Step {
    /// It cannot be taken.
    None,
    /// Both look alike: a pair for each look.
    Alike(Vec<Pair>, bool),
    /// They do not: how the first one looks, and how the other.
    Apart(Vec<Observation>, Vec<Observation>),
}

/// How each pair was come to.
#[derive(Clone, Copy)]
struct Known {
    from: u32,
    step: Move,
    look: u16,
}

/// What was found from some pairs.
#[derive(Default)]
struct Expanded {
    found: Vec<(Known, Hash128)>,
    apart: Option<(u32, Move, Vec<Observation>, Vec<Observation>)>,
    moves: u64,
    given_up: u64,
}

/// Looks for the shortest scenario that tells the plan's model from another. `told` hears how many steps are being tried, and how many
/// pairs there are.
pub fn tell_apart(plan: &Plan, other: &Other, mut told: impl FnMut(u16, usize)) -> Apart {
    let mut search = Search::new(plan, other);
    let mut apart = Apart { scenario: None, searched: 0, pairs: 1, moves: 0, given_up: 0 };
    let mut trails: Vec<Trail<Pair>> = (0..plan.jobs.max(1)).map(|_| Trail::new(search.start())).collect();
    let mut level = 0..1;
    let mut moves = 0;
    for depth in 0..plan.bounds.steps {
        let mut next = level.start;
        let mut found = None;
        while next < level.end && found.is_none() {
            let end = level.end.min(next + PIECE * trails.len());
            let pieces = shares::spread(&mut trails, next..end, |trail, pairs| search.expand(trail, pairs));
            for expanded in pieces {
                moves += expanded.moves;
                apart.given_up += expanded.given_up;
                search.take(expanded.found);
                found = found.or(expanded.apart);
            }
            next = end;
            told(depth + 1, search.known.len());
        }
        if let Some((from, step, one, other_looks)) = found {
            apart.scenario = Some(search.scenario(from, step, &one, &other_looks));
            return apart;
        }
        (apart.searched, apart.pairs, apart.moves) = (depth + 1, search.known.len(), moves);
        level = level.end..search.known.len();
        if level.is_empty() {
            break;
        }
    }
    apart
}

struct Search<'p> {
    plan: &'p Plan,
    other: &'p Other,
    known: Vec<Known>,
    met: HashSet<Key, BuildHasherDefault<AsItIs>>,
}

impl<'p> Search<'p> {
    fn new(plan: &'p Plan, other: &'p Other) -> Search<'p> {
        let nobody = Known { from: 0, step: Move { kind: 0, by: 0, at: 0 }, look: 0 };
        let mut search = Search { plan, other, known: vec![nobody], met: HashSet::default() };
        search.met.insert(Key(search.start().key()));
        search
    }

    fn start(&self) -> Pair {
        let Other { facts, misconception, .. } = self.other;
        Pair {
            one: vec![Position::start(&self.plan.facts, self.plan.misconception)],
            other: vec![Position::start(facts, *misconception)],
        }
    }

    fn expand(&self, trail: &mut Trail<Pair>, pairs: Range<usize>) -> Expanded {
        let mut all = Expanded::default();
        let mut list = Vec::new();
        for index in pairs {
            let from = u32::try_from(index).expect("there is memory for fewer pairs");
            let pair = trail.go(from, |at| self.before(at), |pair, step, look| pair.look(step, look));
            moves::moves(&pair.one[0], &self.plan.alphabet, &self.plan.bounds, &mut list);
            for step in &list {
                match pair.step(*step) {
                    Step::None => continue,
                    Step::Alike(pairs, complete) => {
                        all.given_up += u64::from(!complete);
                        let found =
                            (0..).zip(&pairs).map(|(look, pair)| (Known { from, step: *step, look }, pair.key()));
                        all.found.extend(found);
                    }
                    Step::Apart(one, other) => all.apart = all.apart.or(Some((from, *step, one, other))),
                }
                all.moves += 1;
                if all.apart.is_some() {
                    return all;
                }
            }
        }
        all
    }

    fn before(&self, pair: u32) -> (u32, Move, u16) {
        let Known { from, step, look } = self.known[pair as usize];
        (from, step, look)
    }

    fn take(&mut self, found: Vec<(Known, Hash128)>) {
        for (known, key) in found {
            if self.met.insert(Key(key)) {
                self.known.push(known);
            }
        }
    }

    /// The steps to a pair and one more, with what the first model then shows and the other does not.
    fn scenario(&self, from: u32, last: Move, one: &[Observation], other: &[Observation]) -> Scenario {
        let mut path = vec![last];
        let mut at = from;
        while at > 0 {
            let known = self.known[at as usize];
            path.push(known.step);
            at = known.from;
        }
        path.reverse();
        let title = match (self.other.misconception, self.other.needs.first()) {
            (Some(belief), _) if self.plan.misconception.is_none() => {
                format!("What shows that `{}` is not so", belief.word())
            }
            (_, Some(need)) => format!("What shows `{need}`"),
            _ => "What tells two models apart".to_owned(),
        };
        let mut writer = Writer::new(self.plan, &title);
        // Which way a step comes out on the way there does not matter for how it is written: roles are the same in all that look alike.
        let mut pair = self.start();
        let mut pairs: Vec<u32> =
            std::iter::successors(Some(from), |at| (*at > 0).then(|| self.known[*at as usize].from)).collect();
        pairs.reverse();
        for (index, step) in path.iter().enumerate() {
            let after = pairs.get(index + 1).and_then(|next| pair.look(*step, self.known[*next as usize].look));
            let positions = after.as_ref().map(|after| &after.one[0]);
            writer.write(*step, &pair.one[0], positions);
            if let Some(after) = after {
                pair = after;
            }
        }
        let mut scenario = writer.scenario;
        scenario.needs.clone_from(&self.other.needs);
        claim(&mut scenario, one, other);
        self.need(&mut scenario);
        scenario
    }
}

impl Search<'_> {
    /// Adds what else a kernel must be like for the claims to hold: those facts without which they do not on the first model. A call with
    /// two new flags fails where there is either one alone.
    fn need(&self, scenario: &mut Scenario) {
        let Plan { facts, misconception, .. } = self.plan;
        for fact in Fact::ALL.iter().copied() {
            let unlike = facts.clone().with(fact, !facts.holds(fact));
            let known = scenario.needs.iter().any(|need| need.fact == fact);
            if !known && !claims_hold(scenario, unlike, *misconception) {
                scenario.needs.push(Need { fact, holds: facts.holds(fact) });
            }
        }
    }
}

/// Whether the last step's claims are true of a model as it runs by itself.
fn claims_hold(scenario: &Scenario, facts: Facts, misconception: Option<Misconception>) -> bool {
    let mut model = match misconception {
        Some(misconception) => Model::misconceived(facts, misconception),
        None => Model::new(facts),
    };
    let Ok(run) = model.run(scenario);
    let (Some(step), Some(last)) = (scenario.steps.last(), run.observations.get(scenario.steps.len())) else {
        return false;
    };
    let numbers = run.observations.iter().fold(pidlab_scenario::Numbers::default(), |all, seen| all.after(seen));
    run.refused.is_none() && step.claimed().all(|claim| claim.truth(step.by, last, &numbers) == claim)
}

impl Pair {
    /// What both models make of a step.
    fn step(&self, step: Move) -> Step {
        let (Some((one, one_whole)), Some((other, other_whole))) = (looks(&self.one, step), looks(&self.other, step))
        else {
            return Step::None;
        };
        let is_in = |looks: &[Look], look: &Look| looks.iter().any(|known| known.observation == look.observation);
        let same = one.len() == other.len() && one.iter().all(|look| is_in(&other, look));
        let complete = one_whole && other_whole;
        if !same && complete {
            let all = |looks: Vec<Look>| looks.into_iter().map(|look| look.observation).collect();
            return Step::Apart(all(one), all(other));
        }
        let mut others: Vec<Option<Look>> = other.into_iter().map(Some).collect();
        let pairs = one.into_iter().filter_map(|look| {
            let other = others
                .iter_mut()
                .find(|other| other.as_ref().is_some_and(|other| other.observation == look.observation))?;
            Some(Pair { one: look.positions, other: other.take()?.positions })
        });
        Step::Alike(pairs.collect(), complete)
    }

    /// The pair that a step leads to, for one of the looks.
    fn look(&self, step: Move, look: u16) -> Option<Pair> {
        match self.step(step) {
            Step::Alike(pairs, _) => pairs.into_iter().nth(look.into()),
            Step::None | Step::Apart(..) => None,
        }
    }

    fn key(&self) -> Hash128 {
        let one = self.one.iter().map(key);
        let mut hashes: Vec<Hash128> = one.collect();
        hashes.sort_unstable();
        let mut others: Vec<Hash128> = self.other.iter().map(key).collect();
        others.sort_unstable();
        hashes.push(Hash128([0, 0]));
        hashes.extend(others);
        Hash128::of_all(&hashes)
    }
}

fn key(position: &Position) -> Hash128 {
    let mut bytes = Vec::new();
    position.key(Numbers::Exact, &mut bytes);
    Hash128::of(&bytes)
}

/// One way to look after a step, and the worlds that do.
struct Look {
    observation: Observation,
    positions: Vec<Position>,
}

/// Every way in which these worlds may look after a step; nothing where it cannot be taken.
fn looks(positions: &[Position], step: Move) -> Option<(Vec<Look>, bool)> {
    let mut looks: Vec<Look> = Vec::new();
    let (mut complete, mut taken) = (true, false);
    for position in positions {
        let Ok((ways, whole)) = position.observed_after(&step.step(position), MOST_WORLDS) else { continue };
        complete &= whole;
        taken = true;
        for (position, observation) in ways {
            match looks.iter_mut().find(|look| look.observation == observation) {
                None => looks.push(Look { observation, positions: vec![position] }),
                Some(look) => {
                    let own = key(&position);
                    if !look.positions.iter().any(|known| key(known) == own) {
                        look.positions.push(position);
                    }
                }
            }
        }
    }
    taken.then_some((looks, complete))
}

/// Adds what the first model shows after the last step, whatever Linux chooses, and the other does not.
fn claim(scenario: &mut Scenario, one: &[Observation], other: &[Observation]) {
    let number = scenario.steps.len();
    let Some(first) = one.first() else { return };
    let numbers = pidlab_scenario::Numbers::default().after(first);
    let by = scenario.steps[number - 1].by;
    let holds =
        |claim: &Claim, looks: &[Observation]| looks.iter().all(|seen| claim.truth(by, seen, &numbers) == *claim);
    let all = Claim::all_of(scenario, number, first, &numbers);
    for claim in all.into_iter().filter(|claim| holds(claim, one) && !holds(claim, other)) {
        match claim {
            Claim::Outcome(OutcomeClaim::Result(expect)) => scenario.steps[number - 1].expect = Some(expect),
            claim => scenario.steps[number - 1].claims.push(claim),
        }
    }
}
