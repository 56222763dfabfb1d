//! What each step means to the kernel: one table, and the steps that no machine takes.
#![forbid(unsafe_code)]

use pidlab_scenario::syscall::{Roles, lower};
use pidlab_scenario::{Call, Fact, Refusal, Role, Scenario, State, Step};

/// Five processes with the numbers 1, 7, 8, 10 and 9. The third is a thread of the second and sleeps, the fourth sees nobody, and
/// the fifth is gone. A sixth could not be made.
struct Five {
    facts: bool,
}

const HOST: Role = Role(0);
const CHILD: Role = Role(1);
const THREAD: Role = Role(2);
const ELSEWHERE: Role = Role(3);
const GONE: Role = Role(4);

impl Roles for Five {
    fn is_born(&self, role: Role) -> bool {
        role <= GONE
    }

    fn state(&self, role: Role) -> Option<State> {
        (role < GONE).then_some(if role == THREAD { State::Blocked } else { State::Running })
    }

    fn number(&self, caller: Role, of: Role) -> Option<i32> {
        match of {
            _ if caller == ELSEWHERE => (of == ELSEWHERE).then_some(1),
            HOST => Some(1),
            CHILD => Some(7),
            THREAD => Some(8),
            GONE => Some(9),
            _ => Some(10),
        }
    }

    fn process_number(&self, caller: Role, of: Role) -> Option<i32> {
        self.number(caller, if of == THREAD { CHILD } else { of })
    }

    fn was_born_a_thread(&self, role: Role) -> bool {
        role == THREAD
    }

    fn levels_for_children(&self, _: Role) -> usize {
        1
    }

    fn is_traced(&self, _: Role) -> bool {
        false
    }

    fn is_among_threads(&self, _: Role, _: i32) -> bool {
        false
    }

    fn is_root(&self, role: Role) -> bool {
        role != CHILD
    }

    fn has_own_user_namespace(&self, role: Role) -> bool {
        role == CHILD
    }

    fn holds(&self, _: Fact) -> bool {
        self.facts
    }
}

/// The last step of a scenario in which the five have been made, lowered.
fn lowered(step: &str, facts: bool) -> String {
    let text = format!(
        r#"
title = "A claim"
steps = [
  {{ by = "host", call = "fork", child = "child" }},
  {{ by = "host", call = "fork", child = "thread" }},
  {{ by = "host", call = "fork", child = "elsewhere" }},
  {{ by = "host", call = "fork", child = "gone" }},
  {{ by = "host", call = "fork", child = "unborn" }},
  {step},
]
"#
    );
    let scenario = Scenario::parse("lower", "lower.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let last = scenario.steps.last().expect("there are steps");
    match lower(last, &Five { facts }) {
        Ok(syscall) => format!("{syscall:?}"),
        Err(refusal) => format!("refused: {refusal:?}"),
    }
}

#[test]
fn every_call_comes_to_a_system_call() {
    let steps = [
        r#"{ by = "host", call = "fork", child = "new" }"#,
        r#"{ by = "host", call = "vfork", child = "new" }"#,
        r#"{ by = "host", call = "clone", child = "new" }"#,
        r#"{ by = "host", call = "clone", child = "new", exit_signal = 0 }"#,
        r#"{ by = "host", call = "clone", child = "new", exit_signal = "SIGUSR1", set_tid = [3] }"#,
        r#"{ by = "host", call = "clone", child = "new", flags = ["CLONE_PARENT", "CLONE_NEWPID"], set_tid = [3, 4] }"#,
        r#"{ by = "host", call = "clone", child = "new", flags = ["CLONE_THREAD"] }"#,
        r#"{ by = "host", call = "failed_fork" }"#,
        r#"{ by = "host", call = "exit", status = 3 }"#,
        r#"{ by = "host", call = "exit_thread", status = 3 }"#,
        r#"{ by = "host", call = "exec" }"#,
        r#"{ by = "host", call = "wait", pid = "any" }"#,
        r#"{ by = "host", call = "wait", pid = "child", options = ["WNOHANG"] }"#,
        r#"{ by = "host", call = "wait", group = "own" }"#,
        r#"{ by = "host", call = "wait", group = "gone" }"#,
        r#"{ by = "host", call = "wait", pidfd = "child", options = ["WNOHANG"] }"#,
        r#"{ by = "host", call = "waitid", pidfd = "child", options = ["WNOHANG"] }"#,
        r#"{ by = "host", call = "waitid", group = "own", options = ["WEXITED"] }"#,
        r#"{ by = "host", call = "kill", pid = "gone", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "kill", pid = -1, signal = 0 }"#,
        r#"{ by = "host", call = "kill", group = "child", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "tgkill", pid = "child", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "tgkill", pid = "thread", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "tgkill", pid = 8, signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "sigqueue", pid = "child", signal = "SIGTERM", si_pid = 99 }"#,
        r#"{ by = "host", call = "tgkill", pid = "thread", tgid = "child", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "tgkill", pid = "child", tgid = "thread", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "tkill", pid = "thread", signal = 0 }"#,
        r#"{ by = "host", call = "tgsigqueueinfo", pid = "thread", signal = "SIGTERM", si_pid = 99, si_code = "SI_TKILL" }"#,
        r#"{ by = "host", call = "sigwait", signals = ["SIGTERM", 1] }"#,
        r#"{ by = "host", call = "sigtimedwait", signals = ["SIGTERM"] }"#,
        r#"{ by = "host", call = "signalfd", signals = ["SIGTERM"] }"#,
        r#"{ by = "host", call = "look", pid = "gone", via = "tid-words" }"#,
        r#"{ by = "host", call = "pidfd_open", pid = "child" }"#,
        r#"{ by = "host", call = "pidfd_send_signal", pid = "child", signal = "SIGTERM" }"#,
        r#"{ by = "host", call = "pidfd_send_signal", pidfd = "thread", signal = 0, flags = ["PIDFD_SIGNAL_PROCESS_GROUP"] }"#,
        r#"{ by = "host", call = "pidfd_poll", pid = "gone" }"#,
        r#"{ by = "host", call = "pidfd_poll", pidfd = "gone" }"#,
        r#"{ by = "host", call = "setns", pidfd = "elsewhere" }"#,
        r#"{ by = "host", call = "setns", pid = "child", via = "pidfd/pid_for_children" }"#,
        r#"{ by = "elsewhere", call = "look", pidfd = "host", via = "pidfd-exit" }"#,
        r#"{ by = "host", call = "pidfd_poll", pid = 9 }"#,
        r#"{ by = "host", call = "unshare" }"#,
        r#"{ by = "host", call = "setns", to = "elsewhere", via = "pidfd" }"#,
        r#"{ by = "host", call = "setpgid", pid = 0, group = "child" }"#,
        r#"{ by = "child", call = "sysctl", name = "max_pid_namespaces" }"#,
        r#"{ by = "host", call = "look", pid = "gone", via = "proc" }"#,
        r#"{ by = "elsewhere", call = "look", pid = "host", via = "proc" }"#,
        r#"{ by = "host", call = "look", pid = 0, via = "fdinfo" }"#,
        r#"{ by = "host", call = "look", pid = 9, via = "fdinfo" }"#,
        r#"{ by = "host", call = "look", pid = 9, via = "translate" }"#,
        r#"{ by = "host", call = "look", pid = 0, via = "credentials" }"#,
        r#"{ by = "host", call = "look", pid = "gone", via = "pidfd-info" }"#,
    ];
    let table: Vec<String> = steps.iter().map(|step| format!("{step}\n  {}", lowered(step, true))).collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn what_cannot_be_run_is_said_once() {
    let steps = [
        r#"{ by = "unborn", call = "getpid" }"#,
        r#"{ by = "thread", call = "getpid" }"#,
        r#"{ by = "gone", call = "getpid" }"#,
        r#"{ by = "host", call = "kill", pid = "unborn", signal = 0 }"#,
        r#"{ by = "host", call = "setns", to = "unborn" }"#,
        r#"{ by = "host", call = "look", pid = "unborn", via = "listing" }"#,
        r#"{ by = "elsewhere", call = "kill", pid = "child", signal = 0 }"#,
        r#"{ by = "elsewhere", call = "look", pid = "child", via = "pidfd-info" }"#,
        r#"{ by = "host", call = "pidfd_poll", pidfd = "thread" }"#,
        r#"{ by = "host", call = "look", pidfd = "child", via = "proc" }"#,
        r#"{ by = "host", call = "setns", pidfd = "child", via = "ns/uts" }"#,
        r#"{ by = "host", call = "look", pid = "thread", via = "credentials" }"#,
        r#"{ by = "host", call = "look", pid = 7, via = "credentials" }"#,
        r#"{ by = "host", call = "clone", child = "new", set_tid = [3, 4] }"#,
        r#"{ by = "host", call = "clone", child = "new", flags = ["CLONE_THREAD", "CLONE_VFORK"] }"#,
        r#"{ by = "host", call = "clone", child = "new", flags = ["CLONE_NEWUSER"] }"#,
        r#"{ by = "host", call = "unshare", flags = ["CLONE_NEWUSER"] }"#,
        r#"{ by = "host", call = "unshare", flags = ["CLONE_VM"] }"#,
        r#"{ by = "host", call = "setuid", uid = 7 }"#,
        r#"{ by = "child", call = "exec" }"#,
        r#"{ by = "host", call = "sysctl", name = "max_pid_namespaces" }"#,
    ];
    let table: Vec<String> = steps.iter().map(|step| format!("{step}\n  {}", lowered(step, false))).collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn nobody_is_born_twice() {
    for (child, refused) in [(GONE, true), (Role(5), false)] {
        let step = Step::new(HOST, Call::Fork { child });
        assert_eq!(lower(&step, &Five { facts: true }) == Err(Refusal::BornTwice { role: child }), refused);
    }
}
