//! A PID 1 that runs already, and how it is found: by any process of its namespace.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::look;

/// The duty that tells without an orphan that zombies stay.
pub(crate) const ZOMBIES: &str = "zombies";

/// A namespace by which its number is known while it is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Number {
    device: u64,
    inode: u64,
}

/// Whom it is about.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Whom {
    pub(crate) init: i32,
    pub(crate) pids: Number,
}

/// A PID 1 that runs, as it is seen from here.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) whom: Whom,
    pub(crate) name: String,
    /// While it is open its number is nobody else's.
    _held: Arc<File>,
}

/// Why there is no PID 1 to be looked at.
#[derive(Debug)]
#[non_exhaustive]
pub enum AttachError {
    /// There is no such process.
    NoSuchProcess,
    /// It is a thread of the kernel, and in no container.
    OfTheKernel,
    /// It lives in the PID namespace of this process.
    NotInAContainer {
        /// The init of the namespace that its next children are born in, if that is another.
        of_its_children: Option<i32>,
    },
    /// The init of its namespace has ended, or is not seen from here.
    NoInit,
    /// Its namespace cannot be looked at by this user.
    NotPermitted(io::Error),
}

impl std::fmt::Display for AttachError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AttachError::NoSuchProcess => write!(out, "there is no such process"),
            AttachError::OfTheKernel => write!(out, "it is a thread of the kernel, which is in no container"),
            AttachError::NotInAContainer { of_its_children: Some(init) } => {
                write!(out, "it is in no container seen from here, but its children are: their PID 1 is {init}")
            }
            AttachError::NotInAContainer { of_its_children: None } => {
                write!(out, "it is in the same PID namespace as this command, and so in no container seen from here")
            }
            AttachError::NoInit => write!(out, "the PID 1 of its namespace has ended, or cannot be seen from here"),
            AttachError::NotPermitted(error) => write!(out, "its PID namespace cannot be looked at: {error}"),
        }
    }
}

impl std::error::Error for AttachError {}

/// The namespace that a link in `/proc/PID/ns` leads to.
pub(crate) fn number(file: &File) -> io::Result<Number> {
    file.metadata().map(|data| Number { device: data.dev(), inode: data.ino() })
}

/// The PID 1 of the namespace that a process is in.
pub(crate) fn find(pid: i32) -> Result<Running, AttachError> {
    let problem = |error: io::Error| match error.kind() {
        ErrorKind::PermissionDenied => AttachError::NotPermitted(error),
        _ => AttachError::NoSuchProcess,
    };
    if look::is_of_the_kernel(pid) {
        return Err(AttachError::OfTheKernel);
    }
    let open = |pid: &dyn std::fmt::Display, what: &str| File::open(format!("/proc/{pid}/ns/{what}"));
    let pids = open(&pid, "pid").map_err(problem)?;
    let (its, own) =
        (number(&pids).map_err(problem)?, open(&"self", "pid").and_then(|own| number(&own)).map_err(problem)?);
    if its == own {
        let of_its_children = open(&pid, "pid_for_children").and_then(|pids| number(&pids)).ok();
        let of_its_children = of_its_children.filter(|number| *number != own).and_then(init_of);
        return Err(AttachError::NotInAContainer { of_its_children });
    }
    let init = init_of(its).ok_or(AttachError::NoInit)?;
    Ok(Running { whom: Whom { init, pids: its }, name: look::name(init), _held: Arc::new(pids) })
}

/// Who is PID 1 in this namespace, and still alive.
fn init_of(namespace: Number) -> Option<i32> {
    let is_it = |pid: &i32| {
        look::numbers_of(*pid).last() == Some(&1)
            && File::open(format!("/proc/{pid}/ns/pid")).and_then(|pids| number(&pids)).is_ok_and(|it| it == namespace)
    };
    look::numbers("/proc").find(|pid| is_it(pid) && look::goes_on(*pid))
}
