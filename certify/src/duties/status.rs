//! How it ends, and with which status.

use crate::lab::{Bench, Lab, Setting};
use crate::play::{COMMAND, Outcome, Played};
use crate::report::{Ended, name};
use crate::said::Order;
use crate::stop::Stop;

/// What a program that is found and is none is called, and one that is not found, in the conductor's folder.
const NO_PROGRAM: &str = "no-program";
const NOTHING: &str = "nothing";

pub(crate) fn starts(bench: &mut Bench) -> Played {
    match bench.ready(Setting::default()) {
        Ok(lab) => Ok(Outcome::holds_if(true, "").in_lab(&lab)),
        Err(Stop::NotAsked(why)) => Ok(Outcome::holds_if(false, why)),
        Err(other) => Err(other),
    }
}

/// What speaks against its having ended with this status.
fn problem(lab: &Lab<'_>, when: &str, expected: i32) -> Option<String> {
    let right = lab.ended == Some(Ended::Exited(expected));
    if !right {
        lab.note_failure();
    }
    (!right).then(|| format!("{when}: {}, where {expected} was to come", lab.how_it_ended()))
}

pub(crate) fn status(bench: &mut Bench) -> Played {
    let mut problems = Vec::new();
    for status in [0, 7, 255u8] {
        let mut lab = bench.ready(Setting::default())?;
        lab.end(COMMAND, status)?;
        lab.comes_to_its_end()?;
        problems.extend(problem(&lab, &format!("the command ended with {status}"), status.into()));
    }
    Ok(Outcome::unless(&problems))
}

pub(crate) fn status_killed(bench: &mut Bench) -> Played {
    let mut problems = Vec::new();
    for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGSEGV] {
        let mut lab = bench.ready(Setting::default())?;
        lab.tell(COMMAND, &Order::Plain { signal: None })?;
        lab.send(lab.puppets[COMMAND].pid, signal)?;
        lab.comes_to_its_end()?;
        problems.extend(problem(&lab, &format!("the command was killed by {}", name(signal)), 128 + signal));
    }
    Ok(Outcome::unless(&problems))
}

pub(crate) fn status_in_crowd(bench: &mut Bench) -> Played {
    let count = bench.crowd();
    let mut lab = bench.ready(Setting::default())?;
    // The second is there to be read when the first is done: nobody is asked in between.
    lab.order(COMMAND, &Order::Burst { count, status: 5 })?;
    lab.end(COMMAND, 7)?;
    lab.comes_to_its_end()?;
    let problems = problem(&lab, &format!("{count} orphans ended with 5, and the command with 7"), 7);
    Ok(Outcome::unless(problems.as_slice()).in_lab(&lab))
}

pub(crate) fn not_found(bench: &mut Bench) -> Played {
    no_command(bench, NOTHING, "a command that is not there", 127)
}

pub(crate) fn not_executable(bench: &mut Bench) -> Played {
    std::fs::write(bench.folder.join(NO_PROGRAM), "this is no program\n")?;
    no_command(bench, NO_PROGRAM, "a command that is no program", 126)
}

fn no_command(bench: &mut Bench, file: &str, when: &str, expected: i32) -> Played {
    let path = bench.folder.join(file).to_string_lossy().into_owned();
    let mut lab = bench.lab(Setting { command: Some(vec![path]), ..Setting::default() })?;
    lab.comes_to_its_end()?;
    let problems = problem(&lab, when, expected);
    Ok(Outcome::unless(problems.as_slice()).in_lab(&lab))
}

pub(crate) fn leftovers(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.orphan(COMMAND, "orphan")?;
    lab.born(COMMAND, "child")?;
    lab.end(COMMAND, 7)?;
    lab.comes_to_its_end()?;
    let problems = problem(&lab, "the command ended with 7 while others live", 7);
    Ok(Outcome::unless(problems.as_slice()).in_lab(&lab))
}

pub(crate) fn chld_ignored(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting { ignored: vec![libc::SIGCHLD], ..Setting::default() })?;
    lab.end(COMMAND, 7)?;
    lab.comes_to_its_end()?;
    let problems = problem(&lab, "it was started with SIGCHLD ignored, and the command ended with 7", 7);
    Ok(Outcome::unless(problems.as_slice()).in_lab(&lab))
}

pub(crate) fn stop(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.tell(COMMAND, &Order::Plain { signal: None })?;
    lab.send(lab.init()?, libc::SIGTERM)?;
    let ends = lab.comes_to_its_end()?;
    let command = if lab.puppets[COMMAND].has_ended() { "the command ended, and it did not" } else { "both go on" };
    Ok(Outcome::holds_if(ends, command).in_lab(&lab))
}

pub(crate) fn stop_clean(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.send(lab.init()?, libc::SIGTERM)?;
    let heard = lab.until(|lab| lab.puppets[COMMAND].count(libc::SIGTERM) > 0)?;
    if !heard {
        let seen = format!("the command never got SIGTERM: {}", lab.how_it_ended());
        return Ok(Outcome::holds_if(false, seen).in_lab(&lab));
    }
    lab.end(COMMAND, 0)?;
    lab.comes_to_its_end()?;
    let problems = problem(&lab, "the command ended with 0 after SIGTERM", 0);
    Ok(Outcome::unless(problems.as_slice()).in_lab(&lab))
}

pub(crate) fn restarts(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.end(COMMAND, 0)?;
    let again = lab.until(|lab| lab.find("command#2").is_some())?;
    let seen = format!("the command ended, and was not started again; {}", lab.how_it_ended());
    Ok(Outcome::holds_if(again, seen).in_lab(&lab))
}

pub(crate) fn ends(bench: &mut Bench) -> Played {
    let mut lab = bench.lab(Setting::default())?;
    lab.calm_down()?;
    if lab.ended.is_some() {
        return Ok(Outcome::holds_if(false, format!("nobody told it to, and {}", lab.how_it_ended())).in_lab(&lab));
    }
    lab.send(lab.init()?, libc::SIGTERM)?;
    let ends = lab.comes_to_its_end()?;
    Ok(Outcome::holds_if(ends, "it runs on after SIGTERM").in_lab(&lab))
}
