//! Which of several random scenarios runs: the one in which the rarest pairs of rules meet.
//!
//! Rules that seldom meet are seldom tested together. How often each two do is counted in scenarios that only the model runs, which
//! takes a moment; of every few scenarios drawn from then on, the one with the rarest pairs is the one to run. All of that follows from the
//! seed.

use pidlab_realkernel::{Priority, RunOptions, Sharing};
use pidlab_scenario::random::Theme;
use pidlab_sim::Model;

use crate::cli::pairs::Pairs;
use crate::random::{self, Choices};

/// Scenarios from which it is learnt what is rare.
const SAMPLE: u64 = 1000;
/// Of so many scenarios one runs.
const DRAWN: u64 = 8;

/// How often each two rules fire in one scenario.
pub(super) struct Rare(Pairs);

/// A random scenario: by its number, what it is about, and how it is run.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    pub(super) seed: u64,
    pub(super) index: u64,
    pub(super) theme: Theme,
    pub(super) options: RunOptions,
}

impl Draw {
    pub(super) fn new(seed: u64, index: u64) -> Draw {
        // Processes with a memory of their own end more slowly, as those of most real programs do.
        let sharing = if index % 3 == 2 { Sharing::Own } else { Sharing::Auto };
        // In whichever way those are run that come before it: whether they share memory, and whether they are chosen.
        let priority = if index / 6 % 4 == 3 { Priority::Ordinary } else { Priority::Auto };
        let options = RunOptions::from(sharing).with_priority(priority);
        Draw { seed, index, theme: Theme::of(index), options }
    }
}

impl Rare {
    /// Learns from this seed what is rare on this model.
    pub(super) fn of(seed: u64, length: usize, model: &mut Model) -> Rare {
        let mut pairs = Pairs::default();
        for index in 0..SAMPLE {
            // Other scenarios than those that run.
            let draw = Draw::new(!seed, index);
            pairs.add(&random::fired(&random::choices(draw.seed, index, length), draw.theme, model));
        }
        Rare(pairs)
    }

    /// The choices of the scenario with this number: half of all are as they come, the others those with the rarest pairs.
    pub(super) fn choices(&self, draw: Draw, length: usize, model: &mut Model) -> Choices {
        let candidates = candidates(draw, length);
        let scored = candidates.map(|choices| (self.0.rarity(&random::fired(&choices, draw.theme, model)), choices));
        let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, choices)| choices).unwrap_or_default()
    }
}

/// The choices from which those of a scenario are chosen, the plain ones first.
fn candidates(draw: Draw, length: usize) -> impl Iterator<Item = Choices> {
    let drawn = if draw.index.is_multiple_of(2) { 1 } else { DRAWN };
    // The generator's own stream has the small numbers.
    (0..drawn).map(move |other| random::choices(draw.seed, draw.index + (other << 48), length))
}

#[cfg(test)]
mod tests {
    use pidlab_scenario::{Fact, Facts};
    use pidlab_sim::Model;

    use std::collections::BTreeMap;

    use super::{Draw, Priority, Rare, RunOptions, Sharing, candidates};
    use crate::cli::pairs::Pairs;
    use crate::compare::{self, Verdict};
    use crate::random::{self, Choices};

    const LENGTH: usize = 20;

    /// What the model makes of these choices.
    fn run(model: &mut Model, draw: Draw, choices: &Choices) -> Verdict {
        let scenario = random::scenario(choices, draw.theme, model, "random");
        compare::with_model(model, &scenario, None)
    }

    /// For kernels of every kind: also where steps are left out that nobody could see the end of.
    #[test]
    fn a_scenario_in_the_making_fires_the_rules_that_it_fires_when_it_runs() {
        let hidden = Facts::newest().with(Fact::ClosedAfterDeath, true).with(Fact::MachineRoot, false);
        for facts in [Facts::newest(), hidden, Facts::oldest()] {
            let mut model = Model::new(facts);
            for index in 0..200 {
                let draw = Draw::new(3, index);
                let choices = random::choices(draw.seed, index, LENGTH);
                let made = random::fired(&choices, draw.theme, &mut model);
                assert_eq!(made, run(&mut model, draw, &choices).fired, "{index}");
            }
        }
    }

    /// Whatever else is so of a scenario, whether it is chosen and whether memory is shared, a quarter of all is without real-time priorities.
    #[test]
    fn a_quarter_has_ordinary_priorities() {
        let mut kinds: BTreeMap<(u64, bool, bool), u32> = BTreeMap::new();
        for index in 0..240 {
            let RunOptions { sharing, priority, .. } = Draw::new(9, index).options;
            *kinds.entry((index % 2, sharing == Sharing::Own, priority == Priority::Ordinary)).or_default() += 1;
        }
        let count = |of: [bool; 2]| [0, 1].map(|chosen| kinds.get(&(chosen, of[0], of[1])).copied().unwrap_or(0));
        assert_eq!([count([false, false]), count([false, true])], [[60, 60], [20, 20]]);
        assert_eq!([count([true, false]), count([true, true])], [[30, 30], [10, 10]]);
    }

    #[test]
    fn of_several_the_one_with_the_rarest_pairs_runs() {
        let mut model = Model::new(Facts::newest());
        let rare = Rare::of(5, LENGTH, &mut model);
        let mut others = 0;
        for index in 0..40 {
            let draw = Draw::new(5, index);
            let chosen = rare.choices(draw, LENGTH, &mut model);
            let plain = random::choices(5, index, LENGTH);
            others += usize::from(chosen != plain);
            assert!(index % 2 == 1 || chosen == plain, "{index} is as it comes");
            let score = |model: &mut Model, choices: &_| rare.0.rarity(&run(model, draw, choices).fired);
            let best = score(&mut model, &chosen);
            assert!(candidates(draw, LENGTH).all(|other| score(&mut model, &other) <= best), "{index}");
        }
        assert!((10..=20).contains(&others), "{others} of 20 are others");
    }

    /// What it is for: more pairs meet than among as many scenarios that are drawn as they come.
    #[test]
    fn more_rules_meet() {
        let mut model = Model::new(Facts::newest());
        let rare = Rare::of(7, LENGTH, &mut model);
        let (mut chosen, mut plain) = (Pairs::default(), Pairs::default());
        for index in 0..400 {
            let draw = Draw::new(7, index);
            let choices = rare.choices(draw, LENGTH, &mut model);
            chosen.add(&run(&mut model, draw, &choices).fired);
            plain.add(&run(&mut model, draw, &random::choices(7, index, LENGTH)).fired);
        }
        assert!(chosen.met() * 10 > plain.met() * 11, "{} and {}", chosen.met(), plain.met());
    }
}
