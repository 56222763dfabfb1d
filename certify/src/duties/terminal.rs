//! The terminal.

use std::time::Duration;

use rustix::termios::{Winsize, tcsetwinsize};

use crate::lab::{Bench, Lab, Setting};
use crate::play::{COMMAND, Outcome, Played};
use crate::stop::Stop;

/// A lab with a terminal, and the command ready.
fn ready(bench: &mut Bench) -> Result<Lab<'_>, Stop> {
    let mut lab = bench.ready(Setting { terminal: true, ..Setting::default() })?;
    // Whoever gives the command the terminal may do so after it has begun.
    lab.calm_down()?;
    Ok(lab)
}

pub(crate) fn foreground(bench: &mut Bench) -> Played {
    let mut lab = ready(bench)?;
    let who = lab.who(COMMAND)?;
    let seen = match who.foreground {
        Some(group) => format!("the command is in process group {}, and {group} is in the foreground", who.group),
        None => "the command has no terminal".to_owned(),
    };
    Ok(Outcome::holds_if(who.foreground == Some(who.group), seen).in_lab(&lab))
}

pub(crate) fn ctrl_c(bench: &mut Bench) -> Played {
    let mut lab = ready(bench)?;
    hold(&mut lab)?;
    if let Some(terminal) = &lab.terminal {
        rustix::io::write(terminal, b"\x03")?;
    }
    // What a terminal does is done by a worker of the kernel, whom no look sees.
    while lab.terminal.is_some() && !lab.echo.windows(2).any(|two| two == b"^C") {
        lab.pump(Duration::from_millis(10))?;
        lab.check_bound("the terminal never echoed ^C")?;
    }
    exactly_once(&mut lab, libc::SIGINT, "Ctrl-C was typed")
}

pub(crate) fn resize(bench: &mut Bench) -> Played {
    let mut lab = ready(bench)?;
    hold(&mut lab)?;
    if let Some(terminal) = &lab.terminal {
        tcsetwinsize(terminal, Winsize { ws_row: 33, ws_col: 99, ws_xpixel: 0, ws_ypixel: 0 })?;
    }
    exactly_once(&mut lab, libc::SIGWINCH, "the terminal changed its size")
}

/// Stops PID 1 for a moment, so that the command has taken what the terminal sends it before PID 1 passes on the same: at the same time two
/// of a kind would now be one, and now two.
fn hold(lab: &mut Lab<'_>) -> Result<(), Stop> {
    let init = lab.init()?;
    lab.send(init, libc::SIGSTOP)?;
    lab.until(|lab| lab.is_stopped(init)).map(drop)
}

fn exactly_once(lab: &mut Lab<'_>, signal: i32, when: &str) -> Played {
    lab.calm_down()?;
    lab.send(lab.init()?, libc::SIGCONT)?;
    lab.until(|lab| lab.puppets[COMMAND].count(signal) > 1)?;
    let (count, name) = (lab.puppets[COMMAND].count(signal), crate::report::name(signal));
    let mut seen = format!("{when}, and the command got {name} {count} times");
    if lab.ended.is_some() {
        seen += &format!("; {}", lab.how_it_ended());
    }
    Ok(Outcome::holds_if(count == 1, seen).in_lab(lab))
}

pub(crate) fn hangup(bench: &mut Bench) -> Played {
    let mut lab = ready(bench)?;
    lab.terminal = None;
    let heard = lab.until(|lab| lab.puppets[COMMAND].count(libc::SIGHUP) > 0)?;
    let seen = format!("the terminal was closed, and the command got no SIGHUP; {}", lab.how_it_ended());
    Ok(Outcome::holds_if(heard, seen).in_lab(&lab))
}
