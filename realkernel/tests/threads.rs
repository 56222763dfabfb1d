//! Threads and the flags of clone, with everything that is seen of them written down by hand.

mod common;
#[path = "common/told.rs"]
mod told;

use common::scenario;
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{CallName, ChildStatus, Handled, Harm, Machine, Refusal, Signal};
use told::shows;

#[test]
fn a_thread_is_shown_beside_its_leader_and_gone_when_it_ends() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "gettid" },
        { by = "t", call = "getpid" },
        { by = "t", call = "getppid" },
        { by = "t", call = "fork", child = "b" },
        { by = "b", call = "getppid" },
        { by = "t", call = "exit_thread", status = 4 },
        { by = "init", call = "clone", child = "c", set_tid = [3] },
        { by = "a", call = "wait", pid = "b", options = ["WNOHANG"] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "1 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0, b+5.4 a/2 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0, b+5.4 a/2 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, b+5.4 a/2 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, b+5.4 a/2 0 0, c+6.3 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, b+5.4 a/2 0 0, c+6.3 init/1 0 0",
        ],
    );
}

#[test]
fn a_leader_that_ends_first_stays_a_zombie_that_nobody_can_wait_for() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "a", call = "exit_thread", status = 5 },
        { by = "host", call = "wait", pid = "a", options = ["WNOHANG"] },
        { by = "host", call = "kill", pid = "a", signal = 0 },
        { by = "host", call = "kill", pid = "a", signal = "SIGSTOP" },
        { by = "host", call = "wait", pid = "a", options = ["WSTOPPED"] },
        { by = "host", call = "kill", pid = "a", signal = "SIGCONT" },
        { by = "t", call = "getpid" },
        { by = "host", call = "wait", pid = "a" },
        { by = "t", call = "exit_thread", status = 7 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "never | host+1 -/0 1 1, aZ2 host/1 1 1, t+3@a host/1 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1, t+3@a host/1 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1, t+3@a host/1 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1, t.3@a host/1 1 1",
            "2 a stopped SIGSTOP | host+1 -/0 1 1, aZ2 host/1 1 1, t.3@a host/1 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1, t+3@a host/1 1 1",
            "2 | host+1 -/0 1 1, aZ2 host/1 1 1, t+3@a host/1 1 1",
            "blocks | host?1 -/0 1 1, aZ2 host/1 1 1, t+3@a host/1 1 1",
            "never; host wait 2 a exited 7 | host+1 -/0 1 1",
        ],
    );
}

/// The thread that stops takes the signal itself. Where another one took it, the call might return before the stop or after.
#[test]
fn a_stop_stops_every_thread() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "clone", child = "u", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "fork", child = "b" },
        { by = "u", call = "wait", pid = "b" },
        { by = "t", call = "tgkill", pid = "t", signal = "SIGSTOP" },
        { by = "host", call = "kill", pid = "u", signal = "SIGCONT" },
        { by = "host", call = "kill", pid = "b", signal = "SIGTERM" },
        { by = "host", call = "tgkill", pid = "t", signal = "SIGTERM" },
        { by = "host", call = "wait", pid = "any" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u+4@a host/1 1 1",
            "5 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u+4@a host/1 1 1, b+5 a/2 1 1",
            "blocks | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u?4@a host/1 1 1, b+5 a/2 1 1",
            "blocks | host+1 -/0 1 1, a.2 host/1 1 1, t.3@a host/1 1 1, u.4@a host/1 1 1, b+5 a/2 1 1",
            "0; t tgkill 0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u?4@a host/1 1 1, b+5 a/2 1 1",
            "0; u wait 5 b killed SIGTERM | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, u+4@a host/1 1 1",
            "0 | host+1 -/0 1 1, aZ2 host/1 1 1",
            "2 a killed SIGTERM | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn the_last_thread_of_an_init_ends_its_namespace() {
    shows(
        r#"
        { by = "host", call = "unshare" },
        { by = "host", call = "fork", child = "init" },
        { by = "host", call = "fork", child = "member" },
        { by = "init", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "init", call = "fork", child = "a" },
        { by = "init", call = "exit_thread", status = 5 },
        { by = "a", call = "getppid" },
        { by = "t", call = "fork", child = "b" },
        { by = "t", call = "exit_thread", status = 7 },
        { by = "host", call = "wait", pid = "init", options = ["WNOHANG"] },
        { by = "host", call = "wait", pid = "member" },
        { by = "host", call = "wait", pid = "init" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "0 | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, a+5.4 init/1 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, a+5.4 init/1 0 0",
            "1 | host+1 -/0 1 1, initZ2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, a+5.4 init/1 0 0",
            "5 | host+1 -/0 1 1, initZ2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, a+5.4 init/1 0 0, b+6.5 init/1 0 0",
            "never | host+1 -/0 1 1, initX2.1 host/0 0 0, memberZ3.2 host/0 0 0",
            "0 | host+1 -/0 1 1, initX2.1 host/0 0 0, memberZ3.2 host/0 0 0",
            "3 member killed SIGKILL | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init exited 7 | host+1 -/0 1 1",
        ],
    );
}

/// Which of the threads is the last one, and waits for the member, is open, and with it whether t's number is free.
#[test]
fn an_init_with_many_threads_is_on_its_way_out_as_one() {
    shows(
        r#"
        { by = "host", call = "unshare" },
        { by = "host", call = "fork", child = "init" },
        { by = "host", call = "fork", child = "member" },
        { by = "init", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "init", call = "clone", child = "u", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "wait", pid = "any" },
        { by = "u", call = "fork", child = "a" },
        { by = "u", call = "wait", pid = "a" },
        { by = "host", call = "kill", pid = "init", signal = "SIGKILL" },
        { by = "host", call = "kill", pid = "init", signal = "SIGTERM" },
        { by = "host", call = "wait", pid = "member" },
        { by = "host", call = "wait", pid = "init" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "0 | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, u+5.4@init host/0 0 0",
            "ECHILD | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, u+5.4@init host/0 0 0",
            "5 | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, u+5.4@init host/0 0 0, a+6.5 init/1 0 0",
            "blocks | host+1 -/0 1 1, init+2.1 host/0 0 0, member+3.2 host/0 0 0, t+4.3@init host/0 0 0, u?5.4@init host/0 0 0, a+6.5 init/1 0 0",
            "0 | host+1 -/0 1 1, initX2.1 host/0 0 0, memberZ3.2 host/0 0 0",
            "0 | host+1 -/0 1 1, initX2.1 host/0 0 0, memberZ3.2 host/0 0 0",
            "3 member killed SIGKILL | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init killed SIGKILL | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn any_thread_ends_the_whole_process() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "a", call = "clone", child = "u", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "a", call = "fork", child = "b" },
        { by = "a", call = "wait", pid = "any" },
        { by = "u", call = "exit", status = 9 },
        { by = "init", call = "wait", pid = "any" },
        { by = "init", call = "clone", child = "v", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"], set_tid = [4, 5] },
        { by = "v", call = "exit", status = 3 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0, u+5.4@a init/1 0 0",
            "5 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0, u+5.4@a init/1 0 0, b+6.5 a/2 0 0",
            "blocks | host+1 -/0 1 1, init+2.1 host/0 0 0, a?3.2 init/1 0 0, t+4.3@a init/1 0 0, u+5.4@a init/1 0 0, b+6.5 a/2 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0, b+6.5 init/1 0 0",
            "2 a exited 9 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+6.5 init/1 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+6.5 init/1 0 0, v+5.4@init host/0 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0",
        ],
    );
}

#[test]
fn signals_reach_a_thread_or_its_process() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "init", call = "tgkill", pid = "t", signal = "SIGUSR1" },
        { by = "host", call = "tgkill", pid = "a", signal = "SIGUSR1" },
        { by = "init", call = "tgkill", pid = 3, signal = "SIGUSR1" },
        { by = "init", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "init", call = "kill", pid = "t", signal = "SIGUSR1" },
        { by = "init", call = "pidfd_open", pid = "t" },
        { by = "init", call = "wait", pid = "t", options = ["WNOHANG"] },
        { by = "t", call = "exit_thread", status = 0 },
        { by = "init", call = "tgkill", pid = "t", signal = 0 },
        { by = "init", call = "kill", pid = "t", signal = 0 },
        { by = "init", call = "tgkill", pid = 3, signal = 0 },
        { by = "init", call = "tgkill", pid = "a", signal = "SIGTERM" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0 SIGUSR1<1",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0 SIGUSR1<0, t+4.3@a init/1 0 0",
            "ESRCH | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0 SIGUSR1<1, t+4.3@a init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0 SIGUSR1<1",
            "ENOENT | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "ECHILD | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "ESRCH | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "ESRCH | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "ESRCH | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0",
        ],
    );
}

#[test]
fn a_thread_waits_for_its_own_children_first() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "a", call = "fork", child = "b" },
        { by = "t", call = "fork", child = "c" },
        { by = "a", call = "fork", child = "d" },
        { by = "b", call = "exit", status = 1 },
        { by = "t", call = "wait", pid = "any", options = ["WNOHANG", "__WNOTHREAD"] },
        { by = "t", call = "wait", pid = "b", options = ["__WNOTHREAD"] },
        { by = "c", call = "exit", status = 2 },
        { by = "t", call = "wait", pid = "any" },
        { by = "t", call = "wait", pid = "any" },
        { by = "t", call = "wait", pid = "any", options = ["__WNOTHREAD"] },
        { by = "t", call = "wait", pid = "any" },
        { by = "d", call = "exit", status = 3 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1",
            "5 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1, c+5 a/2 1 1",
            "6 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1, c+5 a/2 1 1, d+6 a/2 1 1",
            "never | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, bZ4 a/2 1 1, c+5 a/2 1 1, d+6 a/2 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, bZ4 a/2 1 1, c+5 a/2 1 1, d+6 a/2 1 1",
            "ECHILD | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, bZ4 a/2 1 1, c+5 a/2 1 1, d+6 a/2 1 1",
            "never | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, bZ4 a/2 1 1, cZ5 a/2 1 1, d+6 a/2 1 1",
            "5 c exited 2 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, bZ4 a/2 1 1, d+6 a/2 1 1",
            "4 b exited 1 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, d+6 a/2 1 1",
            "ECHILD | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, d+6 a/2 1 1",
            "blocks | host+1 -/0 1 1, a+2 host/1 1 1, t?3@a host/1 1 1, d+6 a/2 1 1",
            "never; t wait 6 d exited 3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
        ],
    );
}

#[test]
fn the_death_of_a_parent_is_that_of_a_thread() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "fork", child = "b" },
        { by = "b", call = "clone", child = "bt", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "b", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "bt", call = "set_pdeathsig", signal = "SIGUSR1" },
        { by = "t", call = "exit_thread", status = 0 },
        { by = "b", call = "getppid" },
        { by = "a", call = "exit", status = 0 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1",
            "5 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1, bt+5@b a/2 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1, bt+5@b a/2 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, b+4 a/2 1 1, bt+5@b a/2 1 1",
            "never | host+1 -/0 1 1, a+2 host/1 1 1, b+4 a/2 1 1, bt+5@b a/2 1 1 SIGUSR1<2",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1, b+4 a/2 1 1, bt+5@b a/2 1 1",
            "never | host+1 -/0 1 1, aZ2 host/1 1 1, b+4 host/1 1 1, bt+5@b host/1 1 1 SIGUSR1<2",
        ],
    );
}

#[test]
fn flags_that_do_not_go_together_are_refused_by_the_kernel() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "f1", flags = ["CLONE_THREAD"] },
        { by = "a", call = "clone", child = "f2", flags = ["CLONE_VM", "CLONE_THREAD"] },
        { by = "a", call = "clone", child = "f3", flags = ["CLONE_SIGHAND"] },
        { by = "a", call = "clone", child = "f4", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD", "CLONE_NEWPID"] },
        { by = "a", call = "clone", child = "f5", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"], exit_signal = "SIGCHLD" },
        { by = "a", call = "clone", child = "b", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD", "CLONE_PARENT", "CLONE_FS", "CLONE_FILES"] },
        { by = "a", call = "clone", child = "c", flags = ["CLONE_PARENT"] },
        { by = "b", call = "clone", child = "d", flags = ["CLONE_PARENT", "CLONE_FS", "CLONE_FILES", "CLONE_VM"] },
        { by = "a", call = "unshare" },
        { by = "a", call = "clone", child = "f6", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "b", call = "clone", child = "e", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "EINVAL | host+1 -/0 1 1, a+2 host/1 1 1",
            "EINVAL | host+1 -/0 1 1, a+2 host/1 1 1",
            "EINVAL | host+1 -/0 1 1, a+2 host/1 1 1",
            "EINVAL | host+1 -/0 1 1, a+2 host/1 1 1",
            "EINVAL | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, b+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, b+3@a host/1 1 1, c+4 host/1 1 1",
            "5 | host+1 -/0 1 1, a+2 host/1 1 1, b+3@a host/1 1 1, c+4 host/1 1 1, d+5 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, b+3@a host/1 1 1, c+4 host/1 1 1, d+5 host/1 1 1",
            "EINVAL | host+1 -/0 1 1, a+2 host/1 1 1, b+3@a host/1 1 1, c+4 host/1 1 1, d+5 host/1 1 1",
            "6 | host+1 -/0 1 1, a+2 host/1 1 1, b+3@a host/1 1 1, c+4 host/1 1 1, d+5 host/1 1 1, e+6@a host/1 1 1",
        ],
    );
}

#[test]
fn handlers_can_be_shared() {
    shows(
        r#"
        { by = "host", call = "clone", child = "a", flags = ["CLONE_VM", "CLONE_SIGHAND"] },
        { by = "a", call = "sigaction", signal = "SIGUSR1", action = "handle" },
        { by = "a", call = "kill", pid = "host", signal = "SIGUSR1" },
        { by = "a", call = "clone", child = "b", flags = ["CLONE_VM"] },
        { by = "b", call = "sigaction", signal = "SIGUSR1", action = "default" },
        { by = "b", call = "kill", pid = "a", signal = "SIGUSR1" },
        { by = "host", call = "clone", child = "init", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_NEWPID"] },
        { by = "init", call = "exit", status = 0 },
        { by = "a", call = "exit", status = 0 },
        { by = "host", call = "wait", pid = "any" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1",
            "0 | host+1 -/0 1 1 SIGUSR1<2, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, b+3 a/2 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, b+3 a/2 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1 SIGUSR1<3, b+3 a/2 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, b+3 a/2 1 1, init+4.1 host/0 0 0",
            "never | host+1 -/0 1 1, a+2 host/1 1 1, b+3 a/2 1 1",
            "never | host+1 -/0 1 1, b+3 host/1 1 1",
            "blocks | host?1 -/0 1 1, b+3 host/1 1 1",
        ],
    );
}

#[test]
fn each_thread_has_namespaces_for_children_of_its_own() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "unshare" },
        { by = "t", call = "fork", child = "init" },
        { by = "a", call = "fork", child = "b" },
        { by = "b", call = "setns", to = "t", via = "ns/pid_for_children" },
        { by = "b", call = "fork", child = "c" },
        { by = "b", call = "setns", to = "a", via = "ns/pid_for_children" },
        { by = "b", call = "setns", to = "t", via = "pidfd" },
        { by = "b", call = "fork", child = "d" },
        { by = "t", call = "setns", to = "t", via = "ns/pid" },
        { by = "t", call = "clone", child = "u", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "3 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1",
            "4 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0",
            "5 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1",
            "6 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1, c+6.2 b/0 0 0",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1, c+6.2 b/0 0 0",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1, c+6.2 b/0 0 0",
            "7 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1, c+6.2 b/0 0 0, d+7 b/5 1 1",
            "0 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1, c+6.2 b/0 0 0, d+7 b/5 1 1",
            "8 | host+1 -/0 1 1, a+2 host/1 1 1, t+3@a host/1 1 1, init+4.1 a/0 0 0, b+5 a/2 1 1, c+6.2 b/0 0 0, d+7 b/5 1 1, u+8@a host/1 1 1",
        ],
    );
}

#[test]
fn the_only_thread_ends_its_process() {
    shows(
        r#"
        { by = "host", call = "fork", child = "a" },
        { by = "a", call = "exit_thread", status = 3 },
        { by = "host", call = "wait", pid = "a" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "never | host+1 -/0 1 1, aZ2 host/1 1 1",
            "2 a exited 3 | host+1 -/0 1 1",
        ],
    );
}

/// What would make an init wait for ever is refused to its threads too: they act for the process.
#[test]
fn a_thread_cannot_make_its_init_undying() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let steps = r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "fork", child = "a" },
        { by = "a", call = "setpgid", pid = 0, group = 0 },
        { by = "t", call = "setpgid", pid = 0, group = "a" },
    "#;
    let refused = lab.run(&scenario(steps)).expect("the run comes to its end").refused.expect("it is refused");
    assert_eq!(refused.step, 5);
    assert_eq!(refused.why, Refusal::Harmful { call: CallName::Setpgid, harm: Harm::UndyingInit });
}

/// tgkill(2) has two numbers: a name gives those of the thread and of its process as they last were, a bare number is both. A
/// number that has become a thread of another process is not who was meant.
#[test]
fn a_thread_is_named_together_with_its_process() {
    shows(
        r#"
        { by = "host", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "host", call = "tgkill", pid = "t", signal = 0 },
        { by = "host", call = "tgkill", pid = 2, signal = 0 },
        { by = "t", call = "exit_thread", status = 0 },
        { by = "host", call = "fork", child = "p" },
        { by = "p", call = "clone", child = "u", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"], set_tid = [2] },
        { by = "host", call = "tgkill", pid = "t", signal = "SIGTERM" },
        { by = "host", call = "tgkill", pid = "u", signal = 0 },
        { by = "host", call = "tgkill", pid = 3, signal = 0 },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, t+2@host -/0 1 1",
            "0 | host+1 -/0 1 1, t+2@host -/0 1 1",
            "ESRCH | host+1 -/0 1 1, t+2@host -/0 1 1",
            "never | host+1 -/0 1 1",
            "3 | host+1 -/0 1 1, p+3 host/1 1 1",
            "2 | host+1 -/0 1 1, p+3 host/1 1 1, u+2@p host/1 1 1",
            "ESRCH | host+1 -/0 1 1, p+3 host/1 1 1, u+2@p host/1 1 1",
            "0 | host+1 -/0 1 1, p+3 host/1 1 1, u+2@p host/1 1 1",
            "0 | host+1 -/0 1 1, p+3 host/1 1 1, u+2@p host/1 1 1",
        ],
    );
}

/// Whose stop is not complete, because a thread cannot take part in it, is not continued for its parent either.
#[test]
fn continued_in_the_middle_of_a_stop() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let run = lab.run(&scenario(
        r#"
        { by = "host", call = "sigaction", signal = "SIGCHLD", action = "handle" },
        { by = "host", call = "fork", child = "c" },
        { by = "c", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "vfork", child = "v" },
        { by = "host", call = "kill", pid = "c", signal = "SIGSTOP" },
        { by = "host", call = "kill", pid = "c", signal = "SIGCONT" },
        "#,
    ));
    let run = run.expect("the run comes to its end");
    let handled = |step: usize| run.observations[step].processes[0].handled.clone();
    let told = Handled { signal: Signal::CHLD, si_pid: 2, child: Some(ChildStatus::Stopped(None)) };
    assert_eq!((handled(5), handled(6)), (vec![], vec![told]));
}
