//! A test that cannot be done here says so where it is seen, and fails where it was required.

mod common;

use std::env;
use std::process::{Command, Output};

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::Machine;

const NEEDS_A_LAB: &str = "a_test_that_needs_a_lab";

#[test]
fn a_test_that_needs_a_lab() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    lab.run(&scenario(r#"{ by = "host", call = "getpid" }"#)).expect("a run");
}

/// The test above, in a user namespace of its own that may make no namespaces.
fn where_nothing_can_run(required: bool) -> Output {
    let no_more = r#"for kind in user pid; do echo 0 > /proc/sys/user/max_${kind}_namespaces || exit; done; exec "$@""#;
    Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", no_more, "sh"])
        .arg(env::current_exe().expect("this program has a path"))
        .args(["--exact", NEEDS_A_LAB])
        .env("PIDLAB_REQUIRE_KERNEL", if required { "1" } else { "0" })
        .output()
        .expect("unshare(1) can be started")
}

#[test]
fn who_cannot_run_says_so_or_fails() {
    if Lab::or_skip(LabOptions::default().as_ordinary_user(true)).is_none() {
        return;
    }
    let skipped = where_nothing_can_run(false);
    assert!(skipped.status.success(), "{skipped:?}");
    let said = String::from_utf8_lossy(&skipped.stderr);
    assert!(said.contains(&format!("skipped: {NEEDS_A_LAB}: ")), "the harness keeps it: {skipped:?}");
    let required = where_nothing_can_run(true);
    assert!(!required.status.success() && !required.stdout.is_empty(), "{required:?}");
}
