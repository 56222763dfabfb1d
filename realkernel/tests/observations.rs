//! Small scenarios, with everything that is seen of them written down by hand.

mod common;
#[path = "common/told.rs"]
mod told;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{CallName, Machine, Refusal, Role, State, Unmodelled};
use told::shows;

#[test]
fn an_orphan_is_adopted_by_the_init_of_its_namespace() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "mid" },
        { by = "mid", call = "fork", child = "leaf" },
        { by = "mid", call = "exit", status = 259 },
        { by = "leaf", call = "getppid" },
        { by = "init", call = "wait", pid = "any" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, mid+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, mid+3.2 init/1 0 0, leaf+4.3 mid/2 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, midZ3.2 init/1 0 0, leaf+4.3 init/1 0 0",
            "1 | host+1 -/0 1 1, init+2.1 host/0 0 0, midZ3.2 init/1 0 0, leaf+4.3 init/1 0 0",
            "2 mid exited 3 | host+1 -/0 1 1, init+2.1 host/0 0 0, leaf+4.3 init/1 0 0",
        ],
    );
}

/// A wait that has reaped is stopped on its way back: by then the child's number is another's, and it is the child that is meant.
#[test]
fn a_wait_can_return_long_after_it_has_reaped() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "b", exit_signal = "SIGSTOP" },
        { by = "a", call = "waitid", pid = "any", options = ["WEXITED", "__WALL"] },
        { by = "b", call = "exit", status = 7 },
        { by = "host", call = "clone", child = "c", set_tid = [3] },
        { by = "host", call = "kill", pid = "a", signal = "SIGCONT" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, b+3 a/2 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "never | host+1 -/0 1 1, a.2 host/1 1 1",
            "3 | host+1 -/0 1 1, a.2 host/1 1 1, c+3 host/1 1 1",
            "0; a waitid 3 b exited 7 | host+1 -/0 1 1, a+2 host/1 1 1, c+3 host/1 1 1",
        ],
    );
}

#[test]
fn a_wait_that_blocks_returns_steps_later() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "fork", child = "b" },
        { by = "a", call = "wait", pid = "any" },
        { by = "host", call = "getpid" },
        { by = "b", call = "getppid" },
        { by = "host", call = "kill", pid = "b", signal = "SIGTERM" },
        { by = "a", call = "getpid" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, b+3 a/2 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "1 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "2 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "0; a wait 3 b killed SIGTERM | host+1 -/0 1 1, a+2 host/1 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
        ],
    );
}

#[test]
fn an_init_stays_exiting_until_its_last_member_is_reaped_outside() {
    shows(
        r#"
        { by = "host", call = "unshare", flags = ["CLONE_NEWPID"] },
        { by = "host", call = "fork", child = "init" },
        { by = "host", call = "fork", child = "member" },
        { by = "init", call = "exit", status = 6 },
        { by = "host", call = "wait", pid = "init", options = ["WNOHANG"] },
        { by = "host", call = "wait", pid = "member" },
        { by = "host", call = "wait", pid = "init" },
        { by = "host", call = "fork", child = "late" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "0 | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0",
            "never | host+1 -/0 1 1, initX2.1 host/0 0 0, memberZ3.2 host/0 0 0",
            "0 | host+1 -/0 1 1, initX2.1 host/0 0 0, memberZ3.2 host/0 0 0",
            "3 member killed SIGKILL | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init exited 6 | host+1 -/0 1 1",
            "ENOMEM | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn an_init_stays_exiting_while_an_outsider_is_in_a_members_group() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "member" },
        { by = "member", call = "setpgid", pid = 0, group = 0 },
        { by = "host", call = "fork", child = "outsider" },
        { by = "outsider", call = "setpgid", pid = 0, group = "member" },
        { by = "init", call = "exit", status = 0 },
        { by = "outsider", call = "setpgid", pid = 0, group = 0 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 init/1 2 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 init/1 2 0, outsider+4 host/1 1 1",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 init/1 2 0, outsider+4 host/1 3 1",
            "never | host+1 -/0 1 1, initX2.1 host/0 0 0, outsider+4 host/1 3 1",
            "0 | host+1 -/0 1 1, initZ2.1 host/0 0 0, outsider+4 host/1 4 1",
        ],
    );
}

#[test]
fn who_stops_itself_returns_when_it_is_continued() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "kill", pid = "a", signal = "SIGSTOP" },
        { by = "host", call = "wait", pid = "any", options = ["WSTOPPED"] },
        { by = "host", call = "kill", pid = "a", signal = "SIGCONT" },
        { by = "host", call = "wait", pid = "any", options = ["WCONTINUED"] },
        { by = "host", call = "wait", pid = "any", options = ["WNOHANG"] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "blocks | host+1 -/0 1 1, a.2 host/1 1 1",
            "2 a stopped SIGSTOP | host+1 -/0 1 1, a.2 host/1 1 1",
            "0; a kill 0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "2 a continued | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
        ],
    );
}

#[test]
fn handlers_note_the_sender_and_end_a_wait() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "host", call = "kill", pid = "init", signal = "SIGUSR1" },
        { by = "init", call = "kill", pid = 1, signal = "SIGUSR1" },
        { by = "init", call = "fork", child = "a" },
        { by = "init", call = "wait", pid = "a" },
        { by = "a", call = "kill", pid = 1, signal = "SIGUSR1" },
        { by = "a", call = "kill", pid = 1, signal = "SIGKILL" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGUSR1<0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGUSR1<1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "blocks | host+1 -/0 1 1, init?2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0; init wait EINTR | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGUSR1<2, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
        ],
    );
}

#[test]
fn numbers_are_chosen_read_and_written() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"], set_tid = [1, 50] },
        { by = "init", call = "sysctl", name = "ns_last_pid" },
        { by = "init", call = "sysctl", name = "ns_last_pid", write = 6 },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "setsid" },
        { by = "a", call = "getsid", pid = 0 },
        { by = "host", call = "getpgid", pid = "a" },
        { by = "init", call = "clone", child = "b", set_tid = [7] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "50 | host+1 -/0 1 1, init+50.1 host/0 0 0",
            "-1 | host+1 -/0 1 1, init+50.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+50.1 host/0 0 0",
            "7 | host+1 -/0 1 1, init+50.1 host/0 0 0, a+2.7 init/1 0 0",
            "7 | host+1 -/0 1 1, init+50.1 host/0 0 0, a+2.7 init/1 7 7",
            "7 | host+1 -/0 1 1, init+50.1 host/0 0 0, a+2.7 init/1 7 7",
            "2 | host+1 -/0 1 1, init+50.1 host/0 0 0, a+2.7 init/1 7 7",
            "EEXIST | host+1 -/0 1 1, init+50.1 host/0 0 0, a+2.7 init/1 7 7",
        ],
    );
}

#[test]
fn setns_goes_by_file_or_by_pidfd() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "setns", to = "init", via = "pidfd" },
        { by = "a", call = "fork", child = "x" },
        { by = "a", call = "setns", to = "host" },
        { by = "init", call = "setns", to = "host" },
        { by = "x", call = "exit", status = 0 },
        { by = "a", call = "setns", to = "x" },
        { by = "a", call = "setns", to = "x", via = "pidfd" },
        { by = "a", call = "setns", to = "x", via = "ns/pid_for_children" },
        { by = "a", call = "wait", pid = "x" },
        { by = "a", call = "setns", to = "x" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, x+4.2 a/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, x+4.2 a/0 0 0",
            "EINVAL | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, x+4.2 a/0 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, xZ4.2 a/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, xZ4.2 a/0 0 0",
            "ESRCH | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, xZ4.2 a/0 0 0",
            "ENOENT | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1, xZ4.2 a/0 0 0",
            "4 x exited 0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1",
            "ENOENT | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3 host/1 1 1",
        ],
    );
}

#[test]
fn host_takes_everything_with_it() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "host", call = "exit", status = 0 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "never | hostZ1 -/0 1 1",
        ],
    );
}

#[test]
fn mistakes_of_a_scenario_end_its_run() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let mut why =
        |steps: &str| lab.run(&scenario(steps)).expect("the run comes to its end").refused.map(|refused| refused.why);
    let (a, init) = (Role(1), Role(1));
    let fork = r#"{ by = "host", call = "fork", child = "a" },"#;
    let unborn = r#"{ by = "host", call = "clone", child = "a", set_tid = [1] }, { by = "a", call = "getpid" }"#;
    assert_eq!(why(unborn), Some(Refusal::NotBorn { role: a }));
    let dead = format!(r#"{fork} {{ by = "a", call = "exit", status = 0 }}, {{ by = "a", call = "getpid" }}"#);
    assert_eq!(why(&dead), Some(Refusal::CannotAct { role: a, state: Some(State::Zombie) }));
    let blocked =
        format!(r#"{fork} {{ by = "host", call = "wait", pid = "any" }}, {{ by = "host", call = "getpid" }}"#);
    assert_eq!(why(&blocked), Some(Refusal::CannotAct { role: Role::HOST, state: Some(State::Blocked) }));
    let invisible = r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "kill", pid = "host", signal = "SIGTERM" }"#;
    assert_eq!(why(invisible), Some(Refusal::NoNumber { role: Role::HOST, caller: init }));
    let unknown = r#"{ by = "host", call = "setuid", uid = 7 }"#;
    assert_eq!(why(unknown), Some(Refusal::NotModelled { call: CallName::Setuid, what: Unmodelled::User(7) }));
}
