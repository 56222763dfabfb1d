//! An incident as a text in Markdown, for terminals, pages and the book.

use std::fmt::Write as _;

use pidlab_scenario::{Scenario, library};
use pidlab_sim::rule;

use crate::incident::{Command, Incident};
use crate::names::slug;

/// How the commands are meant to be typed.
pub const HOW_TO_TYPE: &str = "The commands are for root, in a shell of its own PID namespace, where nobody else is: \
    `unshare --pid --fork --mount-proc --kill-child sh`. Nothing of the machine is touched there, and all ends with that shell. \
    `<n>` stands for a number, `<any>` for what differs from machine to machine.";

/// One incident in Markdown, under a heading of this depth.
pub fn markdown(incident: &Incident, depth: usize) -> String {
    let (head, sub) = ("#".repeat(depth), "#".repeat(depth + 1));
    let mut text = format!("{head} {}\n\n{}\n", incident.title, incident.story);
    let _ = write!(text, "\n{sub} What to do\n\n{}\n", incident.advice);
    if let Some(why) = &incident.why {
        let _ = write!(
            text,
            "\n{sub} What `pidlab why` says\n\nOf `{}`, after step {} of `{}`, made with real processes; PIDs are those of the outermost namespace of the scenario.\n\n```text\n{}```\n",
            why.of, why.step, why.scenario, why.text
        );
    }
    if !incident.commands.is_empty() {
        let _ = write!(text, "\n{sub} On a machine\n");
        incident.commands.iter().for_each(|command| text += &shown(command));
    }
    let _ = write!(text, "\n{sub} Why\n\n");
    for id in &incident.rules {
        let sentence = rule::find(id).map_or("", |rule| rule.sentence);
        let _ = writeln!(text, "- {sentence} (`{id}`)");
    }
    let _ = write!(text, "\n{sub} See it\n\n");
    for name in &incident.scenarios {
        let _ = writeln!(text, "- {}: `pidlab run {name}`", title(name));
    }
    let threads: Vec<String> = incident.threads.iter().map(|thread| linked(thread)).collect();
    let _ = write!(text, "\nFrom: {}.\n", threads.join(", "));
    text
}

/// A public thread, as a link to it.
fn linked(thread: &str) -> String {
    format!("[{thread}](https://github.com/{})", thread.replace('#', "/issues/"))
}

/// A command and what it writes, in Markdown.
pub(crate) fn shown(command: &Command) -> String {
    format!("\n{}\n\n```sh\n{}\n```\n\n```text\n{}\n```\n", command.shows, command.run.trim(), command.sees.trim())
}

/// What a scenario of the library claims; nothing if there is none.
pub fn title(name: &str) -> String {
    let file = library::find(name);
    let scenario = file.and_then(|file| Scenario::parse(&file.name, &file.path, file.text).ok());
    scenario.map(|scenario| scenario.title).unwrap_or_default()
}

/// All incidents as a page.
pub fn page(incidents: &[Incident]) -> String {
    let mut text = format!(
        "# Incidents\n\n\
         What has gone wrong for others, in their words, with the scenario that shows it and the rule behind it. Each is from public threads, which are named; what happened is told in our words.\n\
         `pidlab incidents ID` shows one. Made from `book/incidents/`; tests keep this page fresh, hold every rule against the scenarios, make every stuck state with real\n\
         processes, and run the commands.\n\n{HOW_TO_TYPE}\n\n"
    );
    for incident in incidents {
        let _ = writeln!(text, "- [{}](#{}) `{}`", incident.title, slug(&incident.title), incident.id);
    }
    for incident in incidents {
        text.push('\n');
        text += &markdown(incident, 2);
    }
    text
}
