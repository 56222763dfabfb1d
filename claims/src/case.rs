use pidlab_scenario::{Need, Scenario};
use pidlab_sim::Rule;

/// A sentence on trial.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Case {
    /// Its permanent name.
    pub id: String,
    /// What is said, in our words.
    pub sentence: String,
    /// Where it is met: public sources.
    pub met: Vec<String>,
    /// Its place in the article that [`page::article`](crate::page::article) goes through.
    pub article: Option<u32>,
    /// The rules that decide it.
    pub rules: Vec<&'static Rule>,
    /// What is so.
    pub correction: String,
    /// What decides it. There is none where [`Case::not_here`] says why.
    pub trials: Vec<Trial>,
    /// Why nothing here can decide it.
    pub not_here: Option<String>,
}

/// A scenario, and what a sentence predicts of it.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Trial {
    /// What the trial is about, where a sentence has several.
    pub about: Option<String>,
    /// The scenario as its author wrote it.
    pub written: Scenario,
    /// The same, of which nothing is claimed but what the sentence predicts.
    pub scenario: Scenario,
    /// Whether the scenario is in the library of `pidlab-scenario`; if not, it is the sentence's own.
    pub in_library: bool,
}

impl Case {
    /// What a kernel must have, or must not, so that the sentence can be decided on it.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = Vec::new();
        for need in self.trials.iter().flat_map(|trial| &trial.scenario.needs) {
            if !needs.contains(need) {
                needs.push(*need);
            }
        }
        needs
    }
}

impl Trial {
    /// The last step of which something is predicted.
    pub fn last(&self) -> usize {
        let predicted = |index: &usize| self.scenario.steps[*index].claimed().next().is_some();
        (0..self.scenario.steps.len()).rev().find(predicted).map_or(0, |index| index + 1)
    }
}
