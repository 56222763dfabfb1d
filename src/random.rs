//! Random scenarios: from a seed to a scenario, and from one that shows a difference to the smallest that still does.

use std::collections::BTreeSet;

use pidlab_scenario::Scenario;
use pidlab_scenario::random::{Choice, RandomConfig, Theme, scenario as from_choices};
use pidlab_sim::{Model, random_scenario};

/// The choices that a random scenario is made from: one for what it begins with, then one a step. Any list of them gives a valid
/// scenario, so leaving some out is most of what shrinking takes.
pub type Choices = Vec<Choice>;

/// The choices of one case of a seed. The same seed and case give the same choices, on every machine.
pub fn choices(seed: u64, case: u64, steps: usize) -> Choices {
    // Neighbouring cases must not share a stream: the case goes through the generator once.
    let mut rng = fastrand::Rng::with_seed(seed ^ fastrand::Rng::with_seed(case).u64(..));
    let mut choice = || {
        let mut bytes = Choice::default();
        rng.fill(&mut bytes);
        bytes
    };
    (0..=steps).map(|_| choice()).collect()
}

/// The scenario that these choices make; the model says who can act.
pub fn scenario(choices: &[Choice], theme: Theme, model: &mut Model, name: &str) -> Scenario {
    let mut scenario = from_choices(choices, model, &RandomConfig::about(theme));
    name.clone_into(&mut scenario.name);
    scenario
}

/// Ids of the rules that fire in that scenario: what it takes to make it shows them.
pub fn fired(choices: &[Choice], theme: Theme, model: &mut Model) -> BTreeSet<&'static str> {
    random_scenario(choices, model, &RandomConfig::about(theme)).1
}

/// Leaves out choices for as long as `fails` holds, larger runs of them first; at most `replays` calls of `fails`.
/// Returns the choices that are left and how many replays it took.
pub fn shrink(mut choices: Choices, replays: usize, mut fails: impl FnMut(&[Choice]) -> bool) -> (Choices, usize) {
    let mut used = 0;
    let mut length = choices.len().div_ceil(2);
    while length > 0 {
        let mut removed = false;
        // From the end: later steps depend on earlier ones, not the other way round.
        let mut start = choices.len().saturating_sub(length);
        while used < replays {
            let mut fewer = choices.clone();
            fewer.drain(start..(start + length).min(choices.len()));
            used += 1;
            if fails(&fewer) {
                choices = fewer;
                removed = true;
            }
            if start == 0 || choices.is_empty() {
                break;
            }
            start = start.saturating_sub(length).min(choices.len().saturating_sub(length));
        }
        if used >= replays || choices.is_empty() {
            break;
        }
        if !removed || length > 1 {
            length /= 2;
        }
    }
    (choices, used)
}

/// Leaves out steps for as long as `fails` holds, the last first, at most `replays` calls of `fails`: the choices that make a
/// scenario do not reach what it begins with. A step that others need is left where it is, since without it they cannot be taken.
/// Returns how many replays it took.
pub fn shrink_steps(scenario: &mut Scenario, replays: usize, mut fails: impl FnMut(&Scenario) -> bool) -> usize {
    let mut used = 0;
    let mut index = scenario.steps.len();
    while index > 0 && used < replays && scenario.steps.len() > 1 {
        index -= 1;
        let step = scenario.steps.remove(index);
        used += 1;
        if !fails(scenario) {
            scenario.steps.insert(index, step);
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use pidlab_scenario::random::Choice;

    use super::{Choices, choices, shrink};

    #[test]
    fn a_seed_gives_the_same_choices_again_and_another_seed_others() {
        assert_eq!(choices(7, 3, 20), choices(7, 3, 20));
        assert_ne!(choices(7, 3, 20), choices(7, 4, 20));
        assert_ne!(choices(7, 3, 20), choices(8, 3, 20));
    }

    #[test]
    fn shrinking_leaves_just_the_choices_that_matter() {
        let choice = |first| {
            let mut choice = Choice::default();
            choice[0] = first;
            choice
        };
        let all: Choices = (0..20).map(choice).collect();
        let matters =
            |choices: &[Choice]| [3, 11].iter().all(|wanted| choices.iter().any(|choice| choice[0] == *wanted));
        let (left, used) = shrink(all, 60, matters);
        assert_eq!(left, vec![choice(3), choice(11)]);
        assert!(used <= 60, "{used} replays");
    }
}
