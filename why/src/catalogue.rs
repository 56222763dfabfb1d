//! Which rules stand behind what is found, and which scenario of the library shows it. A test holds that they are there.

use crate::finding::{Condition, Doing, How};

/// The rules and the scenario of one way to hold a PID.
pub(crate) struct Entry {
    pub(crate) rules: &'static [&'static str],
    pub(crate) scenario: Option<&'static str>,
}

const NOT_WAITED_FOR: Entry = Entry { rules: &["zap.waits-for-outside-parent"], scenario: Some("death/not-gone-yet") };
const DEADLOCK: Entry = Entry {
    rules: &["zap.classic-deadlock", "zap.waits-for-outside-parent"],
    scenario: Some("death/the-classic-deadlock"),
};
const TRACER: Entry =
    Entry { rules: &["zap.tracer", "ptrace.handed-back"], scenario: Some("tracing/held-up-by-a-tracer") };
const NESTED: Entry = Entry { rules: &["zap.nested-stall"], scenario: Some("death/stuck-all-the-way-up") };
const GROUP: Entry =
    Entry { rules: &["zap.pgid-pin", "alloc.freed-when"], scenario: Some("death/stuck-without-a-zombie") };
const THREADS: Entry =
    Entry { rules: &["wait.leader-dead-threads-alive"], scenario: Some("threads/a-leader-that-looks-dead") };
// What keeps it there is no doing of PIDs, and no scenario does that; what follows for the init is as ever.
const LIVES: Entry = Entry { rules: &["zap.stuck-immune", "zap.invariant"], scenario: Some("death/not-gone-yet") };
const NOT_OF_PIDS: Entry = Entry { rules: &[], scenario: None };
const ZOMBIE: Entry = Entry { rules: &["reap.zombie-handover"], scenario: Some("zombies/the-parent-is-alive") };
const ZOMBIE_TRACED: Entry = Entry {
    rules: &["ptrace.zombie-held", "ptrace.handed-back"],
    scenario: Some("tracing/a-zombie-for-the-tracer-alone"),
};

/// What stands behind a holder. `of_a_namespace`: whether it keeps a namespace from going, and not only itself. `for_the_init`: whether who
/// should wait for it waits for the init.
pub(crate) fn entry(how: &How, of_a_namespace: bool, for_the_init: bool) -> Entry {
    match how {
        How::Unreaped if for_the_init => DEADLOCK,
        How::Unreaped if of_a_namespace => NOT_WAITED_FOR,
        How::Unreaped => ZOMBIE,
        How::Traced if of_a_namespace => TRACER,
        How::HeldByTracer if of_a_namespace => TRACER,
        How::Traced | How::HeldByTracer => ZOMBIE_TRACED,
        How::ThreadsLeft { .. } => THREADS,
        How::NestedInit => NESTED,
        How::Uninterruptible { .. } | How::Frozen if of_a_namespace => LIVES,
        How::Uninterruptible { .. } | How::Frozen | How::Stopped => NOT_OF_PIDS,
        How::OwnGroup { .. } | How::PerhapsGroup { .. } => GROUP,
    }
}

/// The rule that a parent does not know who ignores SIGCHLD and has a zombie.
pub(crate) const TOO_LATE: &str = "exit.autoreap-not-retroactive";
/// The rule about children with another exit signal.
pub(crate) const KINDS: &str = "wait.kinds";
/// The rule about who gets the children of somebody who ends.
pub(crate) const HANDED_ON: &str = "reap.zombie-handover";

/// The rules behind what is the matter.
pub(crate) fn rules(condition: Condition) -> &'static [&'static str] {
    match condition {
        Condition::Emptying => &["zap.invariant", "zap.stuck-immune"],
        Condition::Killed => &["zap.kills-all"],
        Condition::Headless => &["reap.init-mt"],
        Condition::Unreaped | Condition::Held | Condition::Nothing => &[],
    }
}

/// Whether somebody waits for this one.
pub(crate) fn waits_for(does: &Doing, pid: u32) -> bool {
    matches!(does, Doing::WaitsFor { whom, .. } if whom.pid == pid)
}

#[cfg(test)]
mod tests {
    use pidlab_scenario::{Scenario, library};

    use super::{HANDED_ON, KINDS, TOO_LATE, entry, rules};
    use crate::finding::{Condition, How};

    #[test]
    fn every_rule_is_in_the_catalogue_and_every_scenario_in_the_library_shows_one_of_them() {
        let ways = [
            How::Unreaped,
            How::Traced,
            How::HeldByTracer,
            How::ThreadsLeft { threads: Vec::new() },
            How::NestedInit,
            How::Uninterruptible { wchan: None },
            How::Frozen,
            How::Stopped,
            How::OwnGroup { group: 2 },
            How::PerhapsGroup { group: 2, others: Vec::new() },
        ];
        for how in ways {
            for (of_a_namespace, for_the_init) in [(false, false), (true, false), (true, true)] {
                let entry = entry(&how, of_a_namespace, for_the_init);
                for rule in entry.rules {
                    assert!(pidlab_sim::rule::find(rule).is_some(), "{rule}");
                }
                let Some(name) = entry.scenario else { continue };
                let file = library::find(name).unwrap_or_else(|| panic!("{name} is there"));
                let scenario = Scenario::parse(&file.name, &file.path, file.text).expect("it is well formed");
                assert!(scenario.rules.iter().any(|rule| rule == entry.rules[0]), "{name} for {how:?}");
            }
        }
        let of_conditions = [Condition::Emptying, Condition::Killed, Condition::Headless].map(rules).concat();
        for rule in [TOO_LATE, KINDS, HANDED_ON].iter().chain(&of_conditions) {
            assert!(pidlab_sim::rule::find(rule).is_some(), "{rule}");
        }
    }
}
