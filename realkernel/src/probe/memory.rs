//! What becomes of those who share a memory when it is dumped, or left by an exec.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;

use super::children::{child, in_a_child, in_this_memory, thread, wait_for_ever};
use crate::sys::raw;
use crate::sys::{arena, os};

/// Who shares its memory with a process that dumps core lives on (fs/coredump.c, `zap_threads`). Elsewhere the asker does not come to answer.
pub(super) fn core_dump_alone() -> bool {
    in_a_child(|| {
        let sharer = in_this_memory(0, libc::SIGCHLD, 0, dumps_core);
        sharer > 0 && raw::plain(libc::SYS_wait4, [sharer as usize, 0, 0, 0]) == sharer
    })
}

extern "C" fn dumps_core(_: usize) -> ! {
    let own = raw::plain(libc::SYS_getpid, [0; 4]);
    raw::plain(libc::SYS_kill, [own as usize, libc::SIGQUIT as usize, 0, 0]);
    wait_for_ever(0)
}

/// A signal of the process that was told to a thread which sleeps in vfork, and cannot take it, ends the program that another thread begins
/// to run (kernel/signal.c, `exit_signals`). Elsewhere that program ends by itself, with 0. One that dumps core has to be taken by somebody.
pub(super) fn exec_hands_on() -> bool {
    let Ok(program) = program_that_ends() else { return false };
    let life = || {
        let in_vfork = &arena::slot(0).command;
        in_vfork.store(0, Ordering::Release);
        let thread = thread(sleeps_in_vfork);
        while thread > 0 && in_vfork.load(Ordering::Acquire) == 0 {
            raw::futex_wait(in_vfork, 0);
        }
        raw::plain(libc::SYS_kill, [thread as usize, libc::SIGQUIT as usize, 0, 0]);
        if thread > 0 {
            raw::exec(program.as_raw_fd(), b"\0");
        }
        1
    };
    child(life).is_ok_and(|child| child.is_some_and(|(_, child)| os::exit_status(child.as_raw_fd()).is_none()))
}

extern "C" fn sleeps_in_vfork(_: usize) -> ! {
    in_this_memory(libc::CLONE_VFORK, libc::SIGCHLD, 1, keeps_it_asleep);
    wait_for_ever(0)
}

/// Ends with the thread that made it.
extern "C" fn keeps_it_asleep(_: usize) -> ! {
    raw::plain(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0]);
    let in_vfork = &arena::slot(0).command;
    in_vfork.store(1, Ordering::Release);
    raw::futex_wake(in_vfork);
    wait_for_ever(0)
}

/// exit(0) as instructions.
#[cfg(target_arch = "x86_64")]
const MACHINE: (u8, &[u8]) = (62, &[0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05]);
#[cfg(target_arch = "aarch64")]
const MACHINE: (u8, &[u8]) = (183, &[0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]);

/// The smallest program: the head of the file, that of its one segment, and the instructions (elf(5)).
fn program_that_ends() -> io::Result<File> {
    const START: u64 = 0x40_0000;
    const HEADS: u64 = 64 + 56;
    let (machine, code) = MACHINE;
    let size = HEADS + code.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend([2, 0, machine, 0, 1, 0, 0, 0]);
    [START + HEADS, 64, 0].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    [0, START, START, size, size, 0x1_0000].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes.extend(code);
    let mut written = File::from(os::memory_file(c"program", true)?);
    written.write_all(&bytes)?;
    // Nobody may run what somebody can write: from here on it is only read.
    File::open(format!("/proc/self/fd/{}", written.as_raw_fd()))
}
