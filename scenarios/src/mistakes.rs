//! The mistakes of a file, as its reader finds them, and how a user's words stand in a message.

use std::ops::Range;

use crate::diagnose::Diagnostic;
use crate::printable::one_line;
use crate::spelling::nearest;

/// A place in the file, in bytes.
pub(crate) type Place = Range<usize>;

/// Mistakes, as they are found.
#[derive(Default)]
pub(crate) struct Mistakes(pub(crate) Vec<Diagnostic>);

impl Mistakes {
    pub(crate) fn add(&mut self, span: Place, message: impl Into<String>, label: impl Into<String>) -> &mut Diagnostic {
        self.0.push(Diagnostic::new(span, message, label));
        self.0.last_mut().expect("one was just added")
    }

    /// The newest of those that came after so many.
    pub(crate) fn since(&mut self, count: usize) -> Option<&mut Diagnostic> {
        self.0.get_mut(count..)?.last_mut()
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// A word that is not among those allowed: suggests the nearest, or lists them.
    pub(crate) fn unknown(&mut self, span: Place, what: &str, word: &str, allowed: &[&str]) {
        let help = match nearest(word, allowed.iter().copied()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if allowed.len() == 1 => format!("the only one is `{}`", allowed[0]),
            None => format!("use one of {}", list(allowed)),
        };
        self.add(span, format!("there is no {what} `{}`", clean(word)), format!("unknown {what}")).help(help);
    }
}

/// Words as a list for reading.
pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A user's word made fit for a message: visible, and no more than a line's worth.
pub(crate) fn clean(word: &str) -> String {
    let mut cleaned: String = one_line(word).chars().take(40).collect();
    if word.chars().nth(40).is_some() {
        cleaned.push('…');
    }
    cleaned
}
