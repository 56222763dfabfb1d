//! The helper: the program itself, started again, that never reaches its main.
//!
//! ```text
//! program ──socket──▶ guard ──▶ conductor (PID 1 of a namespace of its own) ──▶ host (PID 1 of the scenario's) ──▶ …
//! ```
//!
//! The guard makes the conductor and then only watches. When the program goes away, however it does, its end of the socket
//! closes and the guard kills the conductor; when the guard is killed, the conductor dies by its parent-death signal. And when
//! the conductor dies, the kernel kills everything in its namespace, which is everything that a scenario can have made. Nothing
//! here has to be told to clean up. What a mistake could change of the machine, the guard puts back (`outside`).

use std::ffi::CStr;
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use crate::conductor::Conductor;
use crate::outside::Outside;
use crate::sys::os;
use crate::wire::{self, Answer, Failure, GREETING, GoOn, Hello, Request, Setup};

/// The variable that tells a program that it is started as a helper.
pub(crate) const VARIABLE: &str = "PIDLAB_HELPER";

/// The user that a helper becomes if it is asked to be unprivileged: `nobody` nearly everywhere.
const NOBODY: u32 = 65534;

/// Called before main. Does nothing unless the program was started as a helper; then it never returns.
///
/// The variable alone says nothing: anybody may have set it. A helper's standard input is a socket on which it has been greeted.
pub(crate) fn enter_if_helper() {
    let Some(setup) = std::env::var(VARIABLE).ok().as_deref().and_then(Setup::from_variable) else { return };
    if os::peek_at_control() != Some(GREETING) {
        return;
    }
    os::forget_variable(VARIABLE);
    // A panic must not unwind into the C library's start-up code.
    let ended = std::panic::catch_unwind(|| guard(setup));
    os::exit_now(i32::from(ended.is_err()));
}

/// The step of the set-up that fails where a container hides parts of `/proc`.
const OWN_PROCFS: &str = "mount a procfs of its own";

/// A step of the set-up that the kernel refused.
struct Refused {
    what: &'static str,
    error: io::Error,
    in_user_namespace: bool,
}

fn guard(setup: Setup) {
    os::close_from(3);
    os::default_signals();
    os::most_descriptors();
    let mut control = os::control();
    if control.read_exact(&mut [0; GREETING.len()]).is_err() {
        return;
    }
    match Outside::open().map_err(no_memory).and_then(|outside| Ok((make_conductor(setup)?, outside))) {
        Err(refused) => {
            // The program may be gone already; then nobody wants to know.
            let _ = wire::send(&mut control, &unavailable(&refused));
        }
        Ok((Made::Conductor { user_namespace, guard_lives }, outside)) => {
            conduct(control, user_namespace, &guard_lives, outside);
        }
        Ok((Made::Guard { conductor, _lives }, outside)) => {
            watch(&control, &conductor);
            outside.put_back();
        }
    }
}

fn no_memory(error: io::Error) -> Refused {
    Refused { what: "make a file of memory (memfd_create)", error, in_user_namespace: false }
}

/// Which of the two processes this is after the fork.
enum Made {
    /// The guard, with a pidfd of the conductor and the end of a pipe that tells the conductor that the guard lives.
    Guard { conductor: OwnedFd, _lives: OwnedFd },
    /// The conductor, with the other end.
    Conductor { user_namespace: bool, guard_lives: OwnedFd },
}

fn make_conductor(setup: Setup) -> Result<Made, Refused> {
    let refused = |what, in_user_namespace| move |error| Refused { what, error, in_user_namespace };
    os::no_core_dumps();
    let cpu = setup.cpu.or_else(|| os::allowed_cpus().first().copied());
    let cpu = cpu.ok_or_else(|| refused("find a CPU to run on", false)(io::Error::from_raw_os_error(libc::ENODEV)))?;
    os::pin(cpu).map_err(refused("stay on one CPU (sched_setaffinity)", false))?;
    if setup.unprivileged && os::user_and_group().0 == 0 {
        os::become_user(NOBODY).map_err(refused("become an ordinary user", false))?;
        // A change of user makes /proc/self belong to root, and the maps of a user namespace are written there.
        os::prctl(libc::PR_SET_DUMPABLE, 1).map_err(refused("own /proc/self", false))?;
    }
    os::prefer();
    let namespaces = libc::CLONE_NEWPID | libc::CLONE_NEWNS;
    let user_namespace = match os::unshare(namespaces) {
        Ok(()) => false,
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            enter_user_namespace(namespaces)?;
            true
        }
        Err(error) => return Err(refused("make a PID namespace (unshare)", false)(error)),
    };
    let (reader, writer) = io::pipe().map_err(refused("make a pipe", user_namespace))?;
    match os::fork().map_err(refused("make a process (clone3)", user_namespace))? {
        Some((_, conductor)) => Ok(Made::Guard { conductor, _lives: writer.into() }),
        None => {
            drop(writer);
            Ok(Made::Conductor { user_namespace, guard_lives: reader.into() })
        }
    }
}

/// The way of an ordinary user: a user namespace in which it may make the others.
fn enter_user_namespace(namespaces: i32) -> Result<(), Refused> {
    let refused = |what| move |error| Refused { what, error, in_user_namespace: true };
    let (user, group) = os::user_and_group();
    os::unshare(libc::CLONE_NEWUSER | namespaces).map_err(refused("make a user namespace (unshare)"))?;
    fs::write("/proc/self/setgroups", "deny").map_err(refused("give up setgroups (/proc/self/setgroups)"))?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(refused("map the user (/proc/self/uid_map)"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(refused("map the group (/proc/self/gid_map)"))
}

/// What a user is told where the set-up fails.
fn unavailable(refused: &Refused) -> Hello {
    let Refused { what, error, in_user_namespace } = refused;
    let reason = format!("the kernel did not let this process {what}: {error}");
    let remedy = match (in_user_namespace, error.raw_os_error()) {
        (true, Some(libc::EPERM)) if *what == OWN_PROCFS => {
            "run where all of /proc is visible (containers hide parts of it, and then it cannot be mounted anew), or as root"
        }
        (true, Some(libc::ENOSPC)) => {
            "raise user.max_user_namespaces and user.max_pid_namespaces (sysctl), or run as root"
        }
        (true, Some(libc::EPERM | libc::EACCES)) => {
            "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone, \
             kernel.apparmor_restrict_unprivileged_userns, or the seccomp profile of the container), or run as root"
        }
        (_, Some(libc::ENOSPC)) => {
            "raise user.max_pid_namespaces (sysctl), or run at a lower nesting of PID namespaces"
        }
        (_, Some(libc::ENOSYS)) => "use Linux 5.9 or newer, and a sandbox that lets clone3 through",
        _ => "run as root, or outside the sandbox that forbids it",
    };
    Hello::Unavailable { reason, remedy: remedy.to_owned() }
}

/// The guard's life: until the program or the conductor is gone.
fn watch(control: &UnixStream, conductor: &OwnedFd) {
    let wanted = [(control.as_fd(), libc::POLLRDHUP), (conductor.as_fd(), libc::POLLIN)];
    // If poll itself fails there is nothing left to watch with: end, and the conductor ends by its parent's death.
    let _ = os::poll(wanted, -1);
    os::kill_pidfd(conductor.as_raw_fd());
    let _ = os::reap_pidfd(conductor.as_fd());
}

/// The conductor's life: run what is asked for, until nobody asks any more, or until a run has done harm.
fn conduct(mut control: UnixStream, user_namespace: bool, guard_lives: &OwnedFd, outside: Outside) {
    if os::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as usize).is_err() {
        return;
    }
    // Had the guard died before the line above, nobody would ever kill this process: then the pipe has no writer.
    match os::poll([(guard_lives.as_fd(), libc::POLLIN)], 0) {
        Ok([0]) => {}
        _ => return,
    }
    let conductor = match own_procfs() {
        Ok(()) => Conductor::new(outside).map_err(|reason| Hello::Unavailable {
            reason: format!("a first process in a PID namespace of its own could not be run: {reason}"),
            remedy: "use Linux 5.9 or newer, and a sandbox that lets clone3, pidfds and /proc through".to_owned(),
        }),
        Err(refused) => Err(unavailable(&Refused { in_user_namespace: user_namespace, ..refused })),
    };
    let (hello, conductor) = match conductor {
        Ok(conductor) => {
            let facts = conductor.facts().clone();
            (Hello::Ready { release: os::release(), facts, user_namespace }, Some(conductor))
        }
        Err(unavailable) => (unavailable, None),
    };
    let (Ok(()), Some(mut conductor)) = (wire::send(&mut control, &hello), conductor) else { return };
    while let Ok(request) = wire::receive::<Request>(&mut control) {
        let response = conductor.run(&request, |observation| {
            if !request.held {
                return Ok(());
            }
            wire::send(&mut control, &Answer::Held(observation.clone()))?;
            wire::receive(&mut control).map(|GoOn| ())
        });
        let harmful = matches!(response, Err(Failure::Machine(_)));
        if wire::send(&mut control, &Answer::Ended(response)).is_err() || harmful {
            return;
        }
    }
}

/// A procfs of the conductor's own namespace on /proc, in a mount namespace that nobody else sees.
fn own_procfs() -> Result<(), Refused> {
    let refused = |what| move |error| Refused { what, error, in_user_namespace: false };
    let (none, root, proc): (&CStr, &CStr, &CStr) = (c"none", c"/", c"/proc");
    os::mount(none, root, none, libc::MS_REC | libc::MS_PRIVATE).map_err(refused("keep its mounts to itself"))?;
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    os::mount(c"proc", proc, c"proc", flags).map_err(refused(OWN_PROCFS))
}

/// Reads the rest of a stream, for whoever waits until the other end is closed.
pub(crate) fn drain(stream: &mut impl Read) {
    let _ = io::copy(stream, &mut io::sink());
}
