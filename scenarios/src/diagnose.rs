//! Mistakes in a scenario, shown as a compiler would: where, what was expected, and a way out.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::{Refusal, Refused, Scenario, State};

/// Columns that a message is cut to.
const WIDTH: usize = 80;

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Where, in bytes of the file.
    pub span: Range<usize>,
    /// What stands or was expected there; may be empty.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The mistakes of one file, in its order. There is at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostics {
    path: String,
    text: String,
    mistakes: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Mistakes of a file; `path` is what the user knows it by.
    pub(crate) fn new(path: &str, text: &str, mut mistakes: Vec<Diagnostic>) -> Diagnostics {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        Diagnostics { path: path.to_owned(), text: text.to_owned(), mistakes }
    }

    /// The rules that a file names and that do not exist; `nearest` finds the one that was meant.
    pub fn unknown_rules(
        path: &str,
        text: &str,
        ids: &[&str],
        nearest: &dyn Fn(&str) -> Option<String>,
    ) -> Diagnostics {
        let mistakes = ids.iter().map(|id| {
            let quoted = format!("\"{id}\"");
            let start = text.find(&quoted).unwrap_or(0);
            let span = if text.contains(&quoted) { start..start + quoted.len() } else { 0..0 };
            let help = nearest(id)
                .map_or_else(|| "`pidlab rules` lists them".to_owned(), |nearest| format!("did you mean `{nearest}`?"));
            Diagnostic {
                message: format!("there is no rule `{id}`"),
                span,
                label: "not in the catalogue".to_owned(),
                help: Some(help),
            }
        });
        Diagnostics::new(path, text, mistakes.collect())
    }

    /// A step that a run could not take.
    ///
    /// # Panics
    /// If the run was not one of this scenario.
    pub fn refused(scenario: &Scenario, path: &str, text: &str, refused: &Refused) -> Diagnostics {
        let step = &scenario.steps[refused.step - 1];
        let (message, help) = explain(scenario, refused);
        let mistake = Diagnostic {
            message,
            span: step.span.clone(),
            label: format!("this is step {}", refused.step),
            help: Some(help),
        };
        Diagnostics::new(path, text, vec![mistake])
    }

    /// The mistakes, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.mistakes.iter()
    }

    /// The text to show, with ANSI colours or without.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let shown: Vec<String> = self.mistakes.iter().map(|mistake| self.render_one(&renderer, mistake)).collect();
        shown.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, mistake: &Diagnostic) -> String {
        // A span at the very end of a file without a last line break would stand on no line.
        let end = mistake.span.end.min(self.text.len());
        let span = mistake.span.start.min(end)..end;
        let annotation = AnnotationKind::Primary.span(span).label(&*mistake.label);
        let snippet = Snippet::source(&*self.text).path(&*self.path).annotation(annotation);
        let mut group = Level::ERROR.primary_title(&*mistake.message).element(snippet);
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(&**help));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// What is wrong with a refused step, and what to do.
fn explain(scenario: &Scenario, refused: &Refused) -> (String, String) {
    let name = |role: &crate::Role| scenario.role_name(*role).to_owned();
    match &refused.why {
        Refusal::NotBorn { role } => (
            format!("there is no process `{}` at this step", name(role)),
            "the step that should have made it failed".to_owned(),
        ),
        Refusal::BornTwice { role } => {
            (format!("`{}` has been made before", name(role)), "give the new process a name of its own".to_owned())
        }
        Refusal::CannotAct { role, state } => {
            let name = name(role);
            let (is, help) = match state {
                None => ("it has ended and been waited for", "a process can act only while it lives"),
                Some(State::Zombie) => ("it has ended", "a process can act only while it lives"),
                Some(State::Exiting) => (
                    "it has ended and waits for the last member of its namespace",
                    "a process can act only while it lives",
                ),
                Some(State::Stopped) => ("it is stopped by a signal", "SIGCONT lets it go on"),
                Some(State::Blocked) => {
                    ("an earlier call of it has not returned", "let happen what it waits for, or use WNOHANG")
                }
                Some(State::Running) => ("the machine says so", "this is a fault of pidlab: please report it"),
            };
            (format!("`{name}` cannot act here: {is}"), help.to_owned())
        }
        Refusal::NoNumber { role, caller } => (
            format!("`{}` has no number in the PID namespace of `{}`", name(role), name(caller)),
            "a process sees its own namespace and those below, by its own numbers".to_owned(),
        ),
        Refusal::NotModelled { call, what } => {
            let what = what.as_ref().map_or_else(|| format!("`{call}`"), |what| format!("`{call}` with {what}"));
            (format!("{what} is not modelled yet"), "no machine runs it: leave the step out".to_owned())
        }
    }
}
