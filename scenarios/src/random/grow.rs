//! A scenario grows: what it begins with, then a step a choice.

use super::bytes::{Bytes, Choice};
use super::config::RandomConfig;
use super::guide::{Guide, roles};
use super::maker::Maker;
use super::opening::{Opening, opening};
use super::targets::INNERMOST;
use super::theme::Theme;
use crate::limits::MOST_STEPS;
use crate::{Role, Scenario, State, Step};

/// The scenario that these choices make: the first says what it begins with, each other makes a step, until nobody can act any
/// more or a scenario can have no more steps.
pub fn scenario(choices: &[Choice], guide: &mut impl Guide, config: &RandomConfig) -> Scenario {
    let mut scenario = Scenario::new("A random scenario");
    "random".clone_into(&mut scenario.name);
    guide.start(&scenario);
    let Some((first, choices)) = choices.split_first() else { return scenario };
    let mut bytes = Bytes::of(first);
    for _ in 0..if config.theme == Theme::Mixed { 2 } else { 1 } {
        let last = u16::try_from(scenario.roles.len() - 1).expect("a scenario has at most 1024 processes");
        open(&mut scenario, guide, opening(config.theme, last, &mut bytes));
    }
    for choice in choices.iter().take(MOST_STEPS - scenario.steps.len()) {
        let mut bytes = Bytes::of(choice);
        let Some(by) = actor(&scenario, guide, config.theme, &mut bytes) else { break };
        let call = Maker::new(&mut scenario, guide, config, by, bytes).call();
        let step = Step::new(by, call);
        // What the guide cannot take (it may know fewer calls than the configuration names) is left out.
        if guide.apply(&scenario, &step).is_ok() {
            scenario.steps.push(step);
        } else {
            let used = scenario.steps.iter().filter_map(|step| step.call.child()).count();
            scenario.roles.truncate(used + 1);
        }
    }
    scenario
}

/// Who takes the next step, if anybody can.
fn actor(scenario: &Scenario, guide: &impl Guide, theme: Theme, bytes: &mut Bytes<'_>) -> Option<Role> {
    let mut able: Vec<Role> = roles(scenario).filter(|role| guide.state(*role) == Some(State::Running)).collect();
    if theme == Theme::Depth {
        able.drain(..able.len().saturating_sub(INNERMOST));
    }
    (!able.is_empty()).then(|| bytes.one_of(&able))
}

/// Takes the steps that a scenario begins with.
fn open(scenario: &mut Scenario, guide: &mut impl Guide, opening: Opening) {
    for (by, call) in opening {
        let made = call.child();
        if let Some(child) = made {
            scenario.roles.push(format!("p{}", child.0));
        }
        let step = Step::new(by, call);
        if guide.apply(scenario, &step).is_err() {
            scenario.roles.truncate(scenario.roles.len() - usize::from(made.is_some()));
            return;
        }
        scenario.steps.push(step);
    }
}

/// Lists of up to `steps` choices, beside the one that says what a scenario begins with.
#[cfg(feature = "proptest")]
pub fn choices(steps: usize) -> impl proptest::strategy::Strategy<Value = Vec<Choice>> {
    proptest::collection::vec(proptest::array::uniform12(proptest::num::u8::ANY), 2..=steps + 1)
}
