//! From a [`Scenario`] to the text of a file, one aligned inline table a step.

use std::fmt::Write as _;

use crate::written::{self, listed, named, quoted};
use crate::{Given, Role, Scenario, Step, Target, Written};

impl Scenario {
    /// The scenario as a file. [`Scenario::parse`] reads it back as the same value, but for the places of the steps.
    pub fn to_toml(&self) -> String {
        let mut text = format!("title = {}\n", quoted(&self.title));
        if !self.about.is_empty() {
            let _ = writeln!(text, "about = {}", quoted(&self.about));
        }
        if !self.rules.is_empty() {
            let _ = writeln!(text, "rules = {}", listed(self.rules.iter().map(String::as_str)));
        }
        if !self.needs.is_empty() {
            let _ = writeln!(text, "needs = {}", listed(self.needs.iter().map(ToString::to_string)));
        }
        text.push_str("\nsteps = [\n");
        let by = self.steps.iter().map(|step| self.role_name(step.by).len()).max().unwrap_or(0) + 3;
        let call = self.steps.iter().map(|step| step.call.name().word().len()).max().unwrap_or(0) + 3;
        for step in &self.steps {
            let name = format!("{},", quoted(self.role_name(step.by)));
            let mut line = format!("  {{ by = {name:<by$} call = ");
            let arguments = Writer { scenario: self }.step(step);
            let word = quoted(step.call.name().word());
            if arguments.is_empty() {
                line.push_str(&word);
            } else {
                let word = format!("{word},");
                let _ = write!(line, "{word:<call$} {}", arguments.join(", "));
            }
            let _ = writeln!(text, "{line} }},");
        }
        text.push_str("]\n");
        text
    }
}

struct Writer<'a> {
    scenario: &'a Scenario,
}

impl Writer<'_> {
    /// `key = value` for every argument and expectation of a step.
    fn step(&self, step: &Step) -> Vec<String> {
        let arguments = step.call.arguments().into_iter().map(|(key, given)| (key, self.given(&given)));
        let claims: Vec<Written> = step.claimed().map(|claim| claim.written(self.scenario)).collect();
        let ask = step.ask.as_ref().map(|ask| format!("ask = {}", quoted(ask)));
        let arguments = arguments.map(|(key, value)| format!("{key} = {value}"));
        arguments.chain(written::pairs(&claims)).chain(ask).collect()
    }

    fn given(&self, given: &Given) -> String {
        match given {
            Given::NewProcess(role)
            | Given::Process(role)
            | Given::Pidfd(role)
            | Given::Kept(role)
            | Given::Directory(role) => self.role(*role),
            Given::Target(target) | Given::Receiver(target) | Given::Group(target) => self.target(*target),
            Given::OwnGroup => quoted("own"),
            Given::Any => quoted("any"),
            Given::Signal(signal) => signal.map_or("0".to_owned(), named),
            Given::Signals(signals) => {
                format!("[{}]", signals.iter().map(|signal| named(*signal)).collect::<Vec<_>>().join(", "))
            }
            Given::Names(names) => listed(names.iter()),
            Given::Numbers(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i32::to_string).collect();
                format!("[{}]", numbers.join(", "))
            }
            Given::Number(number) => number.to_string(),
            Given::Flag(flag) => flag.to_string(),
            Given::Word(word) => quoted(word),
        }
    }

    fn role(&self, role: Role) -> String {
        quoted(self.scenario.role_name(role))
    }

    fn target(&self, target: Target) -> String {
        match target {
            Target::Role(role) => self.role(role),
            Target::Number(number) => number.to_string(),
        }
    }
}
