//! What a process sees of the others, written down by hand.

mod common;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions, skip};
use pidlab_scenario::{Errno, Fact, Machine, Outcome, PollEvent, Refusal, Run, Seen};

/// Both ways of a lab: as root, and as an ordinary user.
fn labs() -> Vec<Lab> {
    let user = LabOptions::default().as_ordinary_user(true);
    [LabOptions::default(), user].into_iter().filter_map(Lab::or_skip).collect()
}

/// Runs the steps, in every lab, and gives the outcomes of those that were not only there to prepare something.
fn outcomes(steps: &str) -> Vec<Vec<String>> {
    let scenario = scenario(steps);
    let said = |run: Run| {
        assert_eq!(run.refused, None);
        let outcomes = run.observations.into_iter().filter_map(|observation| observation.outcome);
        outcomes.filter(|outcome| !matches!(outcome, Outcome::Ok(_) | Outcome::Waited { .. })).map(told).collect()
    };
    labs().iter_mut().map(|lab| said(lab.run(&scenario).expect("the run comes to its end"))).collect()
}

/// Runs the steps in every lab and compares with what they must show.
#[track_caller]
fn shows(steps: &str, expected: &[&str]) {
    for said in outcomes(steps) {
        assert_eq!(said, expected);
    }
}

fn told(outcome: Outcome) -> String {
    let list = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    let translated = |result: Result<u32, Errno>| result.map_or_else(|errno| errno.to_string(), |n| n.to_string());
    match outcome {
        Outcome::Pending(signals) => {
            let signals: Vec<String> = signals.iter().map(ToString::to_string).collect();
            format!("pending {}", signals.join(" "))
        }
        Outcome::Polled(events) => {
            let events: Vec<String> = events.iter().map(ToString::to_string).collect();
            format!("polled {}", events.join(" "))
        }
        Outcome::Seen(Seen::Status { tgid, pid, ppid, tracer: 0, nstgid, nspid, nspgid, nssid }) => {
            let [nstgid, nspid, nspgid, nssid] = [nstgid, nspid, nspgid, nssid].map(|numbers| list(&numbers));
            format!("{tgid} {pid} {ppid} | {nstgid} | {nspid} | {nspgid} | {nssid}")
        }
        Outcome::Seen(Seen::Listing(numbers)) => format!("listing {}", list(&numbers)),
        Outcome::Seen(Seen::Fdinfo { pid, nspid }) => format!("fdinfo {pid} {nspid:?}"),
        Outcome::Seen(Seen::Translated { from, into }) => {
            format!("from {} into {}", translated(from), translated(into))
        }
        Outcome::Seen(Seen::Credentials { pid, uid }) => format!("credentials {pid} {uid}"),
        Outcome::Seen(Seen::Owner { pid }) => format!("owner {pid}"),
        Outcome::Seen(Seen::PidfdInfo { pid, tgid, ppid, mask }) => format!("info {pid} {tgid} {ppid} {mask}"),
        Outcome::Seen(Seen::PidfdExit { mask, status }) => format!("exit {status:?} {mask}"),
        Outcome::Seen(Seen::Procfs { listing, myself }) => format!("procfs {} self {myself}", list(&listing)),
        Outcome::Seen(Seen::LastPid(number)) => format!("last {number}"),
        Outcome::Err(errno) => errno.to_string(),
        Outcome::Never => "never".to_owned(),
        other => format!("{other:?}"),
    }
}

/// host 1, init 2.1, leaf 3.2, inner 4.3.1, deep 5.4.2, other 6.1.
const TREE: &str = r#"
    { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
    { by = "init", call = "fork", child = "leaf" },
    { by = "init", call = "clone", child = "inner", flags = ["CLONE_NEWPID"] },
    { by = "inner", call = "fork", child = "deep" },
    { by = "host", call = "clone", child = "other", flags = ["CLONE_NEWPID"] },
"#;

fn in_the_tree(steps: &str) -> String {
    format!("{TREE}{steps}")
}

#[test]
fn a_status_by_the_observers_numbers_and_from_its_level_inward() {
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pid = "deep", via = "proc" },
            { by = "init", call = "look", pid = "deep", via = "proc" },
            { by = "inner", call = "look", pid = "deep", via = "proc" },
            { by = "deep", call = "look", pid = 0, via = "proc" },
            { by = "inner", call = "look", pid = "inner", via = "proc" },
            { by = "init", call = "look", pid = "inner", via = "proc" },
            { by = "host", call = "look", pid = 0, via = "proc" },
            "#,
        ),
        &[
            "5 5 4 | 5.4.2 | 5.4.2 | 1.0.0 | 1.0.0",
            "4 4 3 | 4.2 | 4.2 | 0.0 | 0.0",
            "2 2 1 | 2 | 2 | 0 | 0",
            "2 2 1 | 2 | 2 | 0 | 0",
            // Its parent has no number in its own namespace.
            "1 1 0 | 1 | 1 | 0 | 0",
            "3 3 1 | 3.1 | 3.1 | 0.0 | 0.0",
            "1 1 0 | 1 | 1 | 1 | 1",
        ],
    );
}

#[test]
fn groups_and_sessions_show_where_they_have_a_number() {
    shows(
        &in_the_tree(
            r#"
            { by = "inner", call = "setsid" },
            { by = "leaf", call = "setpgid", pid = 0, group = 0 },
            { by = "host", call = "look", pid = "inner", via = "proc" },
            { by = "inner", call = "look", pid = "inner", via = "proc" },
            { by = "host", call = "look", pid = "leaf", via = "proc" },
            { by = "init", call = "look", pid = "leaf", via = "proc" },
            "#,
        ),
        &[
            "4 4 2 | 4.3.1 | 4.3.1 | 4.3.1 | 4.3.1",
            "1 1 0 | 1 | 1 | 1 | 1",
            "3 3 2 | 3.2 | 3.2 | 3.2 | 1.0",
            "2 2 1 | 2 | 2 | 2 | 0",
        ],
    );
}

#[test]
fn who_is_not_visible_has_no_status() {
    shows(
        &in_the_tree(
            r#"
            { by = "init", call = "look", pid = "host", via = "proc" },
            { by = "other", call = "look", pid = "leaf", via = "proc" },
            { by = "host", call = "look", pid = 7, via = "proc" },
            { by = "host", call = "look", pid = -1, via = "proc" },
            { by = "leaf", call = "exit", status = 3 },
            { by = "host", call = "look", pid = "leaf", via = "proc" },
            { by = "init", call = "wait", pid = "any" },
            { by = "host", call = "look", pid = "leaf", via = "proc" },
            "#,
        ),
        &["ENOENT", "ENOENT", "ENOENT", "ENOENT", "never", "3 3 2 | 3.2 | 3.2 | 1.0 | 1.0", "ENOENT"],
    );
}

#[test]
fn a_listing_holds_the_observers_namespace_and_those_below() {
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pid = 0, via = "listing" },
            { by = "leaf", call = "look", pid = 0, via = "listing" },
            { by = "inner", call = "look", pid = "host", via = "listing" },
            { by = "other", call = "look", pid = 0, via = "listing" },
            { by = "leaf", call = "exit", status = 0 },
            { by = "init", call = "look", pid = 0, via = "listing" },
            { by = "init", call = "wait", pid = "any" },
            { by = "init", call = "look", pid = 0, via = "listing" },
            "#,
        ),
        &[
            "listing 1.2.3.4.5.6",
            "listing 1.2.3.4",
            "listing 1.2",
            "listing 1",
            "never",
            "listing 1.2.3.4",
            "listing 1.3.4",
        ],
    );
}

#[test]
fn a_procfs_belongs_to_the_active_namespace_and_not_to_the_childrens() {
    shows(
        r#"
        { by = "host", call = "unshare" },
        { by = "host", call = "look", pid = 0, via = "listing" },
        { by = "host", call = "fork", child = "init" },
        { by = "host", call = "look", pid = 0, via = "listing" },
        { by = "host", call = "look", pid = "init", via = "proc" },
        "#,
        &["listing 1", "listing 1.2", "2 2 1 | 2.1 | 2.1 | 1.0 | 1.0"],
    );
}

#[test]
fn a_pidfds_fdinfo_by_who_reads_it() {
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "init", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "deep", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "other", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "deep", call = "look", pidfd = "host", via = "fdinfo" },
            { by = "inner", call = "look", pid = 2, via = "fdinfo" },
            { by = "inner", call = "look", pid = 9, via = "fdinfo" },
            { by = "deep", call = "exit", status = 0 },
            { by = "init", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "other", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "inner", call = "wait", pid = "any" },
            { by = "init", call = "look", pidfd = "deep", via = "fdinfo" },
            { by = "other", call = "look", pidfd = "deep", via = "fdinfo" },
            "#,
        ),
        &[
            "fdinfo 5 [5, 4, 2]",
            "fdinfo 4 [4, 2]",
            "fdinfo 2 [2]",
            "fdinfo 0 [0]",
            "fdinfo 0 [0]",
            "fdinfo 2 [2]",
            "ESRCH",
            "never",
            "fdinfo 4 [4, 2]",
            "fdinfo 0 [0]",
            "fdinfo -1 [-1]",
            "fdinfo -1 [-1]",
        ],
    );
}

#[test]
fn numbers_translated_both_ways() {
    let Some(first) = Lab::or_skip(LabOptions::default()) else { return };
    if !first.kernel().facts.holds(Fact::PidTranslation) {
        skip("this kernel has no translation ioctls");
        return;
    }
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pid = "deep", via = "translate" },
            { by = "init", call = "look", pid = "inner", via = "translate" },
            { by = "deep", call = "look", pid = "init", via = "translate" },
            { by = "leaf", call = "look", pid = "host", via = "translate" },
            { by = "other", call = "look", pid = "leaf", via = "translate" },
            { by = "inner", call = "look", pid = 0, via = "translate" },
            { by = "host", call = "look", pid = 3, via = "translate" },
            { by = "host", call = "look", pid = 9, via = "translate" },
            { by = "deep", call = "exit", status = 0 },
            { by = "init", call = "look", pid = "deep", via = "translate" },
            { by = "inner", call = "wait", pid = "any" },
            { by = "init", call = "look", pid = "deep", via = "translate" },
            "#,
        ),
        &[
            // Who is above has no number below.
            "from 5 into ESRCH",
            "from 3 into ESRCH",
            // Who is above is not visible below, but a number above can be asked for.
            "from ESRCH into 4",
            "from ESRCH into 3",
            "from ESRCH into ESRCH",
            "from 1 into 1",
            "from 3 into ESRCH",
            "ESRCH",
            "never",
            "from 4 into ESRCH",
            "ESRCH",
        ],
    );
}

#[test]
fn credentials_name_the_sender_by_the_receivers_numbers() {
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pid = "deep", via = "credentials" },
            { by = "init", call = "look", pid = "inner", via = "credentials" },
            { by = "inner", call = "look", pid = "init", via = "credentials" },
            { by = "other", call = "look", pid = "leaf", via = "credentials" },
            { by = "leaf", call = "look", pid = 0, via = "credentials" },
            "#,
        ),
        &["credentials 5 0", "credentials 3 0", "credentials 0 0", "credentials 0 0", "credentials 2 0"],
    );
}

#[test]
fn who_speaks_must_be_able_to() {
    let scenario = scenario(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "host", call = "kill", pid = "a", signal = "SIGSTOP" },
        { by = "host", call = "look", pid = "a", via = "credentials" },
        "#,
    );
    for mut lab in labs() {
        let run = lab.run(&scenario).expect("the run comes to its end");
        let refused = run.refused.expect("who is stopped cannot speak");
        assert_eq!(refused.step, 3);
        assert!(matches!(refused.why, Refusal::CannotAct { state: Some(_), .. }), "{refused:?}");
    }
}

#[test]
fn signals_wait_where_they_are_blocked() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "sigpending" },
        { by = "a", call = "sigprocmask", how = "block", signal = "SIGUSR1" },
        { by = "a", call = "sigprocmask", how = "block", signal = "SIGTERM" },
        { by = "a", call = "sigprocmask", how = "block", signal = "SIGRTMIN+3" },
        { by = "host", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "host", call = "tgkill", pid = "a", signal = "SIGTERM" },
        { by = "host", call = "kill", pid = "a", signal = "SIGRTMIN+3" },
        { by = "host", call = "kill", pid = "a", signal = "SIGCHLD" },
        { by = "a", call = "sigpending" },
        { by = "a", call = "fork", child = "b" },
        { by = "b", call = "sigpending" },
        { by = "a", call = "sigaction", signal = "SIGTERM", action = "ignore" },
        { by = "a", call = "sigpending" },
        { by = "host", call = "sigprocmask", how = "block", signal = "SIGSEGV" },
        { by = "host", call = "kill", pid = 1, signal = "SIGSEGV" },
        { by = "host", call = "kill", pid = 1, signal = "SIGKILL" },
        { by = "host", call = "sigpending" },
        { by = "host", call = "sigprocmask", how = "unblock", signal = "SIGSEGV" },
        { by = "host", call = "sigpending" },
        "#,
        &[
            "pending ",
            "pending SIGUSR1 SIGTERM SIGRTMIN+3",
            // A child begins with nothing pending.
            "pending ",
            // Ignoring a signal throws away what waits of it.
            "pending SIGUSR1 SIGRTMIN+3",
            "pending SIGSEGV",
            "pending ",
        ],
    );
}

#[test]
fn a_pidfd_tells_of_the_end_and_of_the_wait() {
    let steps = in_the_tree(
        r#"
        { by = "init", call = "pidfd_poll", pidfd = "leaf" },
        { by = "init", call = "pidfd_poll", pid = 2 },
        { by = "init", call = "pidfd_poll", pid = 99 },
        { by = "init", call = "pidfd_poll", pid = 0 },
        { by = "leaf", call = "exit", status = 0 },
        { by = "init", call = "pidfd_poll", pidfd = "leaf" },
        { by = "init", call = "pidfd_poll", pid = 2 },
        { by = "init", call = "wait", pid = "any" },
        { by = "init", call = "pidfd_poll", pid = 2 },
        { by = "init", call = "pidfd_poll", pidfd = "leaf" },
        { by = "other", call = "pidfd_poll", pidfd = "leaf" },
        "#,
    );
    for (mut lab, said) in labs().into_iter().zip(outcomes(&steps)) {
        let facts = &lab.kernel().facts;
        let reaped = if facts.holds(Fact::PidfdHangsUp) { "polled POLLIN POLLHUP" } else { "polled POLLIN" };
        let expected = [
            "polled ",
            "polled ",
            "ESRCH",
            "EINVAL",
            "never",
            "polled POLLIN",
            "polled POLLIN",
            "ESRCH",
            reaped,
            reaped,
        ];
        assert_eq!(said, expected);
        // What is polled is never how many are ready.
        let run = lab.run(&scenario(&steps)).expect("the run comes to its end");
        let polled = run.observations.into_iter().filter_map(|seen| seen.outcome);
        assert!(polled.into_iter().any(|outcome| outcome == Outcome::Polled(vec![PollEvent::In])));
    }
}

/// A number that nobody has must not be taken for one of the processes that have no number here.
#[test]
fn a_number_that_is_nobodys_leads_to_no_namespace() {
    shows(
        &in_the_tree(
            r#"
            { by = "deep", call = "look", pid = -2, via = "translate" },
            { by = "deep", call = "look", pid = 9, via = "translate" },
            { by = "deep", call = "look", pid = -2, via = "proc" },
            { by = "deep", call = "look", pid = -2, via = "fdinfo" },
            "#,
        ),
        &["ESRCH", "ESRCH", "ENOENT", "EINVAL"],
    );
}

#[test]
fn sockets_and_files_tell_whose_they_are() {
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pid = "deep", via = "peercred" },
            { by = "inner", call = "look", pid = "deep", via = "peercred" },
            { by = "deep", call = "look", pid = "host", via = "peercred" },
            { by = "other", call = "look", pid = "deep", via = "peercred" },
            { by = "init", call = "look", pid = "deep", via = "file-owner" },
            { by = "deep", call = "look", pid = "leaf", via = "file-owner" },
            { by = "leaf", call = "look", pid = 0, via = "file-owner" },
            { by = "leaf", call = "exec" },
            { by = "init", call = "look", pid = "leaf", via = "peercred" },
            { by = "leaf", call = "look", pid = "deep", via = "file-owner" },
            "#,
        ),
        &[
            "credentials 5 0",
            "credentials 2 0",
            "credentials 0 0",
            "credentials 0 0",
            "owner 4",
            "owner 0",
            "owner 2",
            "credentials 2 0",
            "owner 4",
        ],
    );
}

#[test]
fn a_pidfd_tells_only_those_above() {
    let Some(kernel) = Lab::or_skip(LabOptions::default()).map(|lab| lab.kernel().clone()) else { return };
    if !kernel.facts.holds(Fact::PidfdInfo) || !kernel.facts.holds(Fact::PidfdInfoIsRemote) {
        skip("this kernel's pidfds do not say who is remote");
        return;
    }
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pidfd = "deep", via = "pidfd-info" },
            { by = "inner", call = "look", pidfd = "deep", via = "pidfd-info" },
            { by = "inner", call = "look", pidfd = "inner", via = "pidfd-info" },
            { by = "deep", call = "look", pidfd = "init", via = "pidfd-info" },
            { by = "other", call = "look", pidfd = "deep", via = "pidfd-info" },
            { by = "other", call = "look", pidfd = "deep", via = "pidfd-signal" },
            { by = "deep", call = "exit" },
            { by = "init", call = "look", pidfd = "deep", via = "pidfd-info" },
            { by = "inner", call = "wait", pid = "deep" },
            { by = "init", call = "look", pidfd = "deep", via = "pidfd-info" },
            { by = "init", call = "look", pidfd = "deep", via = "pidfd-signal" },
            "#,
        ),
        &[
            "info 5 5 4 3",
            "info 2 2 1 3",
            "info 1 1 0 3",
            "EREMOTE",
            "EREMOTE",
            "EINVAL",
            "never",
            "info 4 4 3 3",
            "ESRCH",
            "ESRCH",
        ],
    );
}

#[test]
fn namespaces_are_climbed_from_above_only() {
    shows(
        &in_the_tree(
            r#"
            { by = "inner", call = "look", pid = "deep", via = "ns-parent" },
            { by = "leaf", call = "look", pid = "init", via = "ns-parent" },
            { by = "other", call = "look", pid = "deep", via = "ns-parent" },
            { by = "init", call = "look", pid = 77, via = "ns-parent" },
            { by = "init", call = "look", via = "loadavg" },
            { by = "host", call = "look", via = "loadavg" },
            { by = "host", call = "look", pid = 77, via = "ns-file" },
            "#,
        ),
        &["EPERM", "EPERM", "EPERM", "ESRCH", "last 4", "last 6", "ENOENT"],
    );
}

#[test]
fn a_procfs_of_a_namespace_below() {
    let Some(kernel) = Lab::or_skip(LabOptions::default()).map(|lab| lab.kernel().clone()) else { return };
    if !kernel.facts.holds(Fact::ProcfsPidns) {
        skip("this kernel's procfs has no option pidns");
        return;
    }
    shows(
        &in_the_tree(
            r#"
            { by = "host", call = "look", pid = "deep", via = "their-procfs" },
            { by = "init", call = "look", pid = "leaf", via = "their-procfs" },
            { by = "inner", call = "look", pid = "leaf", via = "their-procfs" },
            { by = "other", call = "look", pid = "deep", via = "their-procfs" },
            "#,
        ),
        &["procfs 1.2 self 0", "procfs 1.2.3.4 self 1", "EINVAL", "EINVAL"],
    );
}
