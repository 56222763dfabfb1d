//! This program in its other parts: it is started again as whoever is needed in a lab.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::{birth, conductor, guest, observer, puppet, recorder};

/// Goes on as a part of a lab, if that is what this program was started as. A program that uses this crate begins its `main` with it.
///
/// It is told by the name or the words that the program was started with, and by nothing in its environment.
pub fn enter_if_part() -> Option<ExitCode> {
    let mut words = std::env::args_os();
    let (name, first) = (words.next()?, words.next()?);
    let ended = part(&name, first, words)?;
    let code = ended.unwrap_or_else(|error| {
        // Where nobody reads it, nobody wants to know.
        let _ = writeln!(io::stderr(), "pidlab init: {error}");
        1
    });
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn part(name: &OsString, first: OsString, mut rest: impl Iterator<Item = OsString>) -> Option<io::Result<i32>> {
    let text = |word: &OsString| word.to_str().map(str::to_owned).ok_or_else(|| io::Error::other("no UTF-8"));
    Some(match name.to_str()? {
        conductor::LAUNCHER => text(&first).and_then(|task| conductor::launch(&task)),
        conductor::CONDUCTOR => text(&first).and_then(|task| conductor::conduct(&task)),
        observer::OBSERVER => text(&first).and_then(|task| observer::observe(&task)),
        observer::PROCFS => text(&first).map(|place| observer::mount_procfs(&place)),
        recorder::NAME => text(&first).and_then(|task| recorder::record(&task)),
        birth::NAME => text(&first).and_then(|birth| birth::be_born(serde_json::from_str(&birth)?)),
        guest::NAME => {
            let words: io::Result<Vec<String>> = rest.map(|word| text(&word)).collect();
            words.and_then(|words| guest::join(&text(&first)?, &words))
        }
        _ if first == puppet::WORD => {
            let (socket, name) = (rest.next()?, rest.next()?);
            text(&name).and_then(|name| puppet::play(PathBuf::from(socket), name))
        }
        _ if first == recorder::WORD => {
            let (socket, birth) = (rest.next()?, rest.next()?);
            text(&birth).and_then(|birth| recorder::stage(&PathBuf::from(socket), &birth))
        }
        _ => return None,
    })
}
