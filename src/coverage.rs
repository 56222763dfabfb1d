//! Which rules are shown by scenarios, fired by random runs, and agreed on by a kernel.

use std::collections::BTreeSet;
use std::thread;

use pidlab_scenario::random::Theme;
use pidlab_scenario::{Fact, Facts, Scenario};
use pidlab_sim::{Model, Rule, rule};

use crate::compare::{self, Verdict};
use crate::random;

/// Steps that a random scenario has at most, beside those that it begins with.
pub const LENGTH: usize = 20;

/// One rule, and how well it is covered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The rule.
    pub rule: &'static Rule,
    /// How many scenarios of the library claim to show it, and fire it.
    pub scenarios: usize,
    /// How many random scenarios fired it on the model.
    pub random: u64,
    /// How many runs fired it in which the kernel agreed with the model at every step.
    pub agreed: u64,
    /// The scenarios that show it are all about kernels unlike this one.
    pub elsewhere: bool,
}

/// A table of all rules, in teaching order.
#[derive(Clone, Debug)]
pub struct Coverage {
    rows: Vec<Row>,
    /// Whether a kernel took part.
    pub with_kernel: bool,
}

impl Coverage {
    /// Nothing is covered yet.
    pub fn new(with_kernel: bool) -> Coverage {
        let row = |rule: &&'static Rule| Row { rule, scenarios: 0, random: 0, agreed: 0, elsewhere: true };
        Coverage { rows: rule::CATALOGUE.iter().map(row).collect(), with_kernel }
    }

    /// The table.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Takes a scenario of the library in. `on_kernel`: it ran on the kernel too, and not as a claim about other kernels.
    pub fn add_scenario(&mut self, scenario: &Scenario, verdict: &Verdict, on_kernel: bool) {
        for row in &mut self.rows {
            let fired = verdict.agrees() && verdict.fired.contains(row.rule.id);
            if fired && scenario.rules.iter().any(|id| id == row.rule.id) {
                row.scenarios += 1;
                row.elsewhere &= !on_kernel;
            }
            row.agreed += u64::from(fired && on_kernel);
        }
    }

    /// Takes in how often random runs fired each rule, in the order of the catalogue.
    pub fn add_random(&mut self, fired: &[u64]) {
        for (row, fired) in self.rows.iter_mut().zip(fired) {
            row.random += fired;
        }
    }

    /// Takes in a random run in which the kernel agreed.
    pub fn add_agreed(&mut self, fired: &BTreeSet<&'static str>) {
        for row in &mut self.rows {
            row.agreed += u64::from(fired.contains(row.rule.id));
        }
    }

    /// What a rule lacks, in words; nothing where it is covered.
    pub fn lacks(&self, row: &Row) -> Vec<&'static str> {
        let mut lacks = Vec::new();
        if row.scenarios == 0 {
            lacks.push("a scenario");
        }
        if row.random == 0 {
            lacks.push("a random run");
        }
        if self.with_kernel && row.agreed == 0 && !row.elsewhere {
            lacks.push("this kernel's agreement");
        }
        lacks
    }

    /// The rules that are not covered.
    pub fn lacking(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !self.lacks(row).is_empty())
    }
}

/// The kinds of kernels that random runs of the model are made on: the one at hand, the newest, one on which no fact about
/// kernels holds, and one that has the newer calls in their first form, and what only a vendor's kernel has.
pub fn kinds_of_kernels(at_hand: &Facts) -> [Facts; 4] {
    let later = [
        Fact::PidfdAccessFirst,
        Fact::PidfdInfoIsRemote,
        Fact::PidfdInfoOfGuest,
        Fact::PidfdExit,
        Fact::SenderTranslated,
    ];
    let first_form = later.into_iter().fold(Facts::newest(), |facts, fact| facts.with(fact, false));
    let vendors = Fact::ALL.iter().filter(|fact| fact.is_of_a_vendor());
    let first_form = vendors.fold(first_form, |facts, fact| facts.with(*fact, true));
    [at_hand.clone(), Facts::newest(), Facts::oldest(), first_form]
}

/// Runs `cases` random scenarios of a seed on the model of such a kernel, and counts in how many each rule fired, in the order of
/// the catalogue. `jobs` threads share the work; the counts do not depend on how many.
pub fn random_on_the_model(facts: &Facts, seed: u64, cases: u64, jobs: u64) -> Vec<u64> {
    let jobs = jobs.clamp(1, 1024);
    let count = |first: u64| {
        let mut model = Model::new(facts.clone());
        let mut counts = vec![0u64; rule::CATALOGUE.len()];
        for case in (first..cases).step_by(jobs as usize) {
            let scenario = random_scenario(&mut model, seed, case);
            let verdict = compare::with_model(&mut model, &scenario, None);
            for (count, rule) in counts.iter_mut().zip(rule::CATALOGUE) {
                *count += u64::from(verdict.fired.contains(rule.id));
            }
        }
        counts
    };
    thread::scope(|scope| {
        let count = &count;
        let begin = |first| thread::Builder::new().spawn_scoped(scope, move || count(first)).map_err(|_| first);
        let workers: Vec<_> = (0..jobs).map(begin).collect();
        let mut total = vec![0u64; rule::CATALOGUE.len()];
        for worker in workers {
            let counts = match worker {
                // A worker that panics has found a mistake of the model: it must not look like one that counted nothing.
                Ok(worker) => worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // Where no thread can be made, its share is done here.
                Err(first) => count(first),
            };
            for (total, count) in total.iter_mut().zip(counts) {
                *total += count;
            }
        }
        total
    })
}

/// The scenario of one case of a seed, about the theme whose turn it is.
pub fn random_scenario(model: &mut Model, seed: u64, case: u64) -> Scenario {
    let choices = random::choices(seed, case, LENGTH);
    random::scenario(&choices, Theme::of(case), model, &format!("random/{seed}-{case}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_every_fact_about_kernels_are_tried() {
        let kinds = kinds_of_kernels(&Facts::newest());
        for fact in Fact::ALL.iter().filter(|fact| !fact.is_of_place()) {
            for side in [true, false] {
                assert!(kinds.iter().any(|kind| kind.holds(*fact) == side), "no kind on which `{fact}` is {side}");
            }
        }
    }
}
