//! vfork and CLONE_VFORK, with everything that is seen of them written down by hand.

mod common;
#[path = "common/told.rs"]
mod told;

use told::shows;

#[test]
fn the_caller_of_vfork_waits_until_the_child_ends() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "vfork", child = "b" },
        { by = "b", call = "getppid" },
        { by = "b", call = "vfork", child = "c" },
        { by = "c", call = "exit", status = 1 },
        { by = "b", call = "exit", status = 2 },
        { by = "a", call = "wait", pid = "any" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "2 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, b?3 a/2 1 1, c+4 b/3 1 1",
            "never; b vfork 4 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1, cZ4 b/3 1 1",
            "never; a vfork 3 | host+1 -/0 1 1, a+2 host/1 1 1, bZ3 a/2 1 1, cZ4 host/1 1 1",
            "3 b exited 2 | host+1 -/0 1 1, a+2 host/1 1 1, cZ4 host/1 1 1",
        ],
    );
}

#[test]
fn only_what_is_fatal_ends_a_vfork() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "a", call = "vfork", child = "b" },
        { by = "host", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "host", call = "kill", pid = "a", signal = "SIGSTOP" },
        { by = "host", call = "kill", pid = "a", signal = "SIGCONT" },
        { by = "b", call = "exit", status = 0 },
        { by = "a", call = "vfork", child = "c" },
        { by = "host", call = "kill", pid = "a", signal = "SIGSTOP" },
        { by = "c", call = "exit", status = 0 },
        { by = "host", call = "kill", pid = "a", signal = "SIGCONT" },
        { by = "a", call = "vfork", child = "d" },
        { by = "host", call = "kill", pid = "a", signal = "SIGTERM" },
        { by = "d", call = "getppid" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "0 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "0 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "0 | host+1 -/0 1 1, a?2 host/1 1 1, b+3 a/2 1 1",
            "never; a vfork 3 | host+1 -/0 1 1, a+2 host/1 1 1 SIGUSR1<1, bZ3 a/2 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, bZ3 a/2 1 1, c+4 a/2 1 1",
            "0 | host+1 -/0 1 1, a?2 host/1 1 1, bZ3 a/2 1 1, c+4 a/2 1 1",
            "never | host+1 -/0 1 1, a.2 host/1 1 1, bZ3 a/2 1 1, cZ4 a/2 1 1",
            "0; a vfork 4 | host+1 -/0 1 1, a+2 host/1 1 1, bZ3 a/2 1 1, cZ4 a/2 1 1",
            "blocks | host+1 -/0 1 1, a?2 host/1 1 1, bZ3 a/2 1 1, cZ4 a/2 1 1, d+5 a/2 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1, bZ3 host/1 1 1, cZ4 host/1 1 1, d+5 host/1 1 1",
            "1 | host+1 -/0 1 1, aZ2 host/1 1 1, bZ3 host/1 1 1, cZ4 host/1 1 1, d+5 host/1 1 1",
        ],
    );
}

#[test]
fn a_new_init_can_be_waited_for_in_vfork() {
    shows(
        r#"
        { by = "host", call = "unshare" },
        { by = "host", call = "fork", child = "init" },
        { by = "init", call = "clone", child = "inner", flags = ["CLONE_NEWPID", "CLONE_VFORK"], exit_signal = 0 },
        { by = "inner", call = "fork", child = "a" },
        { by = "a", call = "vfork", child = "b" },
        { by = "inner", call = "exit", status = 0 },
        { by = "init", call = "vfork", child = "c" },
        { by = "c", call = "vfork", child = "d" },
        { by = "host", call = "kill", pid = "init", signal = "SIGKILL" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "0 | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "blocks | host+1 -/0 1 1, init?2.1 host/0 0 0, inner+3.2.1 init/0 0 0",
            "2 | host+1 -/0 1 1, init?2.1 host/0 0 0, inner+3.2.1 init/0 0 0, a+4.3.2 inner/1 0 0",
            "blocks | host+1 -/0 1 1, init?2.1 host/0 0 0, inner+3.2.1 init/0 0 0, a?4.3.2 inner/1 0 0, b+5.4.3 a/2 0 0",
            "never; init clone 2 | host+1 -/0 1 1, init+2.1 host/0 0 0, innerZ3.2.1 init/0 0 0",
            "blocks | host+1 -/0 1 1, init?2.1 host/0 0 0, innerZ3.2.1 init/0 0 0, c+6.5 init/1 0 0",
            "blocks | host+1 -/0 1 1, init?2.1 host/0 0 0, innerZ3.2.1 init/0 0 0, c?6.5 init/1 0 0, d+7.6 c/5 0 0",
            "0 | host+1 -/0 1 1, initZ2.1 host/0 0 0",
        ],
    );
}

#[test]
fn the_caller_of_a_failed_vfork_goes_on() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "clone", child = "a", flags = ["CLONE_VFORK"], set_tid = [1] },
        { by = "host", call = "fork", child = "b" },
        { by = "b", call = "setns", to = "init" },
        { by = "init", call = "exit", status = 0 },
        { by = "b", call = "vfork", child = "c" },
        { by = "b", call = "getpid" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "EEXIST | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+3 host/1 1 1",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+3 host/1 1 1",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0, b+3 host/1 1 1",
            "ENOMEM | host+1 -/0 1 1, initZ2.1 host/0 0 0, b+3 host/1 1 1",
            "3 | host+1 -/0 1 1, initZ2.1 host/0 0 0, b+3 host/1 1 1",
        ],
    );
}
