//! Users and user namespaces, with everything that is seen of them written down by hand.

mod common;
#[path = "common/told.rs"]
mod told;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions, cannot_run};
use pidlab_scenario::{CallName, Errno, Fact, Machine, Outcome, Refusal, Unmodelled};
use told::shows;

/// What each step gave, in a lab that has a second user.
fn outcomes(steps: &str) -> Option<Vec<Outcome>> {
    let mut lab = Lab::or_skip(LabOptions::default())?;
    if !lab.kernel().facts.holds(Fact::AnotherUser) {
        cannot_run("there is no second user");
        return None;
    }
    let run = lab.run(&scenario(steps)).expect("the run comes to its end");
    assert_eq!(run.refused, None);
    Some(run.observations.into_iter().filter_map(|observation| observation.outcome).collect())
}

const OK: Outcome = Outcome::Ok(0);
const EPERM: Outcome = Outcome::Err(Errno::EPERM);
const EACCES: Outcome = Outcome::Err(Errno::EACCES);

#[test]
fn a_user_namespace_gives_power_inside_and_none_outside() {
    shows(
        r#"
        { by = "host", call = "clone", child = "guest", flags = ["CLONE_NEWUSER"] },
        { by = "guest", call = "sysctl", name = "ns_last_pid", write = 50 },
        { by = "guest", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "sysctl", name = "ns_last_pid", write = 50 },
        { by = "init", call = "fork", child = "a" },
        { by = "guest", call = "unshare", flags = ["CLONE_NEWUSER"] },
        { by = "guest", call = "setuid", uid = 0 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, guest+2 host/1 1 1",
            "EPERM | host+1 -/0 1 1, guest+2 host/1 1 1",
            "3 | host+1 -/0 1 1, guest+2 host/1 1 1, init+3.1 guest/0 0 0",
            "0 | host+1 -/0 1 1, guest+2 host/1 1 1, init+3.1 guest/0 0 0",
            "51 | host+1 -/0 1 1, guest+2 host/1 1 1, init+3.1 guest/0 0 0, a+4.51 init/1 0 0",
            "EPERM | host+1 -/0 1 1, guest+2 host/1 1 1, init+3.1 guest/0 0 0, a+4.51 init/1 0 0",
            "EINVAL | host+1 -/0 1 1, guest+2 host/1 1 1, init+3.1 guest/0 0 0, a+4.51 init/1 0 0",
        ],
    );
}

#[test]
fn a_second_user_is_refused_in_the_kernels_order() {
    let steps = r#"
        { by = "host", call = "fork", child = "user" },
        { by = "host", call = "fork", child = "root" },
        { by = "user", call = "setuid", uid = 1000 },
        { by = "user", call = "setuid", uid = 0 },
        { by = "user", call = "unshare", flags = ["CLONE_NEWPID"] },
        { by = "user", call = "setns", to = "root" },
        { by = "user", call = "setns", to = "root", via = "pidfd" },
        { by = "user", call = "setns", to = "user" },
        { by = "user", call = "kill", pid = "root", signal = 0 },
        { by = "user", call = "kill", pid = "root", signal = "SIGCONT" },
        { by = "user", call = "reboot", how = "restart" },
        { by = "user", call = "clone", child = "init", flags = ["CLONE_NEWUSER", "CLONE_NEWPID"] },
        { by = "root", call = "kill", pid = "user", signal = "SIGTERM" },
        "#;
    let Some(gave) = outcomes(steps) else { return };
    let [two, three, four] = [2, 3, 4].map(Outcome::Ok);
    assert_eq!(gave, [two, three, OK, EPERM, EPERM, EACCES, EPERM, EPERM, EPERM, OK, EPERM, four, OK]);
}

#[test]
fn what_is_the_machines_is_left_alone() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let mut refused = |steps: &str| lab.run(&scenario(steps)).expect("the run ends").refused.map(|refused| refused.why);
    for write in ["", ", write = 7"] {
        let step = format!(r#"{{ by = "host", call = "sysctl", name = "max_pid_namespaces"{write} }}"#);
        let what = Unmodelled::MachinesPidNamespaceLimit;
        assert_eq!(refused(&step), Some(Refusal::NotModelled { call: CallName::Sysctl, what }));
    }
    let own = r#"
        { by = "host", call = "clone", child = "guest", flags = ["CLONE_NEWUSER"] },
        { by = "guest", call = "sysctl", name = "max_pid_namespaces", write = 7 }"#;
    assert_eq!(refused(own), None);
}
