//! What is asked of a PID 1 that runs already. Others use its container: it is looked at, and orphans are made one after another, few of them.

use std::collections::BTreeSet;

use crate::lab::{Bench, Setting};
use crate::look::{self, Signals};
use crate::play::{COMMAND, Outcome, Played, members, names};
use crate::said::Order;
use crate::stop::Stop;

/// As the procfs of its own namespace has it.
const INIT: i32 = 1;

pub(crate) fn zombies(bench: &mut Bench) -> Played {
    let mut lab = bench.watch()?;
    // One moment without any is enough: whoever reaps late reaps.
    let none = lab.until(|_| look::zombies_of(INIT).is_empty())?;
    Ok(Outcome::holds_if(none, in_words(&look::zombies_of(INIT))))
}

/// The first of them, with their names.
fn in_words(zombies: &BTreeSet<i32>) -> String {
    const NAMED: usize = 5;
    let mut named: Vec<String> =
        zombies.iter().take(NAMED).map(|zombie| format!("{zombie} ({})", look::name(*zombie))).collect();
    if zombies.len() > NAMED {
        named.push("…".to_owned());
    }
    format!("{} of its children stay as zombies: {}", zombies.len(), named.join(", "))
}

pub(crate) fn hears_term(bench: &mut Bench) -> Played {
    let term = 1 << (libc::SIGTERM - 1);
    let mut lab = bench.watch()?;
    let hears = lab.until(|_| look::signals(INIT).taken() & term != 0)?;
    let seen = match look::signals(INIT).ignored & term {
        0 => "it has no handler for SIGTERM, and does not wait for it",
        _ => "it ignores SIGTERM",
    };
    Ok(Outcome::holds_if(hears, seen))
}

pub(crate) fn few(bench: &mut Bench) -> Played {
    const COUNT: u8 = 3;
    let mut lab = bench.ready(Setting::default())?;
    let before = look::zombies_of(INIT);
    if lab.tell(COMMAND, &Order::Burst { count: COUNT.into(), status: 43 })? != Some(0) {
        return Err(Stop::Broken("three children could not be made".to_owned()));
    }
    let reaped = lab.until(|_| look::zombies_of(INIT).is_subset(&before))?;
    let left: BTreeSet<i32> = look::zombies_of(INIT).difference(&before).copied().collect();
    Ok(Outcome::holds_if(reaped, in_words(&left)))
}

/// What is told of: neither the two that nobody takes, whatever set they are in, nor real-time signals, which would be half a page.
const TAKEN: u64 = 0x7fff_ffff & !(1 << (libc::SIGKILL - 1)) & !(1 << (libc::SIGSTOP - 1));

pub(crate) fn takes(bench: &mut Bench) -> Played {
    let mut lab = bench.watch()?;
    lab.calm_down()?;
    let Signals { handled, ignored, waited_for } = look::signals(INIT);
    let of = |what: &str, set: u64| match members(set & TAKEN) {
        signals if signals.is_empty() => None,
        signals => Some(format!("{what} {}", names(&signals))),
    };
    let said: Vec<String> =
        [of("handles", handled), of("waits for", waited_for), of("ignores", ignored)].into_iter().flatten().collect();
    Ok(Outcome::told(if said.is_empty() { "none".to_owned() } else { said.join("; ") }))
}
