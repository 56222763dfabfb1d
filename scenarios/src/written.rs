//! Claims as a file writes them, and where a file has them.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::{
    ChildStatus, Claim, Expect, HandledClaim, OutcomeClaim, ProcessClaim, ReturnValue, ReturnedClaim, Role, Scenario,
    SeenValue, Signal,
};

/// A claim as a file writes it: the keys that lead to it in the table of its step, and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// `["then", "leaf", "ppid"]`
    pub keys: Vec<String>,
    /// `1`, in TOML.
    pub value: String,
}

impl Written {
    /// The claim as the pair that a step has: `then = { leaf = { ppid = 1 } }`.
    pub fn pair(&self) -> String {
        pairs(std::slice::from_ref(self)).concat()
    }
}

/// Where a claim stands in a file, in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The last key and its value.
    pub pair: Range<usize>,
    /// The value; of a table that is written with dots, what follows its key.
    pub value: Range<usize>,
    /// Whether the value is a table written with dots (`returned.returns = 2`) and not in braces.
    pub dotted: bool,
}

impl Place {
    /// Finds what stands below these keys in a step of a file; the first step is 1.
    pub fn find(text: &str, step: usize, keys: &[String]) -> Option<Place> {
        let (table, _) = DeTable::parse_recoverable(text);
        let steps = table.get_ref().get("steps")?.get_ref().as_array()?;
        let mut below: &DeValue<'_> = steps.get(step.checked_sub(1)?)?.get_ref();
        let mut found = None;
        for wanted in keys {
            let (key, value) = below.as_table()?.iter().find(|(key, _)| key.get_ref() == wanted)?;
            below = value.get_ref();
            found = Some((key.span(), value.span()));
        }
        let (key, value) = found?;
        match below.as_table() {
            Some(table) if !text[value.start..].starts_with('{') => {
                let end = last(text, table)?;
                Some(Place { pair: key.start..end, value: key.end..end, dotted: true })
            }
            _ => Some(Place { pair: key.start..value.end, value, dotted: false }),
        }
    }

    /// Finds the id of a rule in the list of those that a file shows.
    pub fn of_rule(text: &str, id: &str) -> Option<Range<usize>> {
        let (table, _) = DeTable::parse_recoverable(text);
        let rules = table.get_ref().get("rules")?.get_ref().as_array()?;
        rules.iter().find(|rule| rule.get_ref().as_str() == Some(id)).map(|rule| rule.span())
    }
}

/// Where a table ends that is written with dots. Only one with a single value stands in one piece.
fn last(text: &str, table: &DeTable<'_>) -> Option<usize> {
    let mut values = table.values();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    match value.get_ref().as_table() {
        Some(inner) if !text[value.span().start..].starts_with('{') => last(text, inner),
        _ => Some(value.span().end),
    }
}

impl Claim {
    /// The claim as a file writes it.
    ///
    /// # Panics
    /// If it is about a process that the scenario does not have.
    pub fn written(&self, scenario: &Scenario) -> Written {
        let words = Words(scenario);
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        match self {
            Claim::Outcome(claim) => {
                let (keys, value) = words.outcome(claim);
                Written { keys: owned(&keys), value }
            }
            Claim::Gone(role) => Written { keys: owned(&["then", scenario.role_name(*role)]), value: quoted("gone") },
            Claim::Process(role, claim) => {
                let (key, value) = words.process(claim);
                Written { keys: owned(&["then", scenario.role_name(*role), key]), value }
            }
        }
    }
}

/// Claims as the pairs of one table, those with the same keys in one table below it.
pub(crate) fn pairs(claims: &[Written]) -> Vec<String> {
    let parts: Vec<(&[String], &str)> = claims.iter().map(|claim| (&claim.keys[..], &claim.value[..])).collect();
    grouped(&parts)
}

fn grouped(parts: &[(&[String], &str)]) -> Vec<String> {
    let mut pairs = Vec::new();
    for group in parts.chunk_by(|(left, _), (right, _)| left[0] == right[0]) {
        let key = &group[0].0[0];
        if let [(keys, value)] = group
            && keys.len() == 1
        {
            pairs.push(format!("{key} = {value}"));
        } else {
            let below: Vec<(&[String], &str)> =
                group.iter().filter(|(keys, _)| keys.len() > 1).map(|(keys, value)| (&keys[1..], *value)).collect();
            pairs.push(format!("{key} = {{ {} }}", grouped(&below).join(", ")));
        }
    }
    pairs
}

/// The names that claims are written with.
struct Words<'a>(&'a Scenario);

impl Words<'_> {
    fn outcome(&self, claim: &OutcomeClaim) -> (Vec<&'static str>, String) {
        match claim {
            OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(number))) => (vec!["returns"], number.to_string()),
            OutcomeClaim::Result(Expect::Returns(ReturnValue::Role(role))) => (vec!["returns"], self.role(*role)),
            OutcomeClaim::Result(Expect::Fails(errno)) => (vec!["fails"], quoted(errno.name())),
            OutcomeClaim::Result(Expect::Blocks) => (vec!["blocks"], "true".to_owned()),
            OutcomeClaim::Result(Expect::Ends) => (vec!["ends"], "true".to_owned()),
            OutcomeClaim::Status(status) => (vec!["status"], self::status((*status).into())),
            OutcomeClaim::Sees(field) => {
                let value = match &field.value {
                    SeenValue::Number(number) => number.to_string(),
                    SeenValue::Numbers(numbers) => list(numbers.iter().map(ToString::to_string)),
                    SeenValue::Status(None) => "false".to_owned(),
                    SeenValue::Status(Some(status)) => self::status((*status).into()),
                    SeenValue::Translated(Ok(number)) => format!("{{ ok = {number} }}"),
                    SeenValue::Translated(Err(errno)) => format!("{{ err = {} }}", quoted(errno.name())),
                };
                let known = crate::SeenField::KINDS.iter().find(|(name, _)| *name == field.name);
                (vec!["sees", known.map_or("", |(name, _)| name)], value)
            }
            OutcomeClaim::Pending(signals) => (vec!["pending"], list(signals.iter().map(|signal| named(*signal)))),
            OutcomeClaim::Took(claim) => (vec!["took"], handled(claim)),
            OutcomeClaim::Events(events) => (vec!["events"], listed(events.iter().map(ToString::to_string))),
        }
    }

    fn process(&self, claim: &ProcessClaim) -> (&'static str, String) {
        let or_false = |role: &Option<Role>| role.map_or("false".to_owned(), |role| self.role(role));
        match claim {
            ProcessClaim::State(state) => ("state", quoted(&state.to_string())),
            ProcessClaim::Pids(numbers) => ("pids", list(numbers.iter().map(ToString::to_string))),
            ProcessClaim::Namespaces(numbers) => ("namespaces", list(numbers.iter().map(ToString::to_string))),
            ProcessClaim::Parent(parent) => ("parent", or_false(parent)),
            ProcessClaim::Ppid(number) => ("ppid", number.to_string()),
            ProcessClaim::Pgid(number) => ("pgid", number.to_string()),
            ProcessClaim::Sid(number) => ("sid", number.to_string()),
            ProcessClaim::ThreadOf(leader) => ("thread_of", or_false(leader)),
            ProcessClaim::Tracer(tracer) => ("tracer", or_false(tracer)),
            ProcessClaim::Handled(all) => ("handled", list(all.iter().map(handled))),
            ProcessClaim::Returned(claim) => {
                ("returned", claim.as_ref().map_or("false".to_owned(), |claim| self.returned(claim)))
            }
        }
    }

    fn returned(&self, claim: &ReturnedClaim) -> String {
        let call = claim.call.map(|call| Written { keys: vec!["call".to_owned()], value: quoted(call.word()) });
        let outcome = claim.outcome.iter().map(|claim| {
            let (keys, value) = self.outcome(claim);
            Written { keys: keys.into_iter().map(str::to_owned).collect(), value }
        });
        let parts: Vec<Written> = call.into_iter().chain(outcome).collect();
        format!("{{ {} }}", pairs(&parts).join(", "))
    }

    fn role(&self, role: Role) -> String {
        quoted(self.0.role_name(role))
    }
}

fn handled(claim: &HandledClaim) -> String {
    let mut text = format!("{{ signal = {}", named(claim.signal));
    if let Some(number) = claim.si_pid {
        text += &format!(", si_pid = {number}");
    }
    if let Some(status) = claim.status {
        text += &format!(", status = {}", status.map_or("false".to_owned(), self::status));
    }
    text + " }"
}

fn status(status: ChildStatus) -> String {
    match status {
        ChildStatus::Exited(status) => format!("{{ exited = {status} }}"),
        ChildStatus::Killed(signal) => format!("{{ killed = {} }}", named(signal)),
        ChildStatus::Stopped(Some(signal)) => format!("{{ stopped = {} }}", named(signal)),
        ChildStatus::Stopped(None) => "{ stopped = 0 }".to_owned(),
        ChildStatus::Trapped(Some(signal)) => format!("{{ trapped = {} }}", named(signal)),
        ChildStatus::Trapped(None) => "{ trapped = 0 }".to_owned(),
        ChildStatus::Continued => "{ continued = true }".to_owned(),
    }
}

/// A text as a TOML basic string.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

pub(crate) fn listed(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    list(words.map(|word| quoted(word.as_ref())))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A signal by the name that the parser reads, or by number where it has none.
pub(crate) fn named(signal: Signal) -> String {
    let name = signal.to_string();
    if Signal::from_name(&name).is_some() { quoted(&name) } else { signal.number().to_string() }
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn found(text: &str, keys: &[&str]) -> Option<(String, String, bool)> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let Place { pair, value, dotted } = Place::find(text, 1, &keys)?;
        Some((text[pair].to_owned(), text[value].to_owned(), dotted))
    }

    #[test]
    fn a_claim_is_found_however_its_tables_are_written() {
        let in_braces = Some(("returned = { returns = 9 }".to_owned(), "{ returns = 9 }".to_owned(), false));
        let dotted = Some(("returned.returns = 9".to_owned(), ".returns = 9".to_owned(), true));
        let keys = ["then", "k", "returned"];
        assert_eq!(found("steps = [{ then = { k = { returned = { returns = 9 } } } }]", &keys), in_braces);
        assert_eq!(found("steps = [{ then.k.returned = { returns = 9 } }]", &keys), in_braces);
        assert_eq!(found("[[steps]]\n[steps.then.k]\nreturned = { returns = 9 }\nppid = 1", &keys), in_braces);
        assert_eq!(found("steps = [{ then.k.returned.returns = 9, ask = \"?\" }]", &keys), dotted);
        assert_eq!(found("[[steps]]\n[steps.then.k]\nreturned.returns = 9\nppid = 1", &keys), dotted);
        assert_eq!(found("[[steps]]\n[steps.then]\nk.returned.returns = 9", &keys), dotted);
        let number = Some(("ppid = 1".to_owned(), "1".to_owned(), false));
        assert_eq!(found("steps = [{ then.k.ppid = 1, then.k.sid = 0 }]", &["then", "k", "ppid"]), number);
        // Its two halves may stand anywhere.
        assert_eq!(found("steps = [{ then.k.returned.returns = 9, then.k.returned.status.exited = 0 }]", &keys), None);
        assert_eq!(found("steps = [{ then.k.ppid = 1 }]", &keys), None);
    }
}
