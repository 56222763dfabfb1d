//! Somebody who comes from outside: joins the namespaces of a process, and has a child there, as `docker exec` and `kubectl exec` do.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{chroot, fchdir};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::puppet;

/// The name under which this program is started for it.
pub(crate) const NAME: &str = "pidlab-init-guest";

/// This program as a puppet.
pub(crate) fn words(program: &Path, socket: &Path, name: &str) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    vec![text(program), puppet::WORD.to_owned(), text(socket), name.to_owned()]
}

/// This program, started to join a process; what it complains of is added to a log.
pub(crate) fn starter(pid: i32, words: &[String], log: &Path) -> io::Result<Command> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME).arg(pid.to_string()).args(words);
    let log = OpenOptions::new().append(true).open(log)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Ok(command)
}

/// Joins, starts the program, and waits for it, in which time nothing is left to reap of it.
pub(crate) fn join(pid: &str, words: &[String]) -> io::Result<i32> {
    let open = |what: &str| File::open(format!("/proc/{pid}/{what}"));
    let (pids, mounts, root) = (open("ns/pid")?, open("ns/mnt")?, open("root")?);
    move_into_link_name_space(pids.as_fd(), Some(LinkNameSpaceType::ProcessID))?;
    move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))?;
    fchdir(&root)?;
    chroot(".")?;
    let Some((program, arguments)) = words.split_first() else { return Ok(1) };
    let status = Command::new(program).args(arguments).spawn()?.wait()?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}
