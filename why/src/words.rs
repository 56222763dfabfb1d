//! A report in words, for people.

use std::fmt::Write as _;

use pidlab_scenario::one_line;

use crate::finding::{By, Condition, Doing, Finding, Help, Holder, How, Report, Who};
use crate::snapshot::{Belongs, View};

/// As many holders of one finding are told in full; the others are counted.
const MOST_HOLDERS: usize = 20;

/// A report as a text, in lines of this width. Names are printed without what would act on a terminal.
pub fn text(report: &Report, width: usize) -> String {
    let mut page = Page { text: String::new(), width };
    if report.findings.is_empty() {
        page.line(0, "No PID namespace is kept from going away: no init of one that is seen from here has ended or was killed, and is still there.");
    }
    for (index, finding) in report.findings.iter().enumerate() {
        if index > 0 {
            page.text.push('\n');
        }
        page.finding(finding);
    }
    for note in notes(&report.view) {
        page.text.push('\n');
        page.line(0, &note);
    }
    page.text
}

/// What has to be known of the place from which all was seen.
pub fn notes(view: &View) -> Vec<String> {
    let mut notes = Vec::new();
    match view.procfs {
        Belongs::Own => {}
        Belongs::Ancestor => notes.push(
            "Note: this procfs belongs to an ancestor of the PID namespace that this program is in; the PIDs are those of the ancestor.".to_owned(),
        ),
        Belongs::Elsewhere => notes.push(
            "Note: this procfs belongs to a PID namespace that this program is not in; the PIDs are those of that namespace, and whoever is outside of it is not shown.".to_owned(),
        ),
    }
    if let Some(hidepid) = &view.hidepid {
        notes.push(format!(
            "Note: this procfs is mounted with hidepid={}, which hides processes of others: who holds something may be among them.",
            one_line(hidepid)
        ));
    }
    if view.unreadable > 0 {
        notes.push(format!("Note: {} may not be read by this user.", count(view.unreadable, "process", "processes")));
    }
    if view.without_namespace > 0 {
        notes.push(format!(
            "Note: of {} in inner PID namespaces this user may know neither the namespace nor the call; the namespace is taken from PIDs and parents. Root is told more.",
            count(view.without_namespace, "process", "processes")
        ));
    }
    notes
}

/// As many helps of one holder are told.
const MOST_HELPS: usize = 8;

struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// A paragraph, all of it indented.
    fn line(&mut self, indent: usize, text: &str) {
        self.hanging(&" ".repeat(indent), indent, text);
    }

    /// A paragraph behind a label: the lines that follow stand under the text.
    fn hanging(&mut self, label: &str, indent: usize, text: &str) {
        let below = " ".repeat(indent);
        let options = textwrap::Options::new(self.width.max(indent + 20))
            .initial_indent(label)
            .subsequent_indent(&below)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .break_words(false);
        let _ = writeln!(self.text, "{}", textwrap::fill(text, options));
    }

    fn finding(&mut self, finding: &Finding) {
        self.line(0, &head(finding));
        for holder in finding.holders.iter().take(MOST_HOLDERS) {
            self.text.push('\n');
            self.holder(finding, holder);
        }
        if let Some(more) = finding.holders.len().checked_sub(MOST_HOLDERS + 1) {
            self.text.push('\n');
            self.line(2, &format!("{} more like these: `--format json` has all of them.", more + 1));
        }
        if finding.following > 0 && finding.condition == Condition::Emptying {
            self.text.push('\n');
            let others = count(finding.following, "other PID is", "other PIDs are");
            let when = if finding.stuck { ", or waits for the above" } else { "" };
            self.line(2, &format!("{others} in use by whoever is on the way out{when}."));
        }
    }

    fn holder(&mut self, finding: &Finding, holder: &Holder) {
        let perhaps = if holder.certain { "" } else { "Perhaps: " };
        self.line(2, &format!("{perhaps}{}{}", held(finding, holder), rules(&holder.rules)));
        if let Some(by) = &holder.by {
            self.line(4, &instead(by));
        }
        for (index, help) in holder.helps.iter().enumerate().take(MOST_HELPS) {
            let and = holder.helps[..index].last().is_some_and(|before| before.goes_with(help));
            let label = match index {
                0 => "    helps: ",
                _ if and => "    and:   ",
                _ => "    or:    ",
            };
            let mut text = self::help(help);
            if let (Help::Wait { .. }, Some(Doing::WaitsFor { whom, .. })) =
                (help, holder.by.as_ref().map(|by| &by.does))
            {
                let _ = write!(
                    text,
                    " before {}; as it sleeps now, only another of its threads can, or a handler that a signal runs",
                    name(whom)
                );
            }
            self.hanging(label, 11, &text);
        }
        if let Some(scenario) = &holder.scenario {
            self.hanging("    see:   ", 11, &format!("pidlab run {scenario}"));
        }
    }
}

fn head(finding: &Finding) -> String {
    let init = name(&finding.who);
    let of = finding.namespace.map_or_else(|| "a PID namespace".to_owned(), |inode| format!("PID namespace {inode}"));
    let is_init = finding.who.numbers.len() > 1 && finding.who.numbers.last() == Some(&1);
    let text = match finding.condition {
        Condition::Emptying if !finding.stuck && finding.following == 0 => format!(
            "{init}, the init of {of}, has ended, and nobody is seen whose PID it waits for: it is about to go, or who holds it up is not seen from here"
        ),
        Condition::Emptying if !finding.stuck => {
            format!("{init}, the init of {of}, has ended, and so do all others in it")
        }
        Condition::Emptying => format!(
            "{init}, the init of {of}, has ended, and waits until no other PID of the namespace is in use. No signal ends that"
        ),
        Condition::Killed if finding.stuck => {
            format!("{init}, the init of {of}, was killed, and cannot take its SIGKILL")
        }
        Condition::Killed => format!("{init}, the init of {of}, was killed, and is about to end"),
        Condition::Headless => {
            format!("{init}, the init of {of}: its first thread has ended, others live, and so does the namespace")
        }
        Condition::Unreaped => format!("{init} has ended, and is still there"),
        Condition::Held => format!("{init} cannot act"),
        Condition::Nothing if is_init => {
            format!("{init} is the init of {of}. It has not ended, and no SIGKILL is pending: nothing is stuck")
        }
        Condition::Nothing => format!("Nothing keeps {init}: it lives, or goes away by itself"),
    };
    format!("{text}.{}", rules(&finding.rules))
}

/// The ids of rules behind a sentence.
fn rules(ids: &[String]) -> String {
    if ids.is_empty() { String::new() } else { format!(" [{}]", ids.join(", ")) }
}

/// Whose PID it is, and how it is kept in use.
fn held(finding: &Finding, holder: &Holder) -> String {
    let who = match holder.who == finding.who {
        true => "It".to_owned(),
        false => name(&holder.who),
    };
    let zombie = match holder.number {
        Some(number) => format!("Its PID {number} is in use by the zombie {who}"),
        None => format!("{who} is a zombie"),
    };
    let number = match holder.number {
        Some(number) => format!("Its PID {number} is in use by {who}, which"),
        None => who.clone(),
    };
    match &holder.how {
        How::Unreaped => format!("{zombie}: its parent has not waited for it."),
        How::Traced => format!("{zombie}: its tracer has not waited for it."),
        How::HeldByTracer => format!("{number} is stopped for its tracer."),
        How::ThreadsLeft { threads } => {
            let at = |(tid, wchan): &(u32, Option<String>)| match wchan {
                Some(wchan) => format!("{tid} (in {})", one_line(wchan)),
                None => tid.to_string(),
            };
            let threads: Vec<String> = threads.iter().take(5).map(at).collect();
            format!("{number} has lost its first thread; of the others there are still: {}.", threads.join(", "))
        }
        How::NestedInit => format!("{number} is the init of a namespace below, and kept waiting itself."),
        How::Uninterruptible { wchan } => {
            let place = wchan.as_ref().map(|wchan| format!(", in {}", one_line(wchan))).unwrap_or_default();
            format!("{number} sleeps where no signal wakes it (state D{place}).")
        }
        How::Frozen => format!("{number} is frozen by its cgroup."),
        How::Stopped => format!("{number} is stopped by a signal."),
        How::OwnGroup { group } => format!(
            "Its PID {group} is in use though no process has it: it names the process group that the init itself is in."
        ),
        How::PerhapsGroup { group, others } => {
            let others: String = others.iter().map(|other| format!(", {}", name(other))).collect();
            format!(
                "Process group {group}, whose leader is gone. If that was a member, its PID is in use until nobody is in the group any more; who it was cannot be seen. In it are, outside: {who}{others}."
            )
        }
    }
}

/// Who could end it, and what that one does.
fn instead(by: &By) -> String {
    let Some(who) = &by.who else {
        return "Who should wait for it is not seen from here: it is outside of what this procfs shows.".to_owned();
    };
    let who = name(who);
    let mut text = match &by.does {
        Doing::Runs => format!("{who} runs"),
        Doing::Sleeps { place: Some(place) } => format!("{who} sleeps in {}", one_line(place)),
        Doing::Sleeps { place: None } => format!("{who} sleeps; in what is not told"),
        Doing::WaitsFor { whom, call } => format!("{who} sleeps in {call} for {}", name(whom)),
        Doing::WaitsForAny { call } => format!("{who} sleeps in {call} for any child, but not of this kind"),
        Doing::Stopped => format!("{who} is stopped by a signal"),
        Doing::HeldByTracer => format!("{who} is stopped for a tracer"),
        Doing::Frozen => format!("{who} is frozen by its cgroup"),
        Doing::Leaves => format!("{who} is on its way out itself"),
        Doing::Unknown => format!("what {who} does is not known"),
    };
    if by.ignores_sigchld {
        text += ", and ignores SIGCHLD, which counts only for children that end later";
    }
    if let Some(signal) = by.exit_signal {
        let _ = write!(text, "; the child was made with exit signal {signal}: only __WALL or __WCLONE finds it");
    }
    text + "."
}

fn help(help: &Help) -> String {
    match help {
        Help::Wait { by, whom, number, of_all_kinds } => {
            let by = by.as_ref().map_or_else(|| "its parent".to_owned(), name);
            let number = match number {
                Some(number) if *number != whom.pid => format!(", {number} for it"),
                _ => String::new(),
            };
            let kinds = if *of_all_kinds { ", with __WALL" } else { "" };
            format!("{by} waits for {}{number}{kinds}", name(whom))
        }
        Help::End { who, adopter: Some(adopter) } => format!(
            "{} ends, which costs what it does; then {}, or a subreaper between them, becomes the parent and has to wait",
            name(who),
            name(adopter)
        ),
        Help::End { who, adopter: None } => format!("{} ends, which costs what it does", name(who)),
        Help::Continue { who } => format!("{} goes on: SIGCONT", name(who)),
        Help::Thaw { who } => format!("whoever froze the cgroup of {} thaws it", name(who)),
        Help::LetGo { tracer, who } => {
            let tracer = tracer.as_ref().map_or_else(|| "its tracer".to_owned(), name);
            format!("{tracer} lets {} go on (PTRACE_CONT, PTRACE_DETACH), or ends, which costs what it does", name(who))
        }
        Help::LeaveGroup { who, by } if who == by => {
            format!("{} leaves the group: setpgid(0, 0), or to another group", name(who))
        }
        Help::LeaveGroup { who, by } => {
            format!("{} takes {} out of the group: setpgid({}, {2})", name(by), name(who), own_number(who, by))
        }
        Help::Inner { init } => format!("first the namespace of {} has to go: see there", name(init)),
        Help::WhatItWaitsFor { wchan } => {
            let place = wchan.as_ref().map_or_else(|| "what it waits for".to_owned(), |wchan| {
                format!("what it waits for in {}", one_line(wchan))
            });
            format!("{place} has to come: a disk, a server, a device. No signal brings it")
        }
        Help::Nothing => {
            "nothing but a restart of the machine: only a parent that is not on its way out could move it, and only before it runs another program".to_owned()
        }
    }
}

/// The PID of one process for another.
fn own_number(whose: &Who, viewer: &Who) -> u32 {
    let level = viewer.numbers.len().saturating_sub(1);
    whose.numbers.get(level).copied().unwrap_or(whose.pid)
}

/// A process as it is mentioned: its PID and its name.
fn name(who: &Who) -> String {
    format!("{} ({})", who.pid, one_line(&who.name))
}

fn count(number: usize, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}
