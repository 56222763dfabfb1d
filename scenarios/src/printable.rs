//! Words of others, made fit to be shown: a file's title or name must not move the cursor, hide a line or turn one round.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What stands for a character that is not shown.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a character acts on what shows it, or cannot be seen: controls (C0, DEL, C1), breaks of lines and paragraphs, what turns the
/// direction of writing (U+202A to U+202E, U+2066 to U+2069, marks), and what has no width.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn replaced(text: &str, keep: fn(char) -> bool) -> Cow<'_, str> {
    let hidden = |c: char| is_hidden(c) && !keep(c);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if hidden(c) { REPLACEMENT } else { c }).collect())
}

/// A text of several lines without characters that act on a terminal: U+FFFD stands for each. Line feeds and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, |c| matches!(c, '\n' | '\t'))
}

/// A text that is to be one line, as a title or the name of a file: as [`printable`], and nothing breaks the line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    replaced(text, |_| false)
}

/// As [`printable`], for a text that this program has styled: its colours (`ESC [ … m`) stay. Words of others go through [`printable`] or
/// [`one_line`] before they come into such a text.
pub fn printable_styled(text: &str) -> Cow<'_, str> {
    let Some(_) = text.find('\u{1b}') else { return printable(text) };
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(escape) = rest.find('\u{1b}') {
        shown.push_str(&printable(&rest[..escape]));
        let style = style_length(&rest[escape..]);
        match style {
            0 => shown.push(REPLACEMENT),
            length => shown.push_str(&rest[escape..escape + length]),
        }
        rest = &rest[escape + style.max(1)..];
    }
    shown.push_str(&printable(rest));
    Cow::Owned(shown)
}

/// How long the sequence at the beginning is that sets a style; 0 if it is another.
fn style_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let length = parameters.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')).count();
    if parameters[length..].starts_with('m') { "\u{1b}[".len() + length + 1 } else { 0 }
}

/// JSON in which every hidden character is escaped: its writer escapes those of ASCII alone.
pub fn escaped_json(json: &str) -> Cow<'_, str> {
    // Outside of strings JSON has none of these but blanks, and a writer of one line makes none of them.
    if !json.contains(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::{escaped_json, is_hidden, one_line, printable, printable_styled};

    #[test]
    fn what_acts_on_a_terminal_is_replaced_and_what_is_written_in_any_script_stays() {
        for hidden in
            ["\u{0}", "\u{7}", "\u{1b}", "\u{7f}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{200e}", "\u{200b}", "\u{feff}"]
        {
            assert_eq!(printable(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        for shown in ["plain", "é ü", "日本", "עברית", "💥", "a\tb\nc"] {
            assert_eq!(printable(shown), shown);
        }
        assert_eq!(one_line("ok\nfake\ttab\r\u{2028}\u{85}."), "ok\u{fffd}fake\u{fffd}tab\u{fffd}\u{fffd}\u{fffd}.");
    }

    #[test]
    fn only_colours_pass_in_a_styled_text() {
        let styled = "\u{1b}[31mred\u{1b}[0m \u{1b}[1;38:5:9mx\u{1b}[m";
        assert_eq!(printable_styled(styled), styled);
        assert_eq!(printable_styled("\u{1b}[2J\u{1b}]0;pwn\u{7}\u{1b}"), "\u{fffd}[2J\u{fffd}]0;pwn\u{fffd}\u{fffd}");
        assert_eq!(printable_styled("\u{1b}[31"), "\u{fffd}[31");
    }

    #[test]
    fn json_keeps_its_meaning_and_hides_nothing() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}\u{e0041}\n\"é";
        let json = serde_json::to_string(text).expect("a text is JSON");
        let escaped = escaped_json(&json);
        assert!(!escaped.contains(is_hidden), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("it is JSON"), text);
    }
}
