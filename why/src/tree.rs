//! All PID namespaces of a machine: which lies in which, who is in each, and under which PIDs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pidlab_scenario::one_line;
use serde::{Deserialize, Serialize};

use crate::finding::Report;
use crate::places::Places;
use crate::snapshot::{Process, Snapshot};

/// A PID namespace, who is in it, and what lies in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Nest {
    /// Its inode, if that is known.
    pub namespace: Option<u64>,
    /// How deep it lies below the procfs's, which is 0.
    pub level: usize,
    /// Its members, children after their parents.
    pub members: Vec<Member>,
    /// How many threads of the kernel were left out.
    pub of_the_kernel: usize,
    /// The namespaces right below it.
    pub inner: Vec<Nest>,
}

/// A member of a PID namespace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Its PIDs, from the procfs's namespace inward.
    pub numbers: Vec<u32>,
    /// What it calls itself.
    pub name: String,
    /// The letter of its state.
    pub state: char,
    /// Whether it is in its exit.
    pub leaves: bool,
    /// The PID of its parent in the procfs, 0 if that is not seen.
    pub parent: u32,
    /// How many of its ancestors are in the same namespace, one after another.
    pub depth: usize,
}

/// The namespaces of a snapshot, from the procfs's inward; those of which it is not known where they lie stand behind it. With a report only
/// whoever is mentioned there is shown, and the namespaces around.
pub fn nests(snapshot: &Snapshot, only: Option<&Report>) -> Vec<Nest> {
    let places = Places::of(snapshot);
    let mentioned = only.map(mentioned);
    let is_shown = |process: &Process| match &mentioned {
        Some(mentioned) => mentioned.contains(&process.pid),
        None => !process.is_of_the_kernel(),
    };
    // The innermost first: each is made when what lies in it has been.
    let mut order: Vec<usize> = (0..places.namespaces.len()).collect();
    order.sort_by_key(|namespace| std::cmp::Reverse(places.namespaces[*namespace].level));
    let mut inner: BTreeMap<Option<usize>, Vec<Nest>> = BTreeMap::new();
    for index in order {
        let namespace = &places.namespaces[index];
        let mut below = inner.remove(&Some(index)).unwrap_or_default();
        below.sort_by_key(|nest| nest.members.first().map(|member| member.numbers.clone()));
        let shown: Vec<usize> =
            namespace.members.iter().copied().filter(|it| is_shown(&snapshot.processes[*it])).collect();
        if shown.is_empty() && below.is_empty() {
            continue;
        }
        let of_the_kernel = if only.is_some() { 0 } else { namespace.members.len() - shown.len() };
        let nest = Nest {
            namespace: namespace.inode,
            level: namespace.level,
            members: in_order(&places, &shown),
            of_the_kernel,
            inner: below,
        };
        inner.entry(namespace.around).or_default().push(nest);
    }
    let mut outermost = inner.remove(&None).unwrap_or_default();
    outermost.sort_by_key(|nest| nest.level);
    outermost
}

/// The PIDs of all who are mentioned.
fn mentioned(report: &Report) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for finding in &report.findings {
        found.insert(finding.who.pid);
        for holder in &finding.holders {
            found.insert(holder.who.pid);
            found.extend(holder.by.iter().flat_map(|by| &by.who).map(|who| who.pid));
        }
    }
    found
}

/// Members of one namespace, each after its parent.
fn in_order(places: &Places<'_>, members: &[usize]) -> Vec<Member> {
    let shown: BTreeSet<u32> = members.iter().map(|member| places.processes[*member].pid).collect();
    let mut children: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for member in members {
        let parent = places.processes[*member].parent;
        children.entry(if shown.contains(&parent) { parent } else { 0 }).or_default().push(*member);
    }
    let mut found = Vec::new();
    let mut open: Vec<(usize, usize)> =
        children.remove(&0).unwrap_or_default().into_iter().rev().map(|it| (it, 0)).collect();
    while let Some((index, depth)) = open.pop() {
        let process = &places.processes[index];
        found.push(Member {
            numbers: process.numbers.clone(),
            name: process.name.clone(),
            state: process.state,
            leaves: process.is_leaving(),
            parent: process.parent,
            depth,
        });
        let next = children.remove(&process.pid).unwrap_or_default();
        open.extend(next.into_iter().rev().map(|child| (child, depth + 1)));
    }
    found
}

impl Nest {
    /// What it is called.
    pub(crate) fn heading(&self) -> String {
        let inode = self.namespace.map(|inode| format!(" {inode}")).unwrap_or_default();
        let threads = match self.of_the_kernel {
            0 => String::new(),
            several => format!(", and {several} threads of the kernel"),
        };
        let members = match self.members.len() {
            1 => "1 process".to_owned(),
            several => format!("{several} processes"),
        };
        format!("PID namespace{inode}: {members}{threads}")
    }
}

impl Member {
    /// Its PIDs, its name, and what is odd about it.
    pub(crate) fn words(&self) -> String {
        let numbers: Vec<String> = self.numbers.iter().map(u32::to_string).collect();
        let mut text = format!("{} {}", numbers.join(" = "), one_line(&self.name));
        let state = match self.state {
            'Z' | 'X' if self.leaves => "first thread has ended, the rest is on its way out",
            'Z' | 'X' => "zombie",
            _ if self.leaves => "has ended, on its way out",
            'T' => "stopped",
            't' => "stopped for its tracer",
            'D' => "sleeps, no signal wakes it",
            _ => "",
        };
        if !state.is_empty() {
            let _ = write!(text, ", {state}");
        }
        // An init's parent is always outside.
        if self.depth == 0 && self.numbers.len() > 1 && self.numbers.last() != Some(&1) {
            match self.parent {
                0 => text += ", its parent is not seen",
                parent => drop(write!(text, ", its parent {parent} is outside")),
            }
        }
        text
    }
}

/// The namespaces as a text: each is a frame on its left, with the tree of its members in it, and what lies in it below them.
pub fn tree(nests: &[Nest], width: usize) -> String {
    let mut text = String::new();
    for nest in nests {
        draw(&mut text, nest, "", width);
    }
    text
}

/// Namespaces lie no deeper than 32, so this ends.
fn draw(text: &mut String, nest: &Nest, left: &str, width: usize) {
    let _ = writeln!(text, "{left}┌ {}", nest.heading());
    for member in &nest.members {
        let words = member.words();
        // What is very deep stands at the edge of the page, and not beyond it.
        let room = width.saturating_sub(left.chars().count() + 2 + words.chars().count());
        let indent = " ".repeat((2 * member.depth).min(room));
        let _ = writeln!(text, "{left}│ {indent}{words}");
    }
    for inner in &nest.inner {
        draw(text, inner, &format!("{left}│ "), width);
    }
    let _ = writeln!(text, "{left}└");
}
