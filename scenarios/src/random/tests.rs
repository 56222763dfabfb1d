use std::collections::BTreeSet;

use super::{Choice, Guide, RandomConfig, Theme, scenario};
use crate::limits::{MOST_ROLES, MOST_STEPS};
use crate::{CallName, Refusal, Role, Scenario, State, Step};

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
fn choices(case: u32, steps: u32) -> Vec<Choice> {
    let mixed = |number: u32| {
        let mixed = number.wrapping_mul(2_654_435_761);
        ((mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) >> 8) as u8
    };
    let length = size_of::<Choice>() as u32;
    let choice = |step: u32| {
        std::array::from_fn(|byte| mixed((case.wrapping_mul(steps + 1) + step).wrapping_mul(length) + byte as u32))
    };
    (0..=steps).map(choice).collect()
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
            assert!((20..=20 + 29).contains(&made.steps.len()));
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
    let turns: Vec<Theme> = (0..24).map(Theme::of).collect();
    assert!(Theme::ALL.iter().all(|theme| turns.contains(theme)), "{turns:?}");
}

#[test]
fn a_step_that_cannot_be_taken_leaves_nothing_behind() {
    for case in 0..100 {
        let made = scenario(&choices(case, 40), &mut Reluctant::default(), &RandomConfig::default());
        assert!((18..=21).contains(&made.steps.len()), "{}", made.steps.len());
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
    for calls in [Vec::new(), vec![(CallName::Fork, 0)], vec![(CallName::Fork, u32::MAX), (CallName::Exec, u32::MAX)]] {
        let made = scenario(
            &choices(1, 30),
            &mut Everybody::default(),
            &RandomConfig { calls, live: 3, theme: Theme::Everything },
        );
        assert_eq!(made.steps.len(), 30);
        reads_back(&made);
    }
}
