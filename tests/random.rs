//! What random scenarios are made of: nothing that the language can say is left to luck.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use pidlab::coverage::{self, Coverage};
use pidlab::random;
use pidlab::scenario::random::Theme;
use pidlab::scenario::{
    Call, CallName, CloneFlags, ExitSignal, Facts, LookVia, MaskChange, RebootHow, SetnsVia, Signal, SignalAction,
    Step, Sysctl, WaitOptions,
};
use pidlab::sim::Model;

const STEPS: usize = 60_000;
const LENGTH: usize = 20;

/// How often each thing was drawn.
#[derive(Default)]
struct Drawn(BTreeMap<(&'static str, String), u64>);

impl Drawn {
    fn add(&mut self, kind: &'static str, what: impl Display) {
        *self.0.entry((kind, what.to_string())).or_default() += 1;
    }

    fn signal(&mut self, kind: &'static str, signal: Signal) {
        self.add(kind, format!("{:02} {signal}", signal.number()));
    }

    fn count(&mut self, step: &Step) {
        self.add("call", step.call.name());
        match &step.call {
            Call::Kill { signal, .. }
            | Call::Tgkill { signal, .. }
            | Call::Tkill { signal, .. }
            | Call::Sigqueue { signal, .. }
            | Call::Tgsigqueueinfo { signal, .. }
            | Call::PidfdSendSignal { signal, .. } => match signal {
                Some(signal) => self.signal("sent", *signal),
                None => self.add("sent", "00"),
            },
            Call::Sigaction { signal, action } => {
                self.add("action", action);
                self.signal("acted on", *signal);
            }
            Call::Sigprocmask { how, signal } => {
                self.add("mask", how);
                self.signal("masked", *signal);
            }
            Call::Clone { flags, exit_signal, set_tid, .. } => {
                flags.iter_names().for_each(|(name, _)| self.add("clone flag", name));
                if let ExitSignal::Signal(signal) = exit_signal {
                    self.signal("exit signal", *signal);
                }
                self.add("set_tid", set_tid.len());
            }
            Call::SetPdeathsig { signal: Some(signal) } => self.signal("at a parent's death", *signal),
            Call::Wait { options, .. } => options.iter_names().for_each(|(name, _)| self.add("wait", name)),
            Call::Waitid { options, .. } => options.iter_names().for_each(|(name, _)| self.add("waitid", name)),
            Call::Unshare { flags } => flags.iter_names().for_each(|(name, _)| self.add("unshare", name)),
            Call::Setns { via, .. } => self.add("setns", via),
            Call::Look { via, .. } => self.add("look", via),
            Call::Sysctl { name, .. } => self.add("sysctl", name),
            Call::Reboot { how } => self.add("reboot", how),
            _ => {}
        }
    }

    /// Counts faults of who has spoken of SIGSEGV: what they make of a mask or an action is seen nowhere else.
    fn count_faults(&mut self, steps: &[Step]) {
        let mut spoke = BTreeSet::new();
        for step in steps {
            match step.call {
                Call::Sigaction { signal: Signal::SEGV, action } => {
                    spoke.insert((step.by, action.to_string()));
                }
                Call::Sigprocmask { signal: Signal::SEGV, how } => {
                    spoke.insert((step.by, how.to_string()));
                }
                Call::Fault => {
                    let about = spoke.iter().filter(|(by, _)| *by == step.by);
                    about.for_each(|(_, what)| self.add("fault after", what));
                }
                _ => {}
            }
        }
    }

    /// Asserts that each of these was drawn at least so often.
    fn expect(&self, kind: &'static str, all: impl IntoIterator<Item = String>, least: u64) {
        let drawn = |what: &String| self.0.get(&(kind, what.clone())).copied().unwrap_or(0);
        let rare: Vec<String> =
            all.into_iter().filter(|what| drawn(what) < least).map(|what| format!("{what} {}", drawn(&what))).collect();
        assert!(rare.is_empty(), "{kind}, in {STEPS} steps less than {least}: {}", rare.join(", "));
    }
}

fn words<T: Display>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_is_drawn_often() {
    let mut drawn = Drawn::default();
    let mut model = Model::new(Facts::newest());
    let mut steps = 0;
    let mut case = 0;
    while steps < STEPS {
        let scenario =
            random::scenario(&random::choices(1, case, LENGTH), Theme::of(case), &mut model, "random/distribution");
        scenario.steps.iter().for_each(|step| drawn.count(step));
        drawn.count_faults(&scenario.steps);
        steps += scenario.steps.len();
        case += 1;
    }
    for ((kind, what), count) in &drawn.0 {
        println!("{kind:<20} {what:<20} {count:>6}");
    }
    let signals = || {
        (1..=64).filter_map(Signal::new).map(|signal| format!("{:02} {signal}", signal.number())).collect::<Vec<_>>()
    };
    drawn.expect("call", words(CallName::ALL), 60);
    drawn.expect("sent", signals(), 8);
    drawn.expect("acted on", signals(), 2);
    drawn.expect("masked", signals(), 1);
    drawn.expect("exit signal", signals(), 2);
    drawn.expect("at a parent's death", signals(), 2);
    drawn.expect("action", words(SignalAction::ALL), 300);
    drawn.expect("mask", words(MaskChange::ALL), 400);
    let flags = CloneFlags::all().iter_names().map(|(name, _)| name.to_owned()).filter(|name| name != "CLONE_FILES");
    drawn.expect("clone flag", flags, 30);
    drawn.expect(
        "wait",
        WaitOptions::all().iter_names().map(|(name, _)| name.to_owned()).filter(|name| name != "WEXITED"),
        60,
    );
    drawn.expect("waitid", WaitOptions::all().iter_names().map(|(name, _)| name.to_owned()), 20);
    drawn.expect("setns", words(SetnsVia::ALL), 200);
    drawn.expect("look", words(LookVia::ALL), 50);
    drawn.expect("sysctl", words(Sysctl::ALL), 100);
    drawn.expect("reboot", words(RebootHow::ALL), 20);
    drawn.expect("fault after", ["ignore", "handle", "block"].map(str::to_owned), 5);
}

/// Every theme is a good part of the whole: one scenario in twenty, or more.
#[test]
fn every_theme_takes_its_turn() {
    let turns: Vec<Theme> = (0..360).map(Theme::of).collect();
    for theme in Theme::ALL {
        let count = turns.iter().filter(|turn| *turn == theme).count();
        assert!(count >= 18, "{theme:?} {count}");
    }
}

/// Random scenarios of one round, and how many rounds there may be until every rule was fired.
const CASES: u64 = 3000;
const ROUNDS: u64 = 20;

/// Without any kernel: no rule is left to the library alone.
#[test]
fn every_rule_is_fired_by_random_scenarios() {
    let mut covered = Coverage::new(false);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let unfired = |covered: &Coverage| -> Vec<&str> {
        covered.rows().iter().filter(|row| row.random == 0).map(|row| row.rule.id).collect()
    };
    for seed in 1..=ROUNDS {
        for kind in coverage::kinds_of_kernels(&Facts::newest()) {
            covered.add_random(&coverage::random_on_the_model(&kind, seed, CASES, jobs));
        }
        if unfired(&covered).is_empty() {
            println!("after {seed} rounds of {CASES} scenarios");
            return;
        }
    }
    assert_eq!(unfired(&covered), Vec::<&str>::new(), "after {ROUNDS} rounds");
}
