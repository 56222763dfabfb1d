//! The program that an agent runs after execve(2): this one again, which goes on as the same agent.
//!
//! It finds the shared memory and the sockets by their descriptors, which stay open and are named in its environment. Nothing
//! between its start and its loop changes a mask, an action or anything else that a scenario could see. Its table of files is a
//! copy of its own from now on, and so is that of the children that it makes.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::agent;
use crate::sys::{arena, os, sockets};

/// The variable that tells a program which agent it is.
const VARIABLE: &str = "PIDLAB_AGENT";

/// This program, and the shared memory.
static PROGRAM: AtomicI32 = AtomicI32::new(-1);
static MEMORY: AtomicI32 = AtomicI32::new(-1);

/// Makes what a new program needs. Once, before the first agent.
///
/// # Errors
/// If the program cannot be opened.
pub(crate) fn prepare(memory: i32) -> io::Result<()> {
    let program = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open("/proc/self/exe")?;
    os::keep_over_exec(&program)?;
    PROGRAM.store(program.into_raw_fd(), Ordering::Release);
    MEMORY.store(memory, Ordering::Release);
    Ok(())
}

/// The descriptor of the program.
pub(crate) fn descriptor() -> i32 {
    PROGRAM.load(Ordering::Acquire)
}

/// The environment of the program that goes on as an agent.
pub(crate) fn environment(role: u16) -> String {
    let [a, b, c, d] = sockets::all();
    format!("{VARIABLE}={role} {} {a} {b} {c} {d}", MEMORY.load(Ordering::Acquire))
}

/// Called before main. Does nothing unless the program is an agent; then it never returns.
pub(crate) fn enter_if_agent() {
    let Ok(variable) = std::env::var(VARIABLE) else { return };
    let numbers: Vec<i32> = variable.split(' ').filter_map(|number| number.parse().ok()).collect();
    let [role, memory, a, b, c, d] = numbers[..] else { os::exit_now(127) };
    let Ok(role) = usize::try_from(role) else { os::exit_now(127) };
    sockets::adopt([a, b, c, d]);
    if arena::attach(memory).is_err() {
        os::exit_now(127);
    }
    PROGRAM.store(-1, Ordering::Release);
    arena::stay_on_first_stack(role);
    agent::go_on(role)
}
