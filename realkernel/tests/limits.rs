//! Limits that scenarios write are their own.

mod common;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions, skip};
use pidlab_scenario::{Fact, Machine, Outcome};

/// `pid_max` of this program's namespace.
fn pid_max() -> String {
    std::fs::read_to_string("/proc/sys/kernel/pid_max").expect("procfs is mounted")
}

/// The values are those that a conductor tells its namespace from a scenario's by, among others: it must never take one for the
/// other.
#[test]
fn any_pid_max_may_be_the_scenarios_own() {
    let values = [4_194_304, 4_194_303, 4_194_303, 4_194_302, 4_194_301, 4_194_303, 32_768, 4_194_302];
    let write = |value: &i64| format!("{{ by = \"host\", call = \"sysctl\", name = \"pid_max\", write = {value} }},\n");
    let read = "{ by = \"host\", call = \"sysctl\", name = \"pid_max\" },\n";
    let scenario = scenario(&values.iter().map(|value| write(value) + read).collect::<String>());
    for unprivileged in [false, true] {
        let Some(mut lab) = Lab::or_skip(LabOptions::default().as_ordinary_user(unprivileged)) else { continue };
        if !lab.kernel().facts.holds(Fact::PidMaxPerNamespace) {
            skip("this kernel has one pid_max for all");
            continue;
        }
        let before = pid_max();
        let run = lab.run(&scenario).expect("each write is let through");
        assert_eq!(run.refused, None);
        let gave: Vec<_> = run.observations.iter().skip(1).map(|observation| observation.outcome.clone()).collect();
        let expected: Vec<_> = values.iter().flat_map(|value| [0, *value].map(|n| Some(Outcome::Ok(n)))).collect();
        assert_eq!(gave, expected);
        assert_eq!(pid_max(), before, "the machine's own is another");
    }
}

/// Found without a scenario, and true in one.
#[test]
fn the_least_pid_max_is_what_the_kernel_takes() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let facts = lab.kernel().facts.clone();
    if !facts.holds(Fact::PidMaxPerNamespace) {
        skip("this kernel has one pid_max for all");
        return;
    }
    let write = |value: u32| format!("{{ by = \"host\", call = \"sysctl\", name = \"pid_max\", write = {value} }},\n");
    let least = facts.least_pid_max();
    let run = lab.run(&scenario(&(write(least) + &write(least - 1)))).expect("the run comes to its end");
    let gave: Vec<_> = run.observations.iter().skip(1).map(|observation| observation.outcome.clone()).collect();
    assert_eq!(gave[0], Some(Outcome::Ok(0)));
    assert!(matches!(gave[1], Some(Outcome::Err(_))), "{gave:?}");
}
