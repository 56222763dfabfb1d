//! The program that an agent runs after execve(2): this one again, which goes on as the same agent.
//!
//! It finds the shared memory and the sockets by their descriptors, which stay open and are named in its environment. Nothing
//! between its start and its loop changes a mask, an action or anything else that a scenario could see. Its table of files is a
//! copy of its own from now on, and so is that of the children that it makes.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::atomic::{AtomicI32, Ordering};

use crate::agent::{self, Operation};
use crate::sys::arena::{self, Identity, Slot};
use crate::sys::{os, sockets};

/// The variable that tells a program which agent it is.
const VARIABLE: &str = "PIDLAB_AGENT";

/// This program, and the shared memory.
static PROGRAM: AtomicI32 = AtomicI32::new(-1);
static MEMORY: AtomicI32 = AtomicI32::new(-1);

/// Makes what a new program needs, and the memory for all agents. Once, before the first of them.
///
/// # Errors
/// If the program cannot be opened, or if there is no memory.
pub(crate) fn prepare() -> io::Result<()> {
    let memory = arena::make(own_identity()?)?;
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

/// This program's file.
fn own_identity() -> io::Result<Identity> {
    let file = fs::metadata("/proc/self/exe")?;
    Ok(Identity { device: file.dev(), inode: file.ino() })
}

/// Called before main. Does nothing unless the program is an agent; then it never returns.
///
/// The variable alone says nothing: anybody may have set it. An agent has a descriptor of the memory that its conductor made, which
/// was this program too, and its slot says that it has begun to exec and has not come back.
pub(crate) fn enter_if_agent() {
    let Ok(variable) = std::env::var(VARIABLE) else { return };
    let numbers: Vec<i32> = variable.split(' ').filter_map(|number| number.parse().ok()).collect();
    let [role, memory, a, b, c, d] = numbers[..] else { return };
    let (Ok(role), Ok(own)) = (usize::try_from(role), own_identity()) else { return };
    if !arena::read_slot(memory, role, own).is_some_and(|slot| is_in_exec(&slot)) {
        return;
    }
    sockets::adopt([a, b, c, d]);
    if arena::attach(memory).is_err() {
        os::exit_now(127);
    }
    PROGRAM.store(-1, Ordering::Release);
    arena::stay_on_first_stack(role);
    agent::go_on(role)
}

fn is_in_exec(slot: &Slot) -> bool {
    let [command, taken, done, operation] =
        [&slot.command, &slot.taken, &slot.done, &slot.operation].map(|word| word.load(Ordering::Acquire));
    operation == Operation::Exec.number() && taken == command && done != command
}
