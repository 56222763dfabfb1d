//! Waiting for those whom PID 1 has not started.

use crate::lab::{Bench, Lab, Setting};
use crate::look;
use crate::play::{COMMAND, Outcome, Played};
use crate::said::Order;
use crate::stop::Stop;

pub(crate) fn orphan(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    reaps_an_orphan(&mut lab, 41)
}

/// Makes an orphan that ends.
fn reaps_an_orphan(lab: &mut Lab<'_>, status: u8) -> Played {
    let orphan = lab.orphan(COMMAND, "orphan")?;
    let pid = lab.puppets[orphan].pid;
    lab.end(orphan, status)?;
    let reaped = lab.is_reaped(pid)?;
    Ok(Outcome::holds_if(reaped, lab.zombie_in_words(pid)).in_lab(lab))
}

pub(crate) fn stays(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let orphan = lab.orphan(COMMAND, "orphan")?;
    lab.end(orphan, 46)?;
    lab.settle()?;
    let mut problems = Vec::new();
    if lab.ended.is_some() {
        problems.push(format!("an orphan ended with 46, and {}", lab.how_it_ended()));
    } else if lab.puppets[COMMAND].has_ended() {
        problems.push("an orphan ended, and the command was ended, too".to_owned());
    }
    Ok(Outcome::unless(&problems).in_lab(&lab))
}

pub(crate) fn dead_orphan(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let middle = lab.born(COMMAND, "parent of orphan")?;
    let orphan = lab.born(middle, "orphan")?;
    let pid = lab.puppets[orphan].pid;
    lab.end(orphan, 42)?;
    if !lab.until(|_| look::state(pid) == Some('Z'))? {
        return Err(Stop::Broken("a child that ended was no zombie".to_owned()));
    }
    lab.end(middle, 0)?;
    lab.until(|lab| lab.puppets[middle].has_ended())?;
    lab.tell(COMMAND, &Order::Wait)?;
    let reaped = lab.is_reaped(pid)?;
    Ok(Outcome::holds_if(reaped, lab.zombie_in_words(pid)).in_lab(&lab))
}

pub(crate) fn thousand(bench: &mut Bench) -> Played {
    let count = bench.crowd();
    let mut lab = bench.ready(Setting::default())?;
    if lab.tell(COMMAND, &Order::Burst { count, status: 43 })? != Some(0) {
        return Err(Stop::Broken(format!("{count} children could not be made")));
    }
    no_zombie_stays(&mut lab)
}

pub(crate) fn crowd(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let Some(group @ 1..) = lab.tell(COMMAND, &Order::Crowd { count: 100 })? else {
        return Err(Stop::Broken("a hundred children could not be made".to_owned()));
    };
    lab.calm_down()?;
    let group = i32::try_from(group).unwrap_or(0);
    lab.tell(COMMAND, &Order::KillGroup { group, signal: libc::SIGKILL })?;
    no_zombie_stays(&mut lab)
}

fn no_zombie_stays(lab: &mut Lab<'_>) -> Played {
    // A first glance would come before anybody has died.
    lab.calm_down()?;
    let (init, mut problems) = (lab.init()?, Vec::new());
    lab.until(|lab| lab.ended.is_some() || look::zombies_of(init).is_empty())?;
    match look::zombies_of(init).len() {
        0 => {}
        zombies => problems.push(format!("{zombies} of its children stay as zombies")),
    }
    if lab.ended.is_some() {
        problems.push(lab.how_it_ended());
    }
    Ok(Outcome::unless(&problems).in_lab(lab))
}

pub(crate) fn exec_orphan(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    lab.invite("guest")?;
    lab.until(|lab| lab.find("guest").is_some())?;
    let Some(guest) = lab.find("guest") else {
        return Err(Stop::NotAsked(format!("nobody could join from outside{}", lab.last_words())));
    };
    let orphan = lab.born(guest, "orphan")?;
    let (guest_pid, pid) = (lab.puppets[guest].pid, lab.puppets[orphan].pid);
    lab.end(guest, 0)?;
    lab.is_reaped(guest_pid)?;
    lab.end(orphan, 45)?;
    let reaped = lab.is_reaped(pid)?;
    Ok(Outcome::holds_if(reaped, lab.zombie_in_words(pid)).in_lab(&lab))
}

pub(crate) fn stopped_command(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting::default())?;
    let orphan = lab.orphan(COMMAND, "orphan")?;
    let (command, pid) = (lab.puppets[COMMAND].pid, lab.puppets[orphan].pid);
    lab.send(command, libc::SIGSTOP)?;
    lab.until(|lab| lab.is_stopped(command))?;
    lab.settle()?;
    if lab.ended.is_some() {
        let seen = format!("the command was stopped, and {}", lab.how_it_ended());
        return Ok(Outcome::holds_if(false, seen).in_lab(&lab));
    }
    if !lab.is_stopped(command) {
        return Ok(Outcome::holds_if(false, "the command was stopped, and did not stay so").in_lab(&lab));
    }
    lab.end(orphan, 44)?;
    let reaped = lab.is_reaped(pid)?;
    Ok(Outcome::holds_if(reaped, format!("while the command is stopped {}", lab.zombie_in_words(pid))).in_lab(&lab))
}

pub(crate) fn blocked_chld(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting { blocked: vec![libc::SIGCHLD], ..Setting::default() })?;
    reaps_an_orphan(&mut lab, 48)
}

pub(crate) fn subreaper(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting { ordinary: true, subreaper: true, ..Setting::default() })?;
    reaps_an_orphan(&mut lab, 49)
}

pub(crate) fn nested(bench: &mut Bench) -> Played {
    let mut lab = bench.ready(Setting { levels: 3, ..Setting::default() })?;
    reaps_an_orphan(&mut lab, 47)
}
