//! A moment as an HTML table: a row a process, a column a namespace.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pidlab_scenario::{ProcessLine, State};

use crate::html::escaped;
use crate::picture::Moment;

/// The table, with its heading for those who do not see where it stands.
pub(crate) fn html(moment: &Moment<'_>, title: &str) -> String {
    let spaces: BTreeSet<u16> =
        moment.line.processes.iter().flat_map(|process| process.namespaces.iter().copied()).collect();
    let mut text = format!(
        "<table class=\"numbers\"><caption>{}</caption><thead><tr><th scope=\"col\">process</th>",
        escaped(title)
    );
    for space in &spaces {
        let label = escaped(moment.spaces.label(*space));
        let _ = write!(text, "<th scope=\"col\" class=\"n{}\" data-in=\"{space}\">{label}'s</th>", space % 7);
    }
    for name in ["ppid", "pgid", "sid", "state"] {
        let _ = write!(text, "<th scope=\"col\">{name}</th>");
    }
    text.push_str("</tr></thead><tbody>");
    let processes = &moment.line.processes;
    for process in processes {
        let is_root = process.parent.as_ref().is_none_or(|parent| processes.iter().all(|one| one.name != *parent));
        if is_root && process.thread_of.is_none() {
            rows(&mut text, moment, &spaces, process, 0);
        }
    }
    text + "</tbody></table>"
}

/// A process, its threads, and all below it. A chain of parents is as long as there are processes, and those are counted.
fn rows(text: &mut String, moment: &Moment<'_>, spaces: &BTreeSet<u16>, process: &ProcessLine, depth: usize) {
    row(text, spaces, process, depth);
    let processes = &moment.line.processes;
    for thread in processes.iter().filter(|thread| thread.thread_of.as_ref() == Some(&process.name)) {
        row(text, spaces, thread, depth + 1);
    }
    let is_below = |child: &&ProcessLine| child.thread_of.is_none() && child.parent.as_ref() == Some(&process.name);
    for child in processes.iter().filter(is_below) {
        rows(text, moment, spaces, child, depth + 1);
    }
}

fn row(text: &mut String, spaces: &BTreeSet<u16>, process: &ProcessLine, depth: usize) {
    let inside: Vec<String> = process.namespaces.iter().map(ToString::to_string).collect();
    let state = match (process.state, &process.thread_of) {
        (State::Running, Some(_)) => "thread".to_owned(),
        (State::Running, None) => String::new(),
        (state, _) => state.to_string(),
    };
    let lead = if depth == 0 { String::new() } else { format!("{}└ ", "\u{a0}\u{a0}".repeat(depth.min(20) - 1)) };
    let _ = write!(
        text,
        "<tr class=\"{}\" data-in=\"{}\"><th scope=\"row\"><span aria-hidden=\"true\">{lead}</span>{}</th>",
        process.state,
        inside.join(" "),
        escaped(&process.name)
    );
    for space in spaces {
        let place = process.namespaces.iter().position(|one| one == space);
        let number = place.map(|place| process.pids[place].to_string()).unwrap_or_default();
        let _ = write!(text, "<td class=\"n{}\" data-in=\"{space}\">{number}</td>", space % 7);
    }
    let _ =
        write!(text, "<td>{}</td><td>{}</td><td>{}</td><td>{state}</td></tr>", process.ppid, process.pgid, process.sid);
}
