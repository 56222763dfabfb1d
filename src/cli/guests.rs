//! Commands of this program in other kernels, for what asks many of them; and what is known of kernels since they were asked.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use pidlab_kernels::{Bounds, Event, Kernel, Order, Past};
use pidlab_scenario::Fact;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{End, elsewhere};

/// What came of a command in a guest.
pub(super) struct Told {
    pub(super) past: Past,
    /// What it wrote that is JSON, a line each.
    pub(super) lines: Vec<Value>,
    /// What it complained of.
    pub(super) errors: Vec<String>,
}

/// Runs a command that writes JSON.
pub(super) fn ask(kernel: &Kernel, arguments: &[&str], bounds: Bounds) -> io::Result<Told> {
    let order = Order {
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        variables: vec![("NO_COLOR".to_owned(), "1".to_owned()), elsewhere::named(&kernel.name)],
        folder: PathBuf::from("/tmp"),
        ..Order::default()
    };
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    let past = pidlab_kernels::run(kernel, order, None, &[], bounds, |event| match event {
        Event::Out(line) => match serde_json::from_str(&line) {
            Ok(value) => lines.push(value),
            Err(_) => errors.push(line),
        },
        Event::Err(line) => errors.push(line),
        Event::File(..) => {}
    })?;
    Ok(Told { past, lines, errors })
}

/// What a kernel is like, as it was found out when it was booted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) release: String,
    pub(super) facts: BTreeMap<String, bool>,
    /// Which image it was: its size, and when it was changed.
    image: (u64, u64),
}

impl Known {
    /// What is known of a kernel, if its image is still the same, and if it was asked for all facts that there are.
    pub(super) fn of(kernel: &Kernel) -> Option<Known> {
        let known: Known = serde_json::from_slice(&fs::read(place(kernel)?).ok()?).ok()?;
        (Some(known.image) == identity(kernel) && known.is_complete()).then_some(known)
    }

    /// An older version of this program has not asked for facts that are newer.
    fn is_complete(&self) -> bool {
        Fact::ALL.iter().all(|fact| self.facts.contains_key(fact.word()))
    }

    /// Remembers what a kernel is like. That it cannot be kept is no loss: it can be asked again.
    pub(super) fn remember(kernel: &Kernel, release: &str, facts: &BTreeMap<String, bool>) -> Option<Known> {
        let known = Known { release: release.to_owned(), facts: facts.clone(), image: identity(kernel)? };
        let place = place(kernel)?;
        let kept = fs::create_dir_all(place.parent()?).and_then(|()| fs::write(&place, serde_json::to_vec(&known)?));
        drop(kept);
        Some(known)
    }
}

fn place(kernel: &Kernel) -> Option<PathBuf> {
    let name = kernel.name.replace('/', "%");
    Some(pidlab_kernels::cache().ok()?.join(".known").join(format!("{name}.json")))
}

fn identity(kernel: &Kernel) -> Option<(u64, u64)> {
    let found = fs::metadata(&kernel.image).ok()?;
    let changed = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((found.len(), changed.as_secs()))
}

/// Boots a kernel to find out what it is like.
pub(super) fn probe(kernel: &Kernel) -> io::Result<Result<Option<Known>, End>> {
    let told = ask(kernel, &["facts", "--format", "json"], Bounds::here())?;
    let facts =
        told.lines.iter().filter_map(|line| Some((line["fact"].as_str()?.to_owned(), line["holds"].as_bool()?)));
    let facts: BTreeMap<String, bool> = facts.collect();
    let release = told.lines.iter().find_map(|line| line["kernel"].as_str());
    match (release, facts.is_empty()) {
        (Some(release), false) => Ok(Ok(Known::remember(kernel, release, &facts))),
        _ => {
            told.errors.iter().for_each(|line| eprintln!("{}: {line}", kernel.name));
            Ok(Err(elsewhere::end(kernel, &told.past.ending)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fact, Known};

    #[test]
    fn a_kernel_that_was_not_asked_for_a_fact_is_asked_again() {
        let facts = Fact::ALL.iter().map(|fact| (fact.word().to_owned(), true)).collect();
        let mut known = Known { release: "6.1".to_owned(), facts, image: (1, 1) };
        assert!(known.is_complete());
        known.facts.remove(Fact::ALL[0].word());
        assert!(!known.is_complete());
    }
}
