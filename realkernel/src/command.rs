//! A command for one agent, and how it reaches it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;

use libc::c_long;
use pidlab_scenario::syscall::Pidfd;
use pidlab_scenario::{CallName, Fact, Refusal, Role, Unmodelled};

use crate::agent::Operation;
use crate::blame;
use crate::needs;
use crate::processes::Processes;
use crate::surroundings;
use crate::sys::arena::{Slot, TEXT};
use crate::sys::{raw, sockets};
use crate::trouble::Trouble;

/// Takes the place of a socket where nothing is handed over.
pub(crate) const NOTHING: i64 = -1;

/// A command for one agent.
#[derive(Debug)]
pub(crate) struct Command {
    operation: Operation,
    arguments: [i64; 5],
    pub(crate) text: String,
    pub(crate) numbers: Vec<i32>,
    /// A descriptor that the agent is handed.
    pub(crate) descriptor: Option<io::Result<OwnedFd>>,
}

impl Command {
    pub(crate) fn new(operation: Operation, arguments: &[i64]) -> Command {
        let mut all = [0; 5];
        all[..arguments.len()].copy_from_slice(arguments);
        Command { operation, arguments: all, text: String::new(), numbers: Vec::new(), descriptor: None }
    }

    /// A system call without pointers.
    pub(crate) fn plain(number: c_long, arguments: &[i64]) -> Command {
        let mut all = vec![number];
        all.extend(arguments);
        Command::new(Operation::Plain, &all)
    }

    /// Puts the command into an agent's slot. The agent must have done its last one.
    ///
    /// # Errors
    /// If its descriptor cannot be handed over.
    pub(crate) fn give(&self, slot: &Slot) -> Result<(), Trouble> {
        hand_over(self.descriptor.as_ref())?;
        slot.operation.store(self.operation.number(), Ordering::Relaxed);
        for (argument, value) in slot.arguments.iter().zip(self.arguments) {
            argument.store(value, Ordering::Relaxed);
        }
        for (byte, value) in slot.text.iter().zip(self.text.bytes().chain([0]).take(TEXT)) {
            byte.store(value, Ordering::Relaxed);
        }
        for (number, value) in slot.numbers.iter().zip(&self.numbers) {
            number.store(*value, Ordering::Relaxed);
        }
        slot.command.fetch_add(1, Ordering::Release);
        raw::futex_wake(&slot.command);
        Ok(())
    }
}

/// Hands over what a command brings, before the agent takes it.
///
/// # Errors
/// Where the kernel does not pass it on.
fn hand_over(descriptor: Option<&io::Result<OwnedFd>>) -> Result<(), Trouble> {
    let Some(descriptor) = descriptor else { return Ok(()) };
    sockets::clear();
    let handed = match descriptor {
        Ok(descriptor) => sockets::hand_over(descriptor.as_fd()),
        Err(error) => Err(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)),
    };
    handed.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied if !surroundings::is_in_first_user_namespace() => {
            needs::the_machines_root().into()
        }
        _ => blame::trouble("a descriptor could not be handed over", &error),
    })
}

/// The process whose system call a command is for.
pub(crate) struct Caller<'a> {
    pub(crate) processes: &'a Processes,
    pub(crate) by: Role,
    /// The name of the call that the scenario makes.
    pub(crate) call: CallName,
}

impl Caller<'_> {
    /// Whether the caller's table of files is not the conductor's.
    pub(crate) fn has_own_files(&self) -> bool {
        self.processes.get(self.by).is_some_and(|process| process.own_files)
    }

    /// A command for an agent that does not find the conductor's pidfd in its own table: it is handed over.
    pub(crate) fn with_handed_pidfd(
        &self,
        operation: Operation,
        arguments: &[i64],
        role: Role,
    ) -> Result<Command, Refusal> {
        self.pidfd(role)?;
        let pidfd = self.processes.get(role).and_then(|process| process.pidfd.as_ref());
        let mut command = Command::new(operation, arguments);
        command.descriptor = pidfd.map(OwnedFd::try_clone);
        Ok(command)
    }

    /// A command that gets a pidfd as its first two arguments: the socket at which it is handed over, or a number to open it by.
    pub(crate) fn with_any_pidfd(
        &self,
        operation: Operation,
        pidfd: Pidfd,
        arguments: &[i64],
    ) -> Result<Command, Refusal> {
        let (socket, number) = match pidfd {
            Pidfd::Directory(_) => return Err(self.no_directory()),
            Pidfd::Held(_) => (sockets::handed_over_at().into(), 0),
            Pidfd::Opened(number) => (NOTHING, number.into()),
        };
        let arguments = [&[socket, number], arguments].concat();
        match pidfd {
            Pidfd::Held(role) => self.with_handed_pidfd(operation, &arguments, role),
            Pidfd::Opened(_) | Pidfd::Directory(_) => Ok(Command::new(operation, &arguments)),
        }
    }

    /// Only pidfd_send_signal(2) takes a directory.
    pub(crate) fn no_directory(&self) -> Refusal {
        Refusal::NotModelled { call: self.call, what: Unmodelled::DirectoryForPidfd }
    }

    /// The conductor's pidfd of a process, which agents find in the shared table.
    pub(crate) fn pidfd(&self, role: Role) -> Result<i32, Refusal> {
        let process = self.processes.get(role).ok_or(Refusal::NotBorn { role })?;
        let lacks = Refusal::NeedsFact { call: self.call, fact: Fact::PidfdThread };
        let pidfd = process.pidfd.as_ref().ok_or(lacks)?;
        Ok(pidfd.as_raw_fd())
    }
}
