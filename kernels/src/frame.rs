//! What a guest says on its results line, a line at a time.
//!
//! ```text
//! @boot {"release":"6.1.176"}
//! {"out":"what the program wrote on its standard output"}
//! {"err":"and what on its standard error"}
//! {"file":"/where/it/was/to/be","text":"what it wrote there"}
//! @alive
//! @end {"status":0,"changed":null}
//! ```
//!
//! A line that is cut off is no line: JSON says where it ends. Without `@end` nothing is known of how the program ended.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Frame {
    /// The guest's first process runs.
    Boot(Boot),
    /// The program wrote something, or left a file.
    Said(Said),
    /// The guest's first process runs still.
    Alive,
    /// The program has ended.
    End(Ended),
    /// The host's side could not start the machine.
    Unavailable(Unavailable),
}

/// What the guest is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Boot {
    /// As uname(2) has it.
    pub(crate) release: String,
}

/// What the program in the guest wrote.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Said {
    /// A line of its standard output.
    Out { out: String },
    /// A line of its standard error.
    Err { err: String },
    /// A file that it left and that was asked for.
    File { file: String, text: String },
}

/// How the program in the guest ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// As a shell has it: 128 and the signal's number if one ended it.
    pub(crate) status: i32,
    /// What is not as it was in the guest's kernel, though nothing may change it.
    pub(crate) changed: Option<String>,
}

/// Why the machine could not be started.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Unavailable {
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

const BOOT: &str = "@boot ";
const ALIVE: &str = "@alive";
const END: &str = "@end ";
const UNAVAILABLE: &str = "@unavailable ";

impl Frame {
    /// The line, with its end.
    pub(crate) fn line(&self) -> String {
        let json = |value: serde_json::Result<String>| value.expect("texts and numbers have a JSON form");
        let line = match self {
            Frame::Boot(boot) => format!("{BOOT}{}", json(serde_json::to_string(boot))),
            Frame::Said(said) => json(serde_json::to_string(said)),
            Frame::Alive => ALIVE.to_owned(),
            Frame::End(ended) => format!("{END}{}", json(serde_json::to_string(ended))),
            Frame::Unavailable(why) => format!("{UNAVAILABLE}{}", json(serde_json::to_string(why))),
        };
        line + "\n"
    }

    /// Reads a line; nothing if it is none of these, or not whole.
    pub(crate) fn read(line: &str) -> Option<Frame> {
        // A terminal that is not set raw yet makes two characters of the end of a line.
        let line = line.trim_end_matches(['\n', '\r']);
        if line == ALIVE {
            return Some(Frame::Alive);
        }
        if let Some(rest) = line.strip_prefix(BOOT) {
            return serde_json::from_str(rest).ok().map(Frame::Boot);
        }
        if let Some(rest) = line.strip_prefix(END) {
            return serde_json::from_str(rest).ok().map(Frame::End);
        }
        if let Some(rest) = line.strip_prefix(UNAVAILABLE) {
            return serde_json::from_str(rest).ok().map(Frame::Unavailable);
        }
        serde_json::from_str(line).ok().map(Frame::Said)
    }
}

#[cfg(test)]
mod tests {
    use super::{Boot, Ended, Frame, Said};

    #[test]
    fn each_line_is_read_back_and_no_part_of_it_is() {
        let frames = [
            Frame::Boot(Boot { release: "6.1.176".to_owned() }),
            Frame::Said(Said::Out { out: "a \"line\" with \u{1b}[1mstyle\u{1b}[0m, é".to_owned() }),
            Frame::Said(Said::Err { err: String::new() }),
            Frame::Said(Said::File { file: "/x".to_owned(), text: "two\nlines\n".to_owned() }),
            Frame::Alive,
            Frame::End(Ended { status: 1, changed: None }),
        ];
        for frame in frames {
            let line = frame.line();
            assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?} is one line");
            assert_eq!(Frame::read(&line), Some(frame.clone()));
            let cuts = (0..line.len() - 1).filter(|at| line.is_char_boundary(*at));
            for cut in cuts {
                assert_eq!(Frame::read(&line[..cut]), None, "{:?}", &line[..cut]);
            }
        }
    }
}
