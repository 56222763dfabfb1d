//! Random scenarios for property tests, as a strategy of proptest.
//!
//! A scenario is drawn as `pidlab fuzz` draws one: who acts is asked of the model, so every step can be taken. A failing one shrinks by
//! leaving steps out, long runs of them first; what cannot be taken without them is left out as well, so every smaller scenario is valid,
//! too, and a scenario of one step is a matter of some twenty tries.

use std::ops::Range;

use pidlab_scenario::random::{self, Guide, RandomConfig};
use pidlab_scenario::{Facts, Scenario, Step};
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::Model;

/// Valid scenarios of a kernel with these facts, of up to so many steps beside those that they begin with.
///
/// What holds of every scenario is a property:
///
/// ```
/// use pidlab_scenario::random::RandomConfig;
/// use pidlab_scenario::{Facts, Machine, Scenario};
/// use pidlab_sim::{Model, scenarios};
/// use proptest::prelude::*;
///
/// let ours = scenarios(Facts::newest(), RandomConfig::default(), 20);
/// proptest!(ProptestConfig::with_cases(20), |(scenario in ours)| {
///     let run = Model::new(Facts::newest()).run(&scenario).expect("the model always runs");
///     prop_assert!(run.refused.is_none());
///     // It is a file, too.
///     let again = Scenario::parse("random", "random.toml", &scenario.to_toml()).expect("what is written can be read");
///     prop_assert_eq!(again.steps.len(), scenario.steps.len());
/// });
/// ```
pub fn scenarios(facts: Facts, config: RandomConfig, steps: usize) -> Scenarios {
    Scenarios { facts, config, steps }
}

/// Valid scenarios; see [`scenarios`].
#[derive(Clone, Debug)]
pub struct Scenarios {
    facts: Facts,
    config: RandomConfig,
    steps: usize,
}

impl Strategy for Scenarios {
    type Tree = ScenarioTree;
    type Value = Scenario;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Scenarios> {
        let choices = random::choices(self.steps).new_tree(runner)?.current();
        let mut model = Model::new(self.facts.clone());
        let kept = random::scenario(&choices, &mut model, &self.config);
        let length = kept.steps.len().div_ceil(2);
        let next = kept.steps.len().saturating_sub(length);
        Ok(ScenarioTree { model, kept, tried: None, length, next: Some(next), removed: false })
    }
}

/// A scenario, and those that are left when some of its steps are left out.
#[derive(Clone)]
pub struct ScenarioTree {
    model: Model,
    /// The smallest that is not given up.
    kept: Scenario,
    /// One smaller than that, which is being tried.
    tried: Option<Scenario>,
    /// How many steps are left out at a time.
    length: usize,
    /// From which step on they are left out next; `None` once all places were tried.
    next: Option<usize>,
    /// Whether some of this length were left out for good.
    removed: bool,
}

impl std::fmt::Debug for ScenarioTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScenarioTree").field("kept", &self.kept).field("tried", &self.tried).finish_non_exhaustive()
    }
}

impl ValueTree for ScenarioTree {
    type Value = Scenario;

    fn current(&self) -> Scenario {
        self.tried.as_ref().unwrap_or(&self.kept).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(smaller) = self.tried.take() {
            self.kept = smaller;
            self.removed = true;
        }
        self.try_next()
    }

    fn complicate(&mut self) -> bool {
        let gave_up = self.tried.take().is_some();
        gave_up && self.try_next()
    }
}

impl ScenarioTree {
    /// Leaves out the next run of steps. Later ones come first: they depend on earlier ones, not the other way round.
    fn try_next(&mut self) -> bool {
        while self.length > 0 {
            let Some(start) = self.next.filter(|_| !self.kept.steps.is_empty()) else {
                // Once around; single steps are tried until none can go any more.
                if !self.removed || self.length > 1 {
                    self.length /= 2;
                }
                self.removed = false;
                self.next = self.kept.steps.len().checked_sub(self.length).filter(|_| self.length > 0);
                if self.kept.steps.is_empty() {
                    return false;
                }
                continue;
            };
            let start = start.min(self.kept.steps.len() - 1);
            self.next = if start == 0 { None } else { Some(start.saturating_sub(self.length)) };
            let left_out = start..(start + self.length).min(self.kept.steps.len());
            self.tried = without(&mut self.model, &self.kept, left_out);
            if self.tried.is_some() {
                return true;
            }
        }
        false
    }
}

/// The scenario without these steps, and without those that cannot be taken then.
fn without(model: &mut Model, scenario: &Scenario, left_out: Range<usize>) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    smaller.steps.clear();
    Guide::start(model, &smaller);
    for (index, step) in scenario.steps.iter().enumerate() {
        if !left_out.contains(&index) && model.apply(&smaller, step).is_ok() {
            smaller.steps.push(step.clone());
        }
    }
    // Written and read again, it has the names of those alone who are made.
    let mut smaller = Scenario::parse(&scenario.name, "random.toml", &smaller.to_toml()).ok()?;
    smaller.steps.iter_mut().for_each(|step: &mut Step| step.span = 0..0);
    Some(smaller)
}
