//! Logs in which processes are other users' than root's: what they were not permitted is judged as far as it is known who they are.

use pidlab_judge::{Finding, Log, Options, Verdict, judge};

fn judged(text: &str) -> Verdict {
    judge(&Log::read(text, false).expect("it is a log"), &Options::default()).expect("it is whole")
}

fn is_accepted(text: &str) -> bool {
    let verdict = judged(text);
    match verdict.finding {
        Finding::Accepted => true,
        Finding::Refuted(_) => false,
        Finding::NotDecided { .. } => panic!("{verdict:#?}"),
    }
}

const REFUSED: &str = "-1 EPERM (Operation not permitted)";

/// A process that makes these calls, and what `pidlab record` wrote before.
fn log(header: &str, calls: &[&str]) -> String {
    let header = if header.is_empty() { String::new() } else { format!("# pidlab record: tracer=40 {header}\n") };
    let calls: String = calls.iter().map(|call| format!("41 {call}\n")).collect();
    format!(
        "{header}41 execve(\"/bin/sh\", [\"sh\"], 0x1 /* 0 vars */) = 0\n{calls}41 exit_group(0) = ?\n41 +++ exited with 0 +++\n"
    )
}

#[test]
fn who_recorded_it_is_in_its_first_line() {
    let kill = |header: &str, gives: &str| is_accepted(&log(header, &[&format!("kill(1, 0) = {gives}")]));
    for (header, is_root) in [
        ("", true),
        ("pgid=40 sid=40", true),
        ("uid=0 gid=0", true),
        ("uid=0 gid=0 capeff=1ffffffffff", true),
        ("uid=1000 gid=1000 capeff=0", false),
        ("uid=1000", false),
    ] {
        assert_eq!((kill(header, "0"), kill(header, REFUSED)), (is_root, !is_root), "{header}");
    }
    // Some capabilities and others not, or a mixture of users: then it may be either.
    for header in ["uid=0 gid=0 capeff=20", "uid=1000 gid=1000 capeff=20", "uid=1000,0,0 gid=0 capeff=1ffffffffff"] {
        assert!(kill(header, "0") && kill(header, REFUSED), "{header}");
        let verdict = judged(&log(header, &[&format!("kill(1, 0) = {REFUSED}")]));
        assert_eq!(verdict.not_judged.get("kill"), Some(&1), "{header}: {verdict:#?}");
    }
}

#[test]
fn a_user_is_followed_from_call_to_call() {
    let after = |calls: &[&str]| {
        let with = |gives: &str| {
            let kill = format!("kill(1, 0) = {gives}");
            is_accepted(&log("", &[calls, &[&kill]].concat()))
        };
        (with("0"), with(REFUSED))
    };
    let (root, another, either) = ((true, false), (false, true), (true, true));
    let exec = "execve(\"/bin/true\", [\"true\"], 0x1 /* 0 vars */) = 0";
    assert_eq!(after(&[]), root);
    assert_eq!(after(&["setuid(0) = 0"]), root);
    assert_eq!(after(&["setuid(1000) = 0"]), another);
    assert_eq!(after(&["setuid(1000) = 0", "setuid(1000) = 0", exec]), another);
    assert_eq!(after(&["setresuid(65534, 65534, 65534) = 0", exec]), another);
    assert_eq!(after(&["setresuid(-1, 1000, -1) = 0"]), either);
    assert_eq!(after(&["setresuid(-1, 1000, -1) = 0", "setresuid(-1, 0, -1) = 0"]), root);
    assert_eq!(after(&["prctl(PR_SET_KEEPCAPS, 1) = 0", "setuid(1000) = 0"]), either);
    assert_eq!(after(&["prctl(PR_SET_KEEPCAPS, 1) = 0", "setuid(1000) = 0", exec]), another);
    // And nobody comes back from there.
    assert!(is_accepted(&log("", &["setuid(1000) = 0", &format!("setuid(0) = {REFUSED}")])));
    assert!(!is_accepted(&log("", &["setuid(1000) = 0", "setuid(0) = 0", "kill(1, 0) = 0"])));
    assert!(!is_accepted(&log("", &[&format!("setuid(1000) = {REFUSED}")])));
}

/// Two children of root, one of each user; the second tries this.
fn two(call: &str, more: &str) -> String {
    format!(
        "\
41 execve(\"/bin/sh\", [\"sh\"], 0x1 /* 0 vars */) = 0
41 fork() = 42
42 setuid(1000) = 0
41 fork() = 43
43 setuid(1001) = 0
43 {call}
{more}43 exit_group(0) = ?
43 +++ exited with 0 +++
42 exit_group(0) = ?
42 +++ exited with 0 +++
41 --- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=43, si_uid=1001, si_status=0}} ---
41 --- SIGCHLD {{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=1000, si_status=0}} ---
41 exit_group(0) = ?
41 +++ exited with 0 +++
"
    )
}

#[test]
fn one_user_may_not_signal_another() {
    let with = |call: &str| is_accepted(&two(call, ""));
    assert!(with(&format!("kill(42, SIGTERM) = {REFUSED}")) && with("kill(43, 0) = 0"));
    assert!(!with("kill(42, 0) = 0") && !with(&format!("kill(43, 0) = {REFUSED}")));
    assert!(!is_accepted(&two("setresuid(1000, 1000, 1000) = 0", "43 kill(42, 0) = 0\n")));
}

#[test]
fn nobody_in_a_log_has_a_second_tracer() {
    let with = |call: &str| is_accepted(&two(call, ""));
    for request in ["PTRACE_TRACEME", "PTRACE_ATTACH, 42", "PTRACE_SEIZE, 42, NULL, 0"] {
        assert!(with(&format!("ptrace({request}) = {REFUSED}")), "{request}");
        assert!(!with(&format!("ptrace({request}) = 0")), "{request}");
    }
    assert!(with("ptrace(PTRACE_CONT, 42, NULL, 0) = -1 ESRCH (No such process)"));
    assert!(!with("ptrace(PTRACE_CONT, 42, NULL, 0) = 0"));
    // Of others than those in the log nothing is known.
    assert!(with("ptrace(PTRACE_ATTACH, 7) = 0"));
    assert!(with("ptrace(PTRACE_SEIZE, 42, NULL, 0x80000000) = -1 EIO (Input/output error)"));
}
