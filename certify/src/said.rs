//! What the conductor and its puppets say to each other: JSON, a message each.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, recv, send,
    socket_with,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a puppet is told to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Make a child, a puppet of this name.
    Fork {
        name: String,
    },
    Exit {
        status: u8,
    },
    /// Leave so many dead children of a dead parent behind, each with this status.
    Burst {
        count: u32,
        status: u8,
    },
    /// Leave so many living children of a dead parent behind, all in one process group; answers with its ID.
    Crowd {
        count: u32,
    },
    Kill {
        pid: i32,
        signal: i32,
    },
    KillGroup {
        group: i32,
        signal: i32,
    },
    /// Let a signal do what it does by default; all of them but SIGCHLD if none is named.
    Plain {
        signal: Option<i32>,
    },
    /// kill(2) as it is: a PID of its own namespace, 0, -1 or a negative group; signal 0 asks.
    Signal {
        pid: i32,
        signal: i32,
    },
    /// Note a signal that comes, as a handler would.
    Handle {
        signal: i32,
    },
    Ignore {
        signal: i32,
    },
    /// Let a signal that was handled or ignored do again what it does by default.
    Default {
        signal: i32,
    },
    Block {
        signal: i32,
    },
    Unblock {
        signal: i32,
    },
    /// Wait for a child that has ended; answers with its PID, 0 if there is none.
    Wait,
    /// Wait for a child, or any if it is -1, with these options of wait4(2) and `WNOHANG`; answers with its PID and its status.
    WaitFor {
        pid: i32,
        options: u32,
    },
    Setsid,
    Setpgid,
    /// Put a process, 0 for this one, into a process group, 0 for its own.
    Join {
        pid: i32,
        group: i32,
    },
    /// Adopt orphans (`PR_SET_CHILD_SUBREAPER`), or no more.
    Subreaper {
        on: bool,
    },
    Who,
    /// For the stage of a lab that is recorded: let somebody from outside join a process.
    Invite {
        pid: i32,
        words: Vec<String>,
        log: PathBuf,
    },
}

/// What is said to the conductor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// The program under test begins with the next exec of this process.
    Begins,
    /// It could not be run.
    NoProgram {
        errno: i32,
        what: String,
    },
    Hello(Who),
    /// The stage of a lab that is recorded is there.
    Stage,
    /// The stage has waited for the program under test, and this is what wait(2) gave.
    Ended(i32),
    Heard {
        signal: i32,
        sender: i32,
        code: i32,
    },
    Done(i64),
    /// Whom a wait gave, and the status of wait(2).
    Waited {
        pid: i32,
        status: i32,
    },
    Failed(i32),
    Who(Who),
}

/// What a puppet knows of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) name: String,
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// The foreground group of its terminal, if it has one.
    pub(crate) foreground: Option<i32>,
    /// What it was born with.
    pub(crate) blocked: u64,
    pub(crate) ignored: u64,
}

/// No message is longer.
const LONGEST: usize = 4096;

/// The conductor's end.
pub(crate) fn listener(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    listen(&socket, 64)?;
    Ok(socket)
}

/// A puppet's end.
pub(crate) fn connected(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

pub(crate) fn say(socket: impl AsFd, what: &impl Serialize) -> io::Result<()> {
    send(socket, &serde_json::to_vec(what)?, SendFlags::NOSIGNAL).map(drop).map_err(io::Error::from)
}

/// The next message; nothing at the end.
pub(crate) fn hear<T: DeserializeOwned>(socket: impl AsFd) -> io::Result<Option<T>> {
    let mut bytes = [0; LONGEST];
    let (length, _) = recv(socket, &mut bytes[..], RecvFlags::empty())?;
    if length == 0 { Ok(None) } else { Ok(Some(serde_json::from_slice(&bytes[..length])?)) }
}
