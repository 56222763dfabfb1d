//! The world after a step, as a table of processes and namespaces.

use std::fmt::Write as _;

use anstyle::Style;
use pidlab_scenario::{NamespaceId, Observation, ProcessView, Role, Scenario, State};

use crate::words;

/// More namespaces than this are drawn as a list of numbers in place of one column each.
const MOST_COLUMNS: usize = 6;

/// A list of numbers, and a state, have at least this many columns.
const LEAST_LIST: usize = 24;
const LEAST_STATE: usize = 20;

const QUIET: Style = Style::new().dimmed();

/// How the table is drawn: each form takes less room than the one before, and says the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A tree, and a column for each namespace.
    Columns,
    /// A tree, and all numbers of a process in one cell.
    Lists,
    /// No tree: the parent is a column.
    Flat,
}

/// The world after a step, as the matrix of processes and namespaces; in another form where it would be wider than the page.
pub(crate) fn world(scenario: &Scenario, observation: &Observation, indent: &str) -> String {
    let room = words::width().saturating_sub(indent.len());
    let few = namespaces(observation).len() <= MOST_COLUMNS;
    let forms = if few { &[Form::Columns, Form::Lists, Form::Flat][..] } else { &[Form::Lists, Form::Flat][..] };
    let drawn = |form: &Form| align(&rows(scenario, observation, *form), room, *form);
    let fits = |lines: &Vec<String>| lines.iter().all(|line| line.chars().count() <= room);
    // The last form is taken, wide or not.
    let lines = forms.iter().map(drawn).find(fits).unwrap_or_else(|| drawn(&Form::Flat));
    let mut text = String::new();
    for (index, line) in lines.into_iter().enumerate() {
        let line = format!("{indent}{line}");
        let _ = match index {
            0 => writeln!(text, "{QUIET}{line}{QUIET:#}"),
            _ => writeln!(text, "{line}"),
        };
    }
    text
}

/// The namespaces that some process has a number in, outermost first.
fn namespaces(observation: &Observation) -> Vec<NamespaceId> {
    let mut found: Vec<NamespaceId> = Vec::new();
    for namespace in observation.processes.iter().flat_map(|process| &process.namespaces) {
        if !found.contains(namespace) {
            found.push(*namespace);
        }
    }
    found.sort_unstable();
    found
}

fn rows(scenario: &Scenario, observation: &Observation, form: Form) -> Vec<Vec<String>> {
    let columns = if form == Form::Columns { namespaces(observation) } else { Vec::new() };
    let mut rows = vec![heading(scenario, observation, &columns, form)];
    for (role, prefix) in forest(observation) {
        let Some(process) = observation.process(role) else { continue };
        let prefix = if form == Form::Flat { "" } else { &prefix };
        let mut row = vec![format!("{prefix}{}", scenario.role_name(role))];
        row.extend(numbers(process, &columns, form));
        if form == Form::Flat {
            let above = process.thread_of.or(process.parent);
            row.push(above.map(|above| scenario.role_name(above).to_owned()).unwrap_or_default());
        }
        row.extend([process.ppid, process.pgid, process.sid].map(|number| number.to_string()));
        row.push(state(process));
        rows.push(row);
    }
    rows
}

/// The headings; those of the numbers that a process has are the second and the following.
fn heading(scenario: &Scenario, observation: &Observation, columns: &[NamespaceId], form: Form) -> Vec<String> {
    let mut cells = vec!["process".to_owned()];
    if form != Form::Columns {
        cells.push("PIDs, outermost first".to_owned());
    }
    cells.extend(columns.iter().map(|column| namespace_name(scenario, observation, *column)));
    if form == Form::Flat {
        cells.push("child of".to_owned());
    }
    cells.extend(["ppid", "pgid", "sid", "state"].map(str::to_owned));
    cells
}

/// A namespace is called after its init: `init's`.
fn namespace_name(scenario: &Scenario, observation: &Observation, namespace: NamespaceId) -> String {
    let init = observation
        .processes
        .iter()
        .find(|process| process.namespaces.last() == Some(&namespace) && process.pids.last() == Some(&1));
    match init {
        Some(init) => format!("{}'s", scenario.role_name(init.role)),
        None => format!("ns {}", namespace.0),
    }
}

fn numbers(process: &ProcessView, columns: &[NamespaceId], form: Form) -> Vec<String> {
    if form != Form::Columns {
        return vec![process.pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")];
    }
    let at = |column: &NamespaceId| process.namespaces.iter().position(|namespace| namespace == column);
    columns.iter().map(|column| at(column).map(|level| process.pids[level].to_string()).unwrap_or_default()).collect()
}

/// The state, and the signals that a handler got since the last step.
fn state(process: &ProcessView) -> String {
    let thread = process.thread_of.map(|_| "thread".to_owned());
    let doing = (process.state != State::Running).then(|| process.state.to_string());
    let mut text = thread.into_iter().chain(doing).collect::<Vec<_>>().join(", ");
    for handled in &process.handled {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}handled {} from {}", handled.signal, handled.si_pid);
        if let Some(status) = handled.child {
            let _ = write!(text, " ({status})");
        }
    }
    text
}

/// The process forest in drawing order, each process with the branches before its name.
fn forest(observation: &Observation) -> Vec<(Role, String)> {
    let is_shown = |role: Role| observation.process(role).is_some();
    let children = |of: Option<Role>| -> Vec<Role> {
        // A thread is drawn below its process, before the children.
        let above = |process: &ProcessView| process.thread_of.or(process.parent);
        let parent = |process: &ProcessView| above(process).filter(|above| is_shown(*above));
        let mut below: Vec<&ProcessView> =
            observation.processes.iter().filter(|process| parent(process) == of).collect();
        below.sort_by_key(|process| process.thread_of.is_none());
        below.into_iter().map(|process| process.role).collect()
    };
    let mut drawn = Vec::new();
    // A stack in place of recursion: a scenario may nest as deep as it likes.
    let mut open: Vec<(Role, String, String)> =
        children(None).into_iter().rev().map(|root| (root, String::new(), String::new())).collect();
    while let Some((role, prefix, below)) = open.pop() {
        let mut next = children(Some(role));
        let last = next.pop();
        let branches =
            next.into_iter().map(|child| (child, "├─ ", "│  ")).chain(last.map(|child| (child, "└─ ", "   ")));
        let mut rows: Vec<_> =
            branches.map(|(child, branch, gap)| (child, format!("{below}{branch}"), format!("{below}{gap}"))).collect();
        rows.reverse();
        open.extend(rows);
        drawn.push((role, prefix));
    }
    drawn
}

/// Columns as wide as their widest cell; the first and last to the left, numbers to the right. The last cell, and a list of numbers if it
/// is one, goes on in the next line where there is no room.
fn align(rows: &[Vec<String>], room: usize, form: Form) -> Vec<String> {
    let count = rows.first().map_or(0, Vec::len);
    let last = count.saturating_sub(1);
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..count).map(widest).collect();
    let others = |widths: &[usize], column: usize| widths.iter().sum::<usize>() - widths[column] + 2 * last;
    if form == Form::Flat {
        widths[1] = widths[1].min(room.saturating_sub(others(&widths, 1)).max(LEAST_LIST));
    }
    widths[last] = widths[last].min(room.saturating_sub(others(&widths, last)).max(LEAST_STATE));
    let mut lines = Vec::new();
    for row in rows {
        let parts = |(cell, width): (&String, &usize)| match cell.chars().count() > *width {
            true => textwrap::wrap(cell, textwrap::Options::new(*width).break_words(false))
                .into_iter()
                .map(|part| part.into_owned())
                .collect(),
            false => vec![cell.clone()],
        };
        let cells: Vec<Vec<String>> = row.iter().zip(&widths).map(parts).collect();
        for index in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let part = cell.get(index).map_or("", String::as_str);
                let _ = match column {
                    0 => write!(line, "{part:<width$}"),
                    _ if column == last => write!(line, "  {part}"),
                    _ => write!(line, "  {part:>width$}"),
                };
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}
