//! Passing signals on, and what the command is born with.

use crate::lab::{Bench, Lab, Setting};
use crate::look;
use crate::play::{COMMAND, Outcome, Played, members, names};
use crate::report::name;
use crate::said::Order;
use crate::stop::Stop;

/// What every init is expected to pass on.
const CORE: [i32; 7] =
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGUSR1, libc::SIGUSR2, libc::SIGTERM, libc::SIGWINCH];

pub(crate) fn passes_on(bench: &mut Bench) -> Played {
    let mut problems = Vec::new();
    for signal in CORE {
        let mut lab = bench.ready(Setting::default())?;
        lab.send(lab.init()?, signal)?;
        if !hears(&mut lab, signal, 1)? {
            problems.push(format!("{}: {}", name(signal), instead(&lab)));
            lab.note_failure();
        }
    }
    Ok(Outcome::unless(&problems))
}

/// Whether the command gets a signal so often.
fn hears(lab: &mut Lab<'_>, signal: i32, times: usize) -> Result<bool, Stop> {
    lab.until(|lab| lab.puppets[COMMAND].count(signal) >= times)
}

/// What the command got, where it did not get what it should have.
fn instead(lab: &Lab<'_>) -> String {
    let heard: Vec<i32> = lab.puppets[COMMAND].heard.iter().map(|heard| heard.number).collect();
    let heard: Vec<i32> = heard.into_iter().filter(|signal| *signal != libc::SIGCHLD).collect();
    let got = if heard.is_empty() { "the command got nothing".to_owned() } else { format!("it got {}", names(&heard)) };
    match lab.ended {
        Some(ended) => format!("{got}, and {}", ended.in_words()),
        None => got,
    }
}

pub(crate) fn twice(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let init = lab.init()?;
    for times in 1..=2 {
        lab.send(init, libc::SIGTERM)?;
        if !hears(&mut lab, libc::SIGTERM, times)? {
            let seen = format!("of SIGTERM number {times}: {}", instead(&lab));
            return Ok(Outcome::holds_if(false, seen).in_lab(&lab));
        }
    }
    Ok(Outcome::holds_if(true, "").in_lab(&lab))
}

pub(crate) fn from_inside(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.tell(COMMAND, &Order::Kill { pid: 1, signal: libc::SIGTERM })?;
    let heard = hears(&mut lab, libc::SIGTERM, 1)?;
    Ok(Outcome::holds_if(heard, format!("the command sent SIGTERM to PID 1: {}", instead(&lab))).in_lab(&lab))
}

pub(crate) fn early_term(bench: &mut Bench) -> Played {
    let setting = Setting { blocked: vec![libc::SIGTERM], pending: vec![libc::SIGTERM], ..Setting::default() };
    let mut lab = bench.lab(setting)?;
    let heard = |lab: &Lab<'_>| lab.puppets.iter().any(|puppet| puppet.count(libc::SIGTERM) > 0);
    // It may also end at once, for then it was heeded; or the command is ended by it before it can hear.
    let heeded = lab.until(|lab| heard(lab) || lab.ended.is_some())?;
    let seen = match lab.puppets.first() {
        Some(_) => "the command runs, and never got the SIGTERM that was there before it",
        None => "the command was never started, and it runs on",
    };
    Ok(Outcome::holds_if(heeded, seen).in_lab(&lab))
}

pub(crate) fn blocked_term(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting { blocked: vec![libc::SIGTERM, libc::SIGHUP], ..Setting::default() })?;
    lab.send(lab.init()?, libc::SIGTERM)?;
    let heard = hears(&mut lab, libc::SIGTERM, 1)?;
    Ok(Outcome::holds_if(heard, format!("it was started with SIGTERM blocked: {}", instead(&lab))).in_lab(&lab))
}

pub(crate) fn clean_mask(bench: &mut Bench) -> Played {
    let lab = bench.ready(Setting::default())?;
    let blocked = members(lab.puppets[COMMAND].born.blocked);
    Ok(Outcome::holds_if(blocked.is_empty(), format!("the command is born with {} blocked", names(&blocked)))
        .in_lab(&lab))
}

pub(crate) fn clean_ignored(bench: &mut Bench) -> Played {
    let lab = bench.ready(Setting::default())?;
    let ignored = members(lab.puppets[COMMAND].born.ignored);
    Ok(Outcome::holds_if(ignored.is_empty(), format!("the command is born with {} ignored", names(&ignored)))
        .in_lab(&lab))
}

pub(crate) fn job_control(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let (init, command) = (lab.init()?, lab.puppets[COMMAND].pid);
    lab.tell(COMMAND, &Order::Plain { signal: Some(libc::SIGTSTP) })?;
    lab.send(init, libc::SIGTSTP)?;
    let stopped = lab.until(|lab| lab.is_stopped(command))?;
    let mut problems = Vec::new();
    if !stopped {
        problems.push("SIGTSTP to PID 1 did not stop the command".to_owned());
    } else {
        lab.calm_down()?;
        lab.send(init, libc::SIGCONT)?;
        if !lab.until(|lab| look::state(command).is_some() && !lab.is_stopped(command))? {
            problems.push("the command was stopped, and SIGCONT to PID 1 did not let it go on".to_owned());
        }
    }
    Ok(Outcome::unless(&problems).in_lab(&lab))
}
