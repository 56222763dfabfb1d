//! Random scenarios that are valid: nobody acts who cannot, nobody is named who has no number.
//!
//! A scenario grows from a list of choices, four bytes a step. Every list gives a valid scenario, so a generator of bytes is a
//! generator of scenarios, and leaving choices out is all that shrinking takes. Who can act depends on what Linux does, and this
//! crate does not know that: a [`Guide`] does (the model).

mod maker;
mod theme;

use self::maker::{Maker, one_of, roles};
pub use self::theme::Theme;
use self::theme::{PREPARED, opening};
use crate::parse::MOST_STEPS;
use crate::{Call, CallName, Refusal, Role, Scenario, State, Step};

/// Whoever knows what the steps so far have led to.
pub trait Guide {
    /// Forgets everything: host is alone again.
    fn start(&mut self, scenario: &Scenario);

    /// Takes one more step.
    ///
    /// # Errors
    /// If the step cannot be taken; then nothing has changed.
    fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal>;

    /// What a process is doing; `None`: not made yet, or reaped.
    fn state(&self, role: Role) -> Option<State>;

    /// Whether `role` has, or last had, a number in the namespace of `caller`.
    fn has_number(&self, caller: Role, role: Role) -> bool;
}

/// What random scenarios are like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RandomConfig {
    /// The calls, each with its weight.
    pub calls: Vec<(CallName, u32)>,
    /// How many processes may be there at once, zombies and host included. It also bounds how deep PID namespaces nest:
    /// each has an init.
    pub live: usize,
    /// What the arguments of the calls are like.
    pub theme: Theme,
}

impl RandomConfig {
    /// Scenarios about one theme.
    pub fn about(theme: Theme) -> RandomConfig {
        let live = if theme == Theme::Depth { usize::from(PREPARED) + 10 } else { 10 };
        RandomConfig { calls: theme.calls(), live, theme }
    }
}

impl Default for RandomConfig {
    fn default() -> RandomConfig {
        RandomConfig::about(Theme::Everything)
    }
}

/// The scenario that these choices make: one step each, until nobody can act any more or a scenario can have no more steps.
pub fn scenario(choices: &[[u8; 4]], guide: &mut impl Guide, config: &RandomConfig) -> Scenario {
    let mut scenario = Scenario {
        name: "random".to_owned(),
        title: "A random scenario".to_owned(),
        about: String::new(),
        rules: Vec::new(),
        needs: Vec::new(),
        roles: vec!["host".to_owned()],
        steps: Vec::new(),
    };
    guide.start(&scenario);
    open(&mut scenario, guide, opening(config.theme, choices.first()));
    for choice in choices.iter().take(MOST_STEPS) {
        let actors: Vec<Role> = roles(&scenario).filter(|role| guide.state(*role) == Some(State::Running)).collect();
        if actors.is_empty() {
            break;
        }
        let by = match config.theme {
            // The last one is the deepest.
            Theme::Depth if !choice[0].is_multiple_of(4) => {
                actors[actors.len() - 1 - usize::from(choice[0] / 4) % actors.len().min(4)]
            }
            _ => one_of(&actors, choice[0]),
        };
        let call = Maker::new(&mut scenario, guide, config, by).call(choice[1], choice[2], choice[3]);
        let step = Step { by, call, expect: None, ask: None, span: 0..0 };
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

/// Takes the steps that a scenario begins with.
fn open(scenario: &mut Scenario, guide: &mut impl Guide, calls: Vec<(u16, Call)>) {
    for (by, call) in calls {
        if let Some(child) = call.child() {
            scenario.roles.push(format!("p{}", child.0));
        }
        let step = Step { by: Role(by), call, expect: None, ask: None, span: 0..0 };
        if guide.apply(scenario, &step).is_err() {
            if step.call.child().is_some() {
                scenario.roles.pop();
            }
            return;
        }
        scenario.steps.push(step);
    }
}

/// Lists of up to `steps` choices.
#[cfg(feature = "proptest")]
pub fn choices(steps: usize) -> impl proptest::strategy::Strategy<Value = Vec<[u8; 4]>> {
    proptest::collection::vec(proptest::array::uniform4(proptest::num::u8::ANY), 1..=steps)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::step::MOST_ROLES;

    /// Everybody who was made lives, and sees everybody: the number of processes.
    #[derive(Default)]
    struct Everybody(u16);

    impl Guide for Everybody {
        fn start(&mut self, _: &Scenario) {
            self.0 = 1;
        }

        fn apply(&mut self, _: &Scenario, step: &Step) -> Result<(), Refusal> {
            self.0 += u16::from(step.call.child().is_some());
            Ok(())
        }

        fn state(&self, role: Role) -> Option<State> {
            (role.0 < self.0).then_some(State::Running)
        }

        fn has_number(&self, _: Role, role: Role) -> bool {
            role.0 < self.0
        }
    }

    /// Refuses every second step.
    #[derive(Default)]
    struct Reluctant(Everybody, bool);

    impl Guide for Reluctant {
        fn start(&mut self, scenario: &Scenario) {
            self.0.start(scenario);
        }

        fn apply(&mut self, scenario: &Scenario, step: &Step) -> Result<(), Refusal> {
            self.1 = !self.1;
            if self.1 { Err(Refusal::BornTwice { role: step.by }) } else { self.0.apply(scenario, step) }
        }

        fn state(&self, role: Role) -> Option<State> {
            self.0.state(role)
        }

        fn has_number(&self, caller: Role, role: Role) -> bool {
            self.0.has_number(caller, role)
        }
    }

    /// Different from one case to the next; the same on every machine.
    fn choices(case: u32, steps: u32) -> Vec<[u8; 4]> {
        (0..steps)
            .map(|step| case.wrapping_mul(steps).wrapping_add(step).wrapping_mul(2_654_435_761))
            .map(|mixed| (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b).to_le_bytes())
            .collect()
    }

    fn reads_back(made: &Scenario) {
        let text = made.to_toml();
        let read = Scenario::parse("random", "random.toml", &text);
        let mut read = read.unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        for step in &mut read.steps {
            step.span = 0..0;
        }
        assert_eq!(read, *made, "{text}");
    }

    #[test]
    fn every_list_of_choices_gives_a_scenario_that_reads_back() {
        for theme in Theme::ALL {
            let config = RandomConfig::about(*theme);
            let mut seen = BTreeSet::new();
            for case in 0..400 {
                let made = scenario(&choices(case, 20), &mut Everybody::default(), &config);
                let opening = opening(*theme, choices(case, 20).first()).len();
                assert_eq!(made.steps.len(), opening + 20);
                seen.extend(made.steps.iter().map(|step| step.call.name()));
                reads_back(&made);
            }
            let configured: BTreeSet<CallName> = config.calls.into_iter().map(|(name, _)| name).collect();
            assert!(seen.is_superset(&configured), "some call is never made: {theme:?}");
        }
    }

    #[test]
    fn a_mixture_of_everything_has_every_call() {
        let all: BTreeSet<CallName> = RandomConfig::default().calls.into_iter().map(|(name, _)| name).collect();
        assert_eq!(all, CallName::ALL.iter().copied().collect());
        let turns: Vec<Theme> = (0..12).map(Theme::of).collect();
        assert!(Theme::ALL.iter().all(|theme| turns.contains(theme)), "{turns:?}");
    }

    #[test]
    fn a_step_that_cannot_be_taken_leaves_nothing_behind() {
        for case in 0..100 {
            let made = scenario(&choices(case, 40), &mut Reluctant::default(), &RandomConfig::default());
            assert_eq!(made.steps.len(), 20);
            reads_back(&made);
        }
    }

    #[test]
    fn a_very_long_list_stops_at_what_a_scenario_can_have() {
        let config = RandomConfig {
            calls: vec![(CallName::Fork, 1), (CallName::Getpid, 1)],
            live: usize::MAX,
            theme: Theme::Everything,
        };
        let made = scenario(&choices(1, 5000), &mut Everybody::default(), &config);
        assert_eq!((made.steps.len(), made.roles.len()), (MOST_STEPS, MOST_ROLES));
        reads_back(&made);
    }

    #[test]
    fn weights_of_any_size_will_do() {
        for calls in
            [Vec::new(), vec![(CallName::Fork, 0)], vec![(CallName::Fork, u32::MAX), (CallName::Exec, u32::MAX)]]
        {
            let made = scenario(
                &choices(1, 30),
                &mut Everybody::default(),
                &RandomConfig { calls, live: 3, theme: Theme::Everything },
            );
            assert_eq!(made.steps.len(), 30);
            reads_back(&made);
        }
    }
}
