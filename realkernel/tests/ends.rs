//! Ends that nobody asked for by exit or kill, with everything that is seen of them written down by hand.

mod common;
#[path = "common/told.rs"]
mod told;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use pidlab_realkernel::skip;
use told::shows;

#[test]
fn a_fault_kills_unless_it_is_handled() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "sigaction", signal = "SIGSEGV", action = "handle" },
        { by = "init", call = "fault" },
        { by = "init", call = "kill", pid = 1, signal = "SIGSEGV" },
        { by = "init", call = "fault" },
        { by = "init", call = "clone", child = "a", exit_signal = "SIGSEGV" },
        { by = "a", call = "sigaction", signal = "SIGSEGV", action = "default" },
        { by = "a", call = "fault" },
        { by = "init", call = "wait", pid = "a", options = ["__WALL"] },
        { by = "init", call = "sigprocmask", how = "block", signal = "SIGSEGV" },
        { by = "init", call = "fault" },
        { by = "host", call = "wait", pid = "any" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGSEGV<0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGSEGV<1",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGSEGV<0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0 SIGSEGV<2, aZ3.2 init/1 0 0",
            "2 a killed SIGSEGV | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init killed SIGSEGV | host+1 -/0 1 1",
        ],
    );
}

/// The end of a child may be told by the signal of a fault, with the code of a fault.
#[test]
fn an_exit_signal_is_no_fault() {
    shows(
        r#"
        { by = "host", call = "sigaction", signal = "SIGSEGV", action = "handle" },
        { by = "host", call = "clone", child = "a", exit_signal = "SIGSEGV" },
        { by = "a", call = "exit", status = 1 },
        { by = "host", call = "fault" },
        { by = "host", call = "wait", pid = "a", options = ["__WALL"] },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "0 | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, a+2 host/1 1 1",
            "never | host+1 -/0 1 1 SIGSEGV<2, aZ2 host/1 1 1",
            "0 | host+1 -/0 1 1 SIGSEGV<0, aZ2 host/1 1 1",
            "2 a exited 1 | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn no_init_is_safe_from_its_own_fault() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "sigaction", signal = "SIGSEGV", action = "ignore" },
        { by = "a", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "fault" },
        { by = "init", call = "wait", pid = "a" },
        { by = "init", call = "fork", child = "b" },
        { by = "init", call = "fault" },
        { by = "host", call = "wait", pid = "init" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, t+4.3@a init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0",
            "2 a killed SIGSEGV | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+5.4 init/1 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init killed SIGSEGV | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn abort_kills_with_sigabrt_and_an_init_with_sigsegv() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "sigaction", signal = "SIGABRT", action = "handle" },
        { by = "a", call = "sigprocmask", how = "block", signal = "SIGABRT" },
        { by = "a", call = "abort" },
        { by = "init", call = "wait", pid = "a" },
        { by = "init", call = "fork", child = "b" },
        { by = "b", call = "sigaction", signal = "SIGABRT", action = "ignore" },
        { by = "b", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "abort" },
        { by = "init", call = "wait", pid = "b" },
        { by = "init", call = "abort" },
        { by = "host", call = "wait", pid = "init" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0 SIGABRT<2",
            "2 a killed SIGABRT | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+4.3 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+4.3 init/1 0 0",
            "4 | host+1 -/0 1 1, init+2.1 host/0 0 0, b+4.3 init/1 0 0, t+5.4@b init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, bZ4.3 init/1 0 0",
            "3 b killed SIGABRT | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init killed SIGSEGV | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn reboot_ends_the_namespace_of_its_caller() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "init", call = "clone", child = "inner", flags = ["CLONE_NEWPID"] },
        { by = "inner", call = "reboot", how = "halt" },
        { by = "init", call = "wait", pid = "inner" },
        { by = "a", call = "reboot", how = "restart" },
        { by = "host", call = "wait", pid = "init" },
        { by = "host", call = "unshare" },
        { by = "host", call = "fork", child = "second" },
        { by = "host", call = "fork", child = "b" },
        { by = "b", call = "clone", child = "t", flags = ["CLONE_VM", "CLONE_SIGHAND", "CLONE_THREAD"] },
        { by = "t", call = "reboot", how = "power_off" },
        { by = "host", call = "wait", pid = "b" },
        { by = "host", call = "wait", pid = "second" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, inner+4.3.1 init/0 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0, innerZ4.3.1 init/0 0 0",
            "3 inner killed SIGINT | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "2 init killed SIGHUP | host+1 -/0 1 1",
            "0 | host+1 -/0 1 1",
            "5 | host+1 -/0 1 1, second+5.1 host/0 0 0",
            "6 | host+1 -/0 1 1, second+5.1 host/0 0 0, b+6.2 host/0 0 0",
            "3 | host+1 -/0 1 1, second+5.1 host/0 0 0, b+6.2 host/0 0 0, t+7.3@b host/0 0 0",
            "never | host+1 -/0 1 1, secondX5.1 host/0 0 0, bZ6.2 host/0 0 0",
            "6 b killed SIGKILL | host+1 -/0 1 1, secondZ5.1 host/0 0 0",
            "5 second killed SIGINT | host+1 -/0 1 1",
        ],
    );
}

#[test]
fn reboot_by_the_outermost_init_ends_all() {
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "host", call = "reboot", how = "power_off" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "never | hostZ1 -/0 1 1",
        ],
    );
}

/// Faults of a scenario are nobody else's business: the kernel says nothing of them in its log.
#[test]
fn the_kernel_does_not_log_them() {
    let Some(log) = kernel_log() else {
        skip("the kernel's log is not for this user");
        return;
    };
    shows(
        r#"
        { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
        { by = "init", call = "fork", child = "a" },
        { by = "a", call = "fault" },
        { by = "init", call = "fork", child = "b" },
        { by = "b", call = "sigaction", signal = "SIGSEGV", action = "ignore" },
        { by = "b", call = "fault" },
        { by = "init", call = "abort" },
        { by = "host", call = "fault" },
        "#,
        &[
            "start | host+1 -/0 1 1",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0",
            "2 | host+1 -/0 1 1, init+2.1 host/0 0 0, a+3.2 init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0",
            "3 | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0, b+4.3 init/1 0 0",
            "0 | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0, b+4.3 init/1 0 0",
            "never | host+1 -/0 1 1, init+2.1 host/0 0 0, aZ3.2 init/1 0 0, bZ4.3 init/1 0 0",
            "never | host+1 -/0 1 1, initZ2.1 host/0 0 0",
            "never | hostZ1 -/0 1 1",
        ],
    );
    let program = std::env::current_exe().expect("this program has a path");
    let program = program.file_name().and_then(std::ffi::OsStr::to_str).expect("its name is text");
    let about_us: Vec<String> = lines_of(log).into_iter().filter(|line| line.contains(program)).collect();
    assert!(about_us.is_empty(), "{about_us:#?}");
}

/// The kernel's log, from here on; nothing for who may not read it.
fn kernel_log() -> Option<File> {
    let mut log = File::options().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg").ok()?;
    log.seek(SeekFrom::End(0)).ok()?;
    Some(log)
}

/// One line a read(2); what the kernel has thrown away meanwhile is `EPIPE`.
fn lines_of(mut log: File) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = [0; 8192];
    loop {
        match log.read(&mut line) {
            Ok(length) => lines.push(String::from_utf8_lossy(&line[..length]).into_owned()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(_) => return lines,
        }
    }
}
