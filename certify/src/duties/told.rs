//! What is no duty, and good to know.

use std::time::{Duration, Instant};

use crate::lab::{Bench, Setting};
use crate::look::Look;
use crate::play::{COMMAND, Outcome, Played};
use crate::report::{Ended, name};
use crate::said::Order;

pub(crate) fn who_hears(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.born(COMMAND, "its child")?;
    let group = lab.born(COMMAND, "a child in a group of its own")?;
    lab.tell(group, &Order::Setpgid)?;
    let session = lab.born(COMMAND, "a child in a session of its own")?;
    lab.tell(session, &Order::Setsid)?;
    lab.orphan(COMMAND, "an orphan")?;
    lab.send(lab.init()?, libc::SIGTERM)?;
    lab.calm_down()?;
    let heard = lab.puppets.iter().filter(|puppet| puppet.count(libc::SIGTERM) > 0);
    let heard: Vec<&str> = heard.map(|puppet| &*puppet.name).collect();
    let mut seen = if heard.is_empty() { "nobody".to_owned() } else { heard.join(", ") };
    if lab.ended.is_some() {
        seen += &format!("; {}", lab.how_it_ended());
    }
    Ok(Outcome::told(seen).in_lab(&lab))
}

pub(crate) fn told_at_the_end(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let orphan = lab.orphan(COMMAND, "orphan")?;
    lab.end(COMMAND, 7)?;
    lab.comes_to_its_end()?;
    let told: Vec<String> = lab.puppets[orphan]
        .heard
        .iter()
        .filter(|heard| heard.number != libc::SIGCHLD)
        .map(|heard| heard.signal.clone())
        .collect();
    let seen = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
    Ok(Outcome::told(seen).in_lab(&lab))
}

pub(crate) fn adopts(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting { ordinary: true, ..Setting::default() })?;
    let orphan = lab.orphan(COMMAND, "orphan")?;
    lab.calm_down()?;
    let parent = lab.who(orphan)?.parent;
    let seen = if parent == 1 { "PID 1 adopts".to_owned() } else { format!("it adopts itself, as PID {parent}") };
    Ok(Outcome::told(seen).in_lab(&lab))
}

/// By which of these somebody may be asked to end.
const ASKED: [i32; 9] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGPWR,
    libc::SIGCONT,
    libc::SIGWINCH,
];

pub(crate) fn enders(bench: &mut Bench) -> Played {
    let mut ends = Vec::new();
    for signal in ASKED {
        let mut lab = bench.lab(Setting::default())?;
        lab.calm_down()?;
        if lab.ended.is_some() {
            return Ok(Outcome::told(format!("none: before any came {}", lab.how_it_ended())).in_lab(&lab));
        }
        if lab.find("command").is_some() {
            lab.tell(COMMAND, &Order::Plain { signal: None })?;
        }
        lab.send(lab.init()?, signal)?;
        lab.comes_to_its_end()?;
        let how = match lab.ended {
            Some(Ended::Exited(status)) => format!("{} with {status}", name(signal)),
            Some(Ended::Killed(by)) => format!("{}, by {}", name(signal), name(by)),
            None => continue,
        };
        ends.push(how);
    }
    Ok(Outcome::told(if ends.is_empty() { "none".to_owned() } else { ends.join("; ") }))
}

/// How long it is watched. This needs a clock, and is no verdict.
const WATCHED: Duration = Duration::from_secs(2);

pub(crate) fn idle(bench: &mut Bench) -> Played {
    // One that runs already is only looked at.
    let mut lab = if bench.is_attached() { bench.watch()? } else { bench.ready(Setting::default())? };
    lab.calm_down()?;
    let (init, own) = (lab.init()?, lab.bench.own);
    let switches = || {
        let look = Look::around(own);
        look.0.values().filter(|seen| seen.process == init).map(|seen| seen.switches).sum::<u64>()
    };
    let (begun, before) = (Instant::now(), switches());
    while let left @ 1.. = WATCHED.saturating_sub(begun.elapsed()).as_millis() {
        lab.pump(Duration::from_millis(u64::try_from(left).unwrap_or(1).min(500)))?;
    }
    let times = switches().saturating_sub(before);
    Ok(Outcome::told(format!("{times} times in {} s by the clock", WATCHED.as_secs())).in_lab(&lab))
}
