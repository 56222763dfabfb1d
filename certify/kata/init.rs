//! A PID 1 for a container, as docs/kata.md builds it, with nothing but the standard library: rustc init.rs

use std::io::IsTerminal;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, exit};
use std::{env, io, mem, ptr};

const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGCHLD: i32 = 17;
const SIGWINCH: i32 = 28;
const SIG_DFL: usize = 0;
const SIG_BLOCK: i32 = 0;
const SIG_SETMASK: i32 = 2;
const WNOHANG: i32 = 1;
const SI_KERNEL: i32 = 128;

/// `sigset_t` of the C library, and the beginning of its `siginfo_t`.
type Set = [u64; 16];
type Info = [i32; 32];

unsafe extern "C" {
    fn sigfillset(set: *mut Set) -> i32;
    fn sigprocmask(how: i32, set: *const Set, old: *mut Set) -> i32;
    fn sigwaitinfo(set: *const Set, info: *mut Info) -> i32;
    fn signal(number: i32, handler: usize) -> usize;
    fn kill(pid: i32, signal: i32) -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn tcsetpgrp(file: i32, group: i32) -> i32;
    fn getpid() -> i32;
}

fn main() {
    let words: Vec<_> = env::args_os().skip(1).collect();
    let Some((program, arguments)) = words.split_first() else { exit(2) };
    // Blocked signals wait until they are asked for, and none is lost; those that were there before wait as well.
    let all = unsafe {
        let mut all: Set = mem::zeroed();
        sigfillset(&mut all);
        sigprocmask(SIG_BLOCK, &all, ptr::null_mut());
        signal(SIGCHLD, SIG_DFL);
        all
    };
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    unsafe { command.pre_exec(born) };
    let child = match command.spawn() {
        Ok(child) => child.id() as i32,
        Err(error) => {
            eprintln!("{}: {error}", program.display());
            exit(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 });
        }
    };
    loop {
        let mut info: Info = [0; 32];
        match unsafe { sigwaitinfo(&all, &mut info) } {
            SIGCHLD => reap(child),
            // The terminal sends these to the group in the foreground, which is the command's: it has them already.
            SIGINT | SIGQUIT | SIGWINCH if info[2] == SI_KERNEL => {}
            number if number > 0 => drop(unsafe { kill(child, number) }),
            _ => {}
        }
    }
}

/// In the child: what the command is born with.
fn born() -> io::Result<()> {
    unsafe {
        // SIGTTOU is blocked still, so that the terminal can be taken from the background.
        if io::stdin().is_terminal() {
            tcsetpgrp(0, getpid());
        }
        for number in 1..=64 {
            signal(number, SIG_DFL);
        }
        let none: Set = [0; 16];
        sigprocmask(SIG_SETMASK, &none, ptr::null_mut());
    }
    Ok(())
}

/// Waits for whoever has ended: there may be many for one SIGCHLD, or nobody.
fn reap(command: i32) {
    let mut status = 0;
    loop {
        let child = unsafe { waitpid(-1, &mut status, WNOHANG) };
        if child <= 0 {
            return;
        }
        if child == command {
            let status = ExitStatus::from_raw(status);
            exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        }
    }
}
