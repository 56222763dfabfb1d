//! Which of several random scenarios runs: the one in which the rarest pairs of rules meet.
//!
//! Rules that seldom meet are seldom tested together. How often each two do is counted in scenarios that only the model runs, which
//! takes a moment; of every few scenarios drawn from then on, the one with the rarest pairs is the one to run. All of that follows from the
//! seed.

use std::collections::{BTreeMap, BTreeSet};

use pidlab_realkernel::Sharing;
use pidlab_scenario::Scenario;
use pidlab_scenario::random::Theme;
use pidlab_sim::{Model, rule};

use crate::random::{self, Choices};

/// Scenarios from which it is learnt what is rare.
const SAMPLE: u64 = 1000;
/// Of so many scenarios one runs.
const DRAWN: u64 = 8;

/// How often each two rules fire in one scenario.
pub(super) struct Rare {
    /// The place of a rule in the catalogue, by its id.
    places: BTreeMap<&'static str, usize>,
    /// A row a rule, with a count for each rule before it.
    met: Vec<Vec<u32>>,
}

/// A random scenario: by its number, what it is about, and how its processes share memory.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    pub(super) seed: u64,
    pub(super) index: u64,
    pub(super) theme: Theme,
    pub(super) sharing: Sharing,
}

impl Draw {
    pub(super) fn new(seed: u64, index: u64) -> Draw {
        // Processes with a memory of their own end more slowly, as those of most real programs do.
        let sharing = if index % 3 == 2 { Sharing::Own } else { Sharing::Auto };
        Draw { seed, index, theme: Theme::of(index), sharing }
    }
}

impl Rare {
    /// Learns from this seed what is rare on this model.
    pub(super) fn of(seed: u64, length: usize, model: &mut Model) -> Rare {
        let places = rule::CATALOGUE.iter().enumerate().map(|(place, rule)| (rule.id, place)).collect();
        let met = (0..rule::CATALOGUE.len()).map(|place| vec![0; place]).collect();
        let mut rare = Rare { places, met };
        for index in 0..SAMPLE {
            // Other scenarios than those that run.
            let draw = Draw::new(!seed, index);
            let places = rare.fired(model, draw, &random::choices(draw.seed, index, length));
            for (count, later) in places.iter().enumerate() {
                for earlier in &places[..count] {
                    rare.met[*later][*earlier] += 1;
                }
            }
        }
        rare
    }

    /// The choices of one of the scenarios with this number: half of all are as they come.
    pub(super) fn choices(&self, draw: Draw, length: usize, model: &mut Model) -> Choices {
        let plain = random::choices(draw.seed, draw.index, length);
        if draw.index.is_multiple_of(2) {
            return plain;
        }
        // The generator's own stream has the small numbers.
        let others = (1..DRAWN).map(|other| random::choices(draw.seed, draw.index + (other << 48), length));
        let all: Vec<(f64, Choices)> =
            [plain].into_iter().chain(others).map(|choices| (self.score(model, draw, &choices), choices)).collect();
        let best = all.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, choices)| choices).unwrap_or_default()
    }

    /// A pair that was never met counts as much as two that were met once.
    fn score(&self, model: &mut Model, draw: Draw, choices: &Choices) -> f64 {
        let places = self.fired(model, draw, choices);
        let rows = places.iter().enumerate().map(|(count, later)| (*later, &places[..count]));
        let pairs = rows.flat_map(|(later, earlier)| earlier.iter().map(move |earlier| (later, *earlier)));
        pairs.map(|(later, earlier)| 1.0 / f64::from(1 + self.met[later][earlier])).sum()
    }

    /// The places of the rules that a scenario fires, in their order.
    fn fired(&self, model: &mut Model, draw: Draw, choices: &Choices) -> Vec<usize> {
        let scenario = random::scenario(choices, draw.theme, model, "random");
        let mut fired = BTreeSet::new();
        run(model, &scenario, |id| {
            fired.extend(self.places.get(id).copied());
        });
        fired.into_iter().collect()
    }
}

fn run(model: &mut Model, scenario: &Scenario, mut fires: impl FnMut(&'static str)) {
    model.start(scenario);
    for step in &scenario.steps {
        let Ok(answer) = model.step(scenario, step) else { return };
        answer.because.iter().for_each(|because| fires(because.rule.id));
    }
}
