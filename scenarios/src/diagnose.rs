//! Mistakes in a scenario, shown as a compiler would: where, what was expected, and a way out.

use std::fmt;
use std::ops::Range;
use std::str::Utf8Error;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::limits::MOST_BYTES;
use crate::printable::one_line;

/// Columns that a message fits where it can.
const WIDTH: usize = 80;
/// A label of this length can be left out where it does not fit.
const SHORT_LABEL: usize = 16;
/// So many mistakes are shown; a file with more is most likely no scenario at all.
const MOST_SHOWN: usize = 20;

/// One mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Where, in bytes of the file.
    pub span: Range<usize>,
    /// What stands or was expected there; may be empty.
    pub label: String,
    /// Another place that matters, with what stands there.
    pub also: Option<(Range<usize>, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic { message: message.into(), span, label: label.into(), also: None, help: None }
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(&mut self, span: Range<usize>, label: impl Into<String>) -> &mut Diagnostic {
        self.also = Some((span, label.into()));
        self
    }
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
        Diagnostics { path: one_line(path).into_owned(), text: text.to_owned(), mistakes }
    }

    /// A file that is no text: where the first byte is that does not belong into UTF-8.
    pub fn not_utf8(path: &str, bytes: &[u8], error: Utf8Error) -> Diagnostics {
        let at = error.valid_up_to();
        let text = String::from_utf8_lossy(bytes);
        // What comes before is the same in the lossy text; there the character for what is unreadable stands.
        let span = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let mut mistake =
            Diagnostic::new(span, format!("the file is not UTF-8: byte {} is 0x{byte:02x}", at + 1), "not a character");
        mistake.help("save it as UTF-8, as TOML asks");
        Diagnostics::new(path, &text, vec![mistake])
    }

    /// A file that is too large to be a scenario.
    pub fn too_large(path: &str) -> Diagnostics {
        let message = format!("the file is larger than {MOST_BYTES} bytes");
        Diagnostics::new(path, "", vec![Diagnostic::new(0..0, message, "not a scenario")])
    }

    /// Claims of a file that a run has shown to be false.
    pub fn of_claims(path: &str, text: &str, failed: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(path, text, failed)
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
            let span = text.find(&quoted).map_or(0..0, |start| start..start + quoted.len());
            let mut mistake = Diagnostic::new(span, format!("there is no rule `{id}`"), "not in the catalogue");
            mistake.help(
                nearest(id).map_or("`pidlab rules` lists them".to_owned(), |near| format!("did you mean `{near}`?")),
            );
            mistake
        });
        Diagnostics::new(path, text, mistakes.collect())
    }

    /// The mistakes, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.mistakes.iter()
    }

    /// The text to show, with ANSI colours or without.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let shown = self.mistakes.iter().take(MOST_SHOWN).map(|mistake| self.render_one(&renderer, mistake));
        let mut shown: Vec<String> = shown.collect();
        let left = self.mistakes.len().saturating_sub(MOST_SHOWN);
        if left > 0 {
            let more = format!("{left} more in {}", self.path);
            shown.push(renderer.render(&[Group::with_title(Level::ERROR.primary_title(more))]));
        }
        shown.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, mistake: &Diagnostic) -> String {
        let span = self.inside(&mistake.span);
        let also = mistake.also.as_ref().map(|(span, label)| (self.inside(span), label));
        // Only the lines that are shown go to the renderer: it reads all that it is given, once for every mistake.
        let first = also.iter().map(|(other, _)| other.start).fold(span.start, usize::min);
        let last = also.iter().map(|(other, _)| other.end).fold(span.end, usize::max);
        let start = self.text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[last..].find('\n').map_or(self.text.len(), |newline| last + newline);
        let shift = |span: &Range<usize>| span.start - start..span.end - start;
        let line = self.text[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;

        let beside = self.fits_beside(&span, &mistake.label);
        let mut annotation = AnnotationKind::Primary.span(shift(&span));
        if beside {
            annotation = annotation.label(&*mistake.label);
        }
        let snippet = Snippet::source(&self.text[start..end]).path(&*self.path).line_start(line).annotation(annotation);
        let context = also.map(|(other, label)| AnnotationKind::Context.span(shift(&other)).label(&**label));
        let title = Level::ERROR.primary_title(wrapped(&mistake.message));
        let mut group = title.element(snippet.annotations(context));
        // A short label repeats what message and help say; a long one says more.
        if !beside && (mistake.help.is_none() || mistake.label.len() > SHORT_LABEL) {
            group = group.element(Level::NOTE.message(wrapped(&mistake.label)));
        }
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(wrapped(help)));
        }
        renderer.render(&[group])
    }

    /// A span that lies within the text and between its characters, whoever made it.
    fn inside(&self, span: &Range<usize>) -> Range<usize> {
        let whole = |at: &usize| self.text.is_char_boundary(*at);
        let start = (0..=span.start.min(self.text.len())).rev().find(whole).unwrap_or(0);
        let end = (span.end.clamp(start, self.text.len())..=self.text.len()).find(whole).unwrap_or(start);
        start..end
    }

    /// Whether a label fits to the right of what it labels.
    fn fits_beside(&self, span: &Range<usize>, label: &str) -> bool {
        let line = self.text[..span.end].rfind('\n').map_or(0, |newline| newline + 1);
        let numbers = self.text[..line].bytes().filter(|byte| *byte == b'\n').count().to_string().len();
        let column = self.text[line..span.end].chars().count();
        numbers + " | ".len() + column + 1 + label.chars().count() <= WIDTH
    }
}

/// A text broken into lines that fit behind `error: ` or `= note: `.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH - "  = note: ".len() {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}
