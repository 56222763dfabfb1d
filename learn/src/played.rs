//! A scenario that was played, ready to be shown step by step.

use pidlab_scenario::{Facts, Observation, Scenario, told};
use pidlab_sim::{Model, Rule};

/// What stands outside of the course: how a world is drawn, and a kernel.
pub trait Stage {
    /// What the kernel at hand is like, or the one that is to be taken for it.
    fn facts(&self) -> Facts;

    /// The world, drawn for a terminal.
    fn world(&self, scenario: &Scenario, seen: &Observation) -> String;

    /// What to type on a machine to see what a lesson, counted from 0, is about; nothing where there is nothing.
    fn beside(&self, lesson: usize) -> Option<Beside>;

    /// What a kernel gave; nothing where the model alone plays.
    ///
    /// # Errors
    /// Why it gave nothing.
    fn kernel(&mut self, scenario: &Scenario) -> Option<Result<KernelRun, String>>;
}

/// What to type on a machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beside {
    /// Where it is to be typed, as a sentence.
    pub how: String,
    /// Commands, each with what it shows, as a sentence.
    pub commands: Vec<(String, String)>,
}

/// What a kernel gave.
#[derive(Clone, Debug)]
pub struct KernelRun {
    /// Which kernel, in words.
    pub name: String,
    /// The start, then one observation a step.
    pub observations: Vec<Observation>,
    /// Where it departs from the model, in words.
    pub differs: Option<String>,
}

/// A scenario that was played.
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    /// Of whom the observations are, in words.
    pub(crate) by: String,
    /// The start, then one observation a step.
    pub(crate) seen: Vec<Observation>,
    /// The rules that decided each, of the model.
    pub(crate) rules: Vec<Vec<&'static Rule>>,
    /// What the learner should know first.
    pub(crate) notice: Option<String>,
}

impl Played {
    /// Plays on the model, and on a kernel if there is one.
    pub(crate) fn new(scenario: Scenario, stage: &mut impl Stage) -> Played {
        let facts = stage.facts().with_all(&scenario.needs);
        let mut model = Model::new(facts);
        let start = model.start(&scenario);
        let steps = scenario.steps.iter().map_while(|step| model.step(&scenario, step).ok());
        let answers: Vec<_> = std::iter::once(start).chain(steps).collect();
        let main = |rule: &&Rule| !scenario.rules.iter().any(|id| id == rule.id);
        let rules = |because: &[pidlab_sim::Because]| {
            let mut rules: Vec<&'static Rule> = Vec::new();
            for because in because {
                if rules.iter().all(|rule| rule.id != because.rule.id) {
                    rules.push(because.rule);
                }
            }
            // Those that the scenario is about come first.
            rules.sort_by_key(main);
            rules
        };
        let rules = answers.iter().map(|answer| rules(&answer.because)).collect();
        let seen = answers.into_iter().map(|answer| answer.observation).collect();
        let mut played = Played { scenario, by: "the model of Linux".to_owned(), seen, rules, notice: None };
        match stage.kernel(&played.scenario) {
            None => {}
            Some(Ok(run)) => {
                played.notice =
                    run.differs.map(|how| format!("{} gave something else than the model says: {how}", run.name));
                played.by = run.name;
                played.seen = run.observations;
            }
            Some(Err(why)) => played.notice = Some(format!("the kernel gave no run, so the model plays: {why}")),
        }
        played
    }

    /// A step in a line: who calls what, and what it gave.
    pub(crate) fn line(&self, step: usize) -> String {
        let gave = self.seen.get(step).and_then(|seen| seen.outcome.as_ref());
        let gave = gave.map_or_else(String::new, |outcome| told::outcome(&self.scenario, outcome));
        let step_made = &self.scenario.steps[step - 1];
        let call = told::call(&self.scenario, &step_made.call);
        format!("{step}. {}: {call}  {gave}", self.scenario.role_name(step_made.by)).trim_end().to_owned()
    }
}
