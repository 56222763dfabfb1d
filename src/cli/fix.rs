//! `pidlab check --fix`: claims that fail are written anew, as they are true.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use pidlab_scenario::{Claim, OutcomeClaim, Place};

use super::{End, Out, failed};
use crate::claims::FailedClaim;
use crate::compare::Verdict;
use crate::input::{self, Invalid, Source};
use crate::kernel::{self, Judged, Labs, On, Plan, Worker};

const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();

/// What comes of one file.
enum Fixed {
    /// All its claims hold.
    Holds,
    /// The text in which they do, and what is wrong with it still.
    Written(String, Vec<String>),
    /// It stays as it is, for these reasons.
    Refused(Vec<String>),
}

/// Judges each file, and writes the true claims into those whose claims fail.
pub(super) fn fix(out: &mut Out, entries: &[Result<Source, Invalid>], labs: Labs, on: On) -> io::Result<End> {
    let mut sources = Vec::new();
    for entry in entries {
        match entry {
            Ok(source) if source.built_in => {
                eprintln!("error: the library inside the program cannot be changed");
                eprintln!("help: `pidlab show NAME` prints a scenario for a file of your own");
                return Ok(End::BadInput);
            }
            Ok(source) if source.path == "-" => {
                eprintln!("error: what comes in by standard input cannot be changed: name a file");
                return Ok(End::BadInput);
            }
            Ok(source) => sources.push(source),
            Err(invalid) => {
                eprintln!("{}", invalid.message(true).trim_end());
                return Ok(End::BadInput);
            }
        }
    }
    let mut end = End::Agree;
    let mut written = Ok(());
    kernel::spread(
        labs,
        1,
        Plan { on, belief: None },
        sources.len(),
        |worker, index| one(worker, sources[index]),
        |index, fixed| {
            match told(out, sources[index], &fixed) {
                Ok(End::Agree) => {}
                Ok(wrong) => end = wrong,
                Err(error) => written = Err(error),
            }
            written.is_ok()
        },
    );
    written.map(|()| end)
}

/// Says what came of a file, and writes it.
fn told(out: &mut Out, source: &Source, fixed: &Fixed) -> io::Result<End> {
    match fixed {
        Fixed::Holds => writeln!(out, "{}: every claim holds", source.path)?,
        Fixed::Refused(reasons) => {
            writeln!(out, "{}: not changed", source.path)?;
            for reason in reasons {
                writeln!(out, "{}", reason.trim_end())?;
            }
            return Ok(End::Differ);
        }
        Fixed::Written(text, left) => {
            writeln!(out, "{}", source.path)?;
            for (number, (old, new)) in source.text.lines().zip(text.lines()).enumerate() {
                if old != new {
                    writeln!(out, "{OLD}{:>4} - {old}{OLD:#}", number + 1)?;
                    writeln!(out, "{NEW}{:>4} + {new}{NEW:#}", number + 1)?;
                }
            }
            out.flush()?;
            if let Err(error) = written_anew(Path::new(&source.path), text) {
                eprintln!("error: {}: {error}", source.path);
                return Ok(End::BadInput);
            }
            for reason in left {
                writeln!(out, "{}", reason.trim_end())?;
            }
            if !left.is_empty() {
                return Ok(End::Differ);
            }
        }
    }
    Ok(End::Agree)
}

/// Puts a file with this text in the place of another one, which is there in whole until then: a full disk leaves it as it was.
fn written_anew(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    file.persist(&path)?;
    Ok(())
}

fn one(worker: &mut Worker, source: &Source) -> Fixed {
    let verdict = match verdict(worker, source) {
        Ok(verdict) => verdict,
        Err(why) => return Fixed::Refused(vec![why]),
    };
    if verdict.agrees() {
        return Fixed::Holds;
    }
    if !verdict.is_claim_failed() {
        return Fixed::Refused(left(source, &verdict));
    }
    let edits: Vec<Edit> = verdict.failed_claims().filter_map(|failed| edit(source, failed, &verdict)).collect();
    let wanted = verdict.failed_claims().count() - edits.len();
    if edits.is_empty() {
        return Fixed::Refused(left(source, &verdict));
    }
    let text = edited(&source.text, edits);
    // What is written has been tried.
    let tried = input::of_text(&source.scenario.name, &source.path, &text).ok();
    match tried.and_then(|changed| Some((self::verdict(worker, &changed).ok()?, changed))) {
        Some((verdict, changed)) if verdict.failed_claims().count() == wanted => {
            let left = left(&changed, &verdict);
            Fixed::Written(text, left)
        }
        _ => Fixed::Refused(vec!["the claims that are true do not fit together here: write them by hand".to_owned()]),
    }
}

/// What is wrong that cannot be written anew.
fn left(source: &Source, verdict: &Verdict) -> Vec<String> {
    let problems = verdict.problems.iter().map(|problem| failed::problem(source, problem));
    let refused = verdict.mistake.iter().map(|refused| failed::refused(source, verdict, refused).render(true));
    let left: Vec<String> = problems.chain(refused).collect();
    let is_more = !left.is_empty();
    left.into_iter().chain(is_more.then(|| "this is for you to mend".to_owned())).collect()
}

fn verdict(worker: &mut Worker, source: &Source) -> Result<Verdict, String> {
    match worker.judge(&source.scenario) {
        Judged::Verdict(verdict) | Judged::ModelOnly(_, verdict) | Judged::Lacking(_, Some(verdict)) => Ok(verdict),
        Judged::Lacking(_, None) => Err("it is for other machines".to_owned()),
        Judged::Skipped(why, _) => Err(format!("it cannot be run here: {}", why.reason)),
        Judged::Failed(why) => Err(format!("the kernel side gave no result: {why}")),
    }
}

/// A piece of the text, and what stands there instead.
type Edit = (std::ops::Range<usize>, String);

/// How a failed claim becomes a true one; nothing where no claim is true everywhere, or the text does not have it in one piece.
fn edit(source: &Source, failed: &FailedClaim, verdict: &Verdict) -> Option<Edit> {
    let Source { scenario, text, .. } = source;
    let truth = failed.truth.as_ref()?;
    let place = failed.place(scenario, text)?;
    let (old, new) = (failed.claim.written(scenario), truth.written(scenario));
    if old.keys == new.keys && place.dotted {
        return Some((place.value, format!(" = {}", new.value)));
    }
    if old.keys == new.keys {
        return Some((place.value, new.value));
    }
    match (&failed.claim, truth) {
        // The process is gone, whatever was claimed of it.
        (Claim::Process(..), Claim::Gone(_)) => {
            let process = Place::find(text, failed.step, &new.keys)?;
            if text[process.value.clone()].starts_with('{') {
                return Some((process.value, new.value));
            }
            // `then.leaf.state = …`
            let dotted = process.pair.start..place.pair.end;
            (dotted.start < dotted.end).then(|| (dotted, format!("{} = {}", new.keys[1], new.value)))
        }
        (Claim::Gone(_), Claim::Process(..)) => {
            Some((place.value, format!("{{ {} = {} }}", new.keys.last()?, new.value)))
        }
        // What the call gave is not of the kind that was claimed: if that is said already, only the claim has to go.
        (Claim::Outcome(claim), Claim::Outcome(OutcomeClaim::Result(_))) => {
            let step = &scenario.steps[failed.step - 1];
            let whole = Place::find(text, failed.step, &old.keys[..1])?.pair;
            let said = step.expect.is_some() && !matches!(claim, OutcomeClaim::Result(_));
            let other = verdict.failed_claims().any(|other| other.step == failed.step && other.claim != failed.claim);
            match (said, other) {
                (false, false) => Some((whole, new.pair())),
                (false, true) if matches!(claim, OutcomeClaim::Result(_)) => Some((whole, new.pair())),
                (true, _) => {
                    let comma = text[..whole.start].trim_end().strip_suffix(',')?.len();
                    Some((comma..whole.end, String::new()))
                }
                (false, true) => None,
            }
        }
        // One field of what a look shows in place of another.
        (Claim::Outcome(OutcomeClaim::Sees(_)), Claim::Outcome(OutcomeClaim::Sees(field))) => {
            Some((place.pair, format!("{} = {}", field.name, new.value)))
        }
        _ => None,
    }
}

/// The text with all of these pieces changed, each once.
fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    edits.dedup();
    let mut changed = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        changed.replace_range(range, &new);
    }
    changed
}
