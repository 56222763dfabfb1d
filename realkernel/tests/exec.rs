//! New programs, with everything that is seen of them written down by hand.

mod common;
#[path = "common/told.rs"]
mod told;

use told::shows;

const THREAD: &str = r#"flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"]"#;

#[test]
fn a_new_program_is_the_same_process() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "init", call = "exec" },
        { by = "init", call = "getpid" },
        { by = "init", call = "fork", child = "b" },
        { by = "a", call = "kill", pid = 1, signal = "SIGKILL" },
        { by = "a", call = "exit", status = 3 },
        { by = "init", call = "wait", pid = "any" },
        { by = "host", call = "kill", pid = "init", signal = "SIGKILL" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "1 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, b+4.3 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, b+4.3 init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0, b+4.3 init/1 0 0",
            "2 a exited 3 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+4.3 init/1 0 0",
            "0 | host+1 -/0 1 1, initZ2.1 host/0 0 0",
        ],
    );
}

#[test]
fn handlers_go_and_what_is_ignored_stays() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "a", call = "sigaction", signal = "SIGTERM", action = "ignore" },
        { by = "host", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "a", call = "exec" },
        { by = "host", call = "kill", pid = "a", signal = "SIGTERM" },
        { by = "host", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "host", call = "wait", pid = "a" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1 SIGUSR1<1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1",
            "2 a killed SIGUSR1 | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn a_thread_that_execs_gets_the_leaders_number_and_is_alone() {
    shows(
        &format!(
            r#"
        {{ by = "host", call = "fork", child = "a" }},
        {{ by = "a", call = "clone", child = "t", {THREAD} }},
        {{ by = "a", call = "clone", child = "u", {THREAD} }},
        {{ by = "t", call = "fork", child = "kid" }},
        {{ by = "t", call = "exec" }},
        {{ by = "t", call = "gettid" }},
        {{ by = "kid", call = "exit", status = 2 }},
        {{ by = "t", call = "wait", pid = "any" }},
        {{ by = "t", call = "exit", status = 4 }},
        {{ by = "host", call = "wait", pid = "any" }},
        "#
        ),
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u+4@a host/1 1 1",
            "5 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u+4@a host/1 1 1, kid+5 a/2 1 1",
            // The leader and the other thread are gone, and t stands for the process.
            "0 | host+1 -/0 1 1, t+2 host/1 1 1, kid+5 t/2 1 1",
            "2 | host+1 -/0 1 1, t+2 host/1 1 1, kid+5 t/2 1 1",
            "never | host+1 -/0 1 1, t+2 host/1 1 1, kidZ5 t/2 1 1",
            "5 kid exited 2 | host+1 -/0 1 1, t+2 host/1 1 1",
            "never | host+1 -/0 1 1, tZ2 host/1 1 1",
            "2 t exited 4 | host+1 -/0 1 1",
        ],
    );
}

/// Descriptors must reach a process whose table of files is its own.
#[test]
fn a_new_program_finds_pidfds_and_namespaces() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "host", call = "exec" },
        { by = "host", call = "setns", to = "init", via = "pidfd" },
        { by = "host", call = "fork", child = "guest" },
        { by = "guest", call = "getpid" },
        { by = "init", call = "exit", status = 0 },
        { by = "host", call = "waitid", pidfd = "guest", options = ["WEXITED"] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, guest+3.2 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, guest+3.2 host/0 0 0",
            // init waits until host has reaped guest.
            "never | host+1 -/0 1 1, initX2.1 host/0 0 0, guestZ3.2 host/0 0 0",
            "3 guest killed SIGKILL | host+1 -/0 1 1, initZ2.1 host/0 0 0",
        ],
    );
}

/// A wait that began before an exec by a thread returns the role that stands for the process then.
#[test]
fn a_wait_from_before_an_exec_finds_whose_process_it_is() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "host", call = "wait", pid = "a" },
        { by = "t", call = "exec" },
        { by = "t", call = "exit", status = 5 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "blocks | host?1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "0 | host?1 -/0 1 1, t+2 host/1 1 1",
            "never; host wait 2 t exited 5 | host+1 -/0 1 1",
        ],
    );
}

/// The conductor finds its children, and what it says, through its process: before Linux 6.9 a thread has no pidfd of its own.
#[test]
fn a_thread_of_a_new_program_makes_processes() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "exec" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "fork", child = "b" },
        { by = "t", call = "look", pid = "t", via = "peercred" },
        { by = "host", call = "look", pid = "t", via = "peercred" },
        { by = "t", call = "vfork", child = "v" },
        { by = "v", call = "exec" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1",
            "Seen(Credentials { pid: 2, uid: 0 }) | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1",
            "Seen(Credentials { pid: 2, uid: 0 }) | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1",
            "blocks | host+1 -/0 1 1, a+2 host/1 1 1, t?3@a host/1 1 1, b+4 a/2 1 1, v+5 a/2 1 1",
            "0; t vfork 5 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1, v+5 a/2 1 1",
        ],
    );
}

/// A signal that no other thread had taken is taken behind the exec, before the new program's first instruction.
#[test]
fn who_execs_can_be_stopped_or_killed_before_its_program_begins() {
    let steps = |signal: &str| {
        format!(
            r#"
        {{ by = "host", call = "fork", child = "a" }},
        {{ by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] }},
        {{ by = "a", call = "vfork", child = "v" }},
        {{ by = "host", call = "kill", pid = "a", signal = "{signal}" }},
        {{ by = "t", call = "exec" }},
        {{ by = "host", call = "kill", pid = "t", signal = "SIGCONT" }},
        "#
        )
    };
    let before = [
        "start | host+1 -/0 1 1",
        "2 | host+1 -/0 1 1, a+2 host/1 1 1",
        "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
        "blocks | host+1 -/0 1 1, a?2 host/1 1 1, t+3@a host/1 1 1, v+4 a/2 1 1",
        "0 | host+1 -/0 1 1, a?2 host/1 1 1, t+3@a host/1 1 1, v+4 a/2 1 1",
    ];
    let stopped = [
        "blocks | host+1 -/0 1 1, t.2 host/1 1 1, v+4 t/2 1 1",
        "0; t exec 0 | host+1 -/0 1 1, t+2 host/1 1 1, v+4 t/2 1 1",
    ];
    shows(&steps("SIGSTOP"), &[&before[..], &stopped].concat());
    let killed = [
        "never | host+1 -/0 1 1, tZ2 host/1 1 1, v+4 host/1 1 1",
        "0 | host+1 -/0 1 1, tZ2 host/1 1 1, v+4 host/1 1 1",
    ];
    shows(&steps("SIGXFSZ"), &[&before[..], &killed].concat());
}
