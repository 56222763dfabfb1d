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
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use pidlab_scenario::ANOTHER_USER;

use crate::blame;
use crate::bpf::Program;
use crate::conductor::Conductor;
use crate::eyes::{self, Look};
use crate::needs;
use crate::outside::Outside;
use crate::priority;
use crate::surroundings::{self, Surroundings};
use crate::sys::os;
use crate::trouble::{Trouble, Unavailable};
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
    os::exit_now(ended.unwrap_or(PANICKED));
}

/// How a helper ends that panicked: no signal has this number.
pub(crate) const PANICKED: i32 = 101;

/// The step of the set-up that fails where a container hides parts of `/proc`.
const OWN_PROCFS: &str = "mount a procfs of its own";

/// A step of the set-up that the kernel refused.
struct Refused {
    what: &'static str,
    error: io::Error,
    in_user_namespace: bool,
}

/// Answers the signal that ended the conductor, or 0: with it the guard ends.
fn guard(setup: Setup) -> i32 {
    let here = surroundings::at_the_start();
    let program = if setup.has_program {
        os::close_from(Program::HANDED_ON[1] + 1);
        Program::handed_on().ok()
    } else {
        os::close_from(3);
        None
    };
    os::default_signals();
    os::most_descriptors();
    os::limit_priority(if setup.unprivileged { 0 } else { priority::HIGHEST });
    let entered = enter_if_better_off(setup, here);
    let mut control = os::control();
    if control.read_exact(&mut [0; GREETING.len()]).is_err() {
        return 0;
    }
    let say = |mut control: UnixStream, why: Unavailable, in_needless_user_namespace: bool| {
        // The program may be gone already; then nobody wants to know.
        let _ = wire::send(&mut control, &Hello::Unavailable { why, in_needless_user_namespace });
        0
    };
    if let Some(why) = blame::too_little(here) {
        return say(control, why, false);
    }
    if let Err(refused) = entered {
        return say(control, unavailable(&refused), true);
    }
    let by_choice = setup.entered;
    let program = program.or_else(|| program_to_look_with(setup));
    match Outside::open().map_err(no_memory).and_then(|outside| Ok((make_conductor(setup, here)?, outside))) {
        Err(refused) => say(control, unavailable(&refused), by_choice),
        Ok((Made::Conductor { user_namespace, guard_lives }, outside)) => {
            if let Err(why) = become_conductor(&guard_lives) {
                return say(control, why, false);
            }
            match make_ready(user_namespace, outside, program, setup.look) {
                Err(why) => say(control, why, by_choice),
                Ok(conductor) => {
                    conduct(control, user_namespace, setup.used_up, conductor);
                    0
                }
            }
        }
        Ok((Made::Guard { conductor, _lives }, outside)) => {
            drop(program);
            let ended_by = watch(&control, &conductor);
            outside.put_back();
            ended_by
        }
    }
}

fn no_memory(error: io::Error) -> Refused {
    Refused { what: "make a file of memory (memfd_create)", error, in_user_namespace: false }
}

/// Root that lacks a capability which scenarios need has it in a user namespace of its own, and another user, too, if it may say so.
/// Root that has used up its PID namespaces has others there: each user may have as many as the limit says (kernel/ucount.c), and what is
/// made in a user namespace counts outside for whoever made that.
///
/// This program starts once more in there: who may look into a process is decided by the user namespace in which its program began
/// (kernel/ptrace.c, `__ptrace_may_access`).
///
/// Comes back where that is not needed, or not possible.
///
/// # Errors
/// What failed when it was too late to go back.
fn enter_if_better_off(setup: Setup, here: &Surroundings) -> Result<(), Refused> {
    const NEEDED: [&str; 4] = ["CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_KILL", "CAP_SYS_PTRACE"];
    const MAPPING: [&str; 3] = ["CAP_SETUID", "CAP_SETGID", "CAP_SETFCAP"];
    let lacks = NEEDED.iter().any(|name| !here.effective.has(name));
    let can_map = MAPPING.iter().all(|name| here.effective.has(name));
    if here.user != 0 || !can_map || setup.unprivileged || setup.stay || setup.entered {
        return Ok(());
    }
    // Who lacks something more could not say who is who in what another user has made.
    let maker = (!lacks && used_up()).then_some(MAKER);
    if !lacks && maker.is_none() {
        return Ok(());
    }
    let program = program_to_look_with(setup);
    match enter_with_another_user(maker) {
        Ok(()) => {}
        Err(Refused { what: MAKE_USER_NAMESPACE, .. }) => return Ok(()),
        Err(refused) => return Err(refused),
    }
    let setup = Setup { entered: true, used_up: maker.is_some(), has_program: program.is_some(), ..setup };
    program.map_or(Ok(()), Program::hand_on).map_err(|error| Refused {
        what: "take a program along (dup2)",
        error,
        in_user_namespace: true,
    })?;
    let error = Command::new("/proc/self/exe").arg0("pidlab-helper").env(VARIABLE, setup.to_variable()).exec();
    Err(Refused { what: "start itself again in a user namespace", error, in_user_namespace: true })
}

/// Made before this process goes into a user namespace, for in there it may not. An ordinary user has none, nor has who is to be one.
fn program_to_look_with(setup: Setup) -> Option<Program> {
    if setup.unprivileged { None } else { eyes::program(setup.look) }
}

/// A user of whom nobody has heard: what root has used up, this one has not.
const MAKER: u32 = 65_432;

/// Whether this user cannot have as many PID namespaces at once as scenarios need, although the limit is higher. The zombie of an init
/// holds its namespace (kernel/pid.c, `free_pid`), so they are all there until the first is reaped.
fn used_up() -> bool {
    let mut zombies = Vec::new();
    let refused = (0..blame::NAMESPACES).find_map(|_| match os::fork_with(libc::CLONE_NEWPID) {
        Ok(Some((_, zombie))) => {
            zombies.push(zombie);
            None
        }
        Ok(None) => os::exit_now(0),
        Err(error) => error.raw_os_error(),
    });
    for zombie in &zombies {
        let _ = os::reap_pidfd(zombie.as_fd());
    }
    refused == Some(libc::ENOSPC)
}

/// Which of the two processes this is after the fork.
enum Made {
    /// The guard, with a pidfd of the conductor and the end of a pipe that tells the conductor that the guard lives.
    Guard { conductor: OwnedFd, _lives: OwnedFd },
    /// The conductor, with the other end.
    Conductor { user_namespace: bool, guard_lives: OwnedFd },
}

fn make_conductor(setup: Setup, here: &Surroundings) -> Result<Made, Refused> {
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
    os::punctual();
    // Message queues have their names there. A kernel may be built without such namespaces.
    let ipc = if surroundings::has_ipc_namespaces() { libc::CLONE_NEWIPC } else { 0 };
    let namespaces = libc::CLONE_NEWPID | libc::CLONE_NEWNS | ipc;
    // The first process of a scenario is root, which not everybody is who has its capabilities.
    let is_another = os::user_and_group().0 != 0 && here.effective.has("CAP_SYS_ADMIN");
    let unshared = if is_another { Err(io::Error::from_raw_os_error(libc::EPERM)) } else { os::unshare(namespaces) };
    let user_namespace = match unshared {
        Ok(()) => setup.entered,
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            enter_user_namespace(namespaces, here)?;
            true
        }
        Err(error) => return Err(refused(MAKE_PID_NAMESPACE, false)(error)),
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

const MAP_USER: &str = "map the user (/proc/self/uid_map)";

const MAKE_PID_NAMESPACE: &str = "make a PID namespace (unshare)";

const MAKE_USER_NAMESPACE: &str = "make a user namespace (unshare)";

/// The way of an ordinary user, and of root who may not make namespaces: a user namespace in which it may make the others.
fn enter_user_namespace(namespaces: i32, here: &Surroundings) -> Result<(), Refused> {
    let refused = |what| move |error| Refused { what, error, in_user_namespace: true };
    let (user, group) = os::user_and_group();
    // Without that capability root cannot be itself there, but another user can (user_namespaces(7)).
    if user == 0 && !here.effective.has("CAP_SETFCAP") && os::become_user(NOBODY).is_ok() {
        os::prctl(libc::PR_SET_DUMPABLE, 1).map_err(refused("own /proc/self"))?;
        return enter_user_namespace(namespaces, here);
    }
    os::unshare(libc::CLONE_NEWUSER | namespaces).map_err(refused(MAKE_USER_NAMESPACE))?;
    fs::write("/proc/self/setgroups", "deny").map_err(refused("give up setgroups (/proc/self/setgroups)"))?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(refused(MAP_USER))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(refused("map the group (/proc/self/gid_map)"))
}

/// A user namespace with root and another user in it, made by this user if not by root: a process that stays outside has the right to say
/// who is who.
fn enter_with_another_user(maker: Option<u32>) -> Result<(), Refused> {
    let refused = |what| move |error| Refused { what, error, in_user_namespace: true };
    // As the procfs at hand has it, which need not be that of this PID namespace.
    let own = fs::read_link("/proc/self").map_err(refused("find itself (/proc/self)"))?;
    let (mut reader, writer) = io::pipe().map_err(refused("make a pipe"))?;
    let Some((_, mapper)) = os::fork().map_err(refused("make a process (clone3)"))? else {
        drop(writer);
        let told = reader.read_exact(&mut [0]);
        let mapped = told.and_then(|()| map_users(&Path::new("/proc").join(own)));
        os::exit_now(mapped.err().and_then(|error| error.raw_os_error()).unwrap_or(0));
    };
    let unshared = maker.map_or(Ok(()), os::act_as);
    let unshared = unshared.and_then(|()| os::unshare(libc::CLONE_NEWUSER)).map_err(refused(MAKE_USER_NAMESPACE));
    if unshared.is_ok() {
        (&writer).write_all(&[0]).map_err(refused("write into a pipe"))?;
    }
    drop(writer);
    let mapped = os::exit_status(mapper.as_raw_fd());
    if unshared.is_err() && maker.is_some() {
        os::act_as(0).map_err(refused("be root again (seteuid)"))?;
    }
    unshared?;
    match mapped {
        Some(0) if maker.is_none() => Ok(()),
        Some(0) => os::become_user(0).map_err(refused("be root in a user namespace (setresuid)")),
        other => {
            let error = io::Error::from_raw_os_error(other.unwrap_or(libc::ECHILD));
            Err(refused("map the users (/proc/PID/uid_map)")(error))
        }
    }
}

/// Maps root and another user, or root alone where this is itself a place without another user.
fn map_users(process: &Path) -> io::Result<()> {
    let map = |users: &str| {
        fs::write(process.join("uid_map"), users)?;
        fs::write(process.join("gid_map"), users)
    };
    map(&format!("0 0 1\n{ANOTHER_USER} {ANOTHER_USER} 1\n")).or_else(|_| {
        fs::write(process.join("setgroups"), "deny")?;
        map("0 0 1\n")
    })
}

/// What a user is told where the set-up fails.
fn unavailable(refused: &Refused) -> Unavailable {
    let Refused { what, error, in_user_namespace } = refused;
    let limits = [libc::EAGAIN, libc::EMFILE, libc::ENFILE, libc::ENOMEM];
    let limit = error.raw_os_error().filter(|errno| limits.contains(errno));
    if let Some(limit) = limit.and_then(|errno| blame::limit(&format!("this process could not {what}"), errno)) {
        return limit;
    }
    let reason = format!("the kernel did not let this process {what}: {error}");
    let remedy = match (in_user_namespace, error.raw_os_error()) {
        (true, Some(libc::EPERM)) if *what == MAP_USER && surroundings::at_the_start().user == 0 => {
            "run with CAP_SETFCAP (docker --cap-add), without which root cannot be mapped, or as an ordinary user"
        }
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
        // kernel/pid_namespace.c is not in it; what stands for it says EINVAL (include/linux/pid_namespace.h:copy_pid_ns).
        (_, Some(libc::EINVAL)) if *what == MAKE_PID_NAMESPACE => {
            "use a kernel that is built with CONFIG_PID_NS; if this one is, run outside the sandbox that forbids it"
        }
        (_, Some(libc::ENOSYS)) => "use Linux 5.9 or newer, and a sandbox that lets clone3 through",
        _ => "run as root, or outside the sandbox that forbids it",
    };
    Unavailable::new(reason, remedy)
}

/// The guard's life: until the program or the conductor is gone. Answers the signal that ended the conductor, if it was another's.
fn watch(control: &UnixStream, conductor: &OwnedFd) -> i32 {
    let wanted = [(control.as_fd(), libc::POLLRDHUP), (conductor.as_fd(), libc::POLLIN)];
    // If poll itself fails there is nothing left to watch with: end, and the conductor ends by its parent's death.
    let _ = os::poll(wanted, -1);
    let was_dead = matches!(os::poll([(conductor.as_fd(), libc::POLLIN)], 0), Ok([events]) if events != 0);
    os::kill_pidfd(conductor.as_raw_fd());
    if was_dead {
        return os::ended_by(conductor.as_raw_fd());
    }
    let _ = os::reap_pidfd(conductor.as_fd());
    0
}

/// Sees that the conductor does not outlive the guard.
fn become_conductor(guard_lives: &OwnedFd) -> Result<(), Unavailable> {
    os::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as usize).map_err(|_| needs::filtered("prctl"))?;
    // Had the guard died before the line above, nobody would ever kill this process: then the pipe has no writer.
    match os::poll([(guard_lives.as_fd(), libc::POLLIN)], 0) {
        Ok([0]) => Ok(()),
        Ok(_) => Err(Unavailable::new("the guard of this helper has ended", "run it again")),
        Err(_) => Err(needs::filtered("poll")),
    }
}

fn make_ready(
    user_namespace: bool,
    outside: Outside,
    program: Option<Program>,
    look: Look,
) -> Result<Conductor, Unavailable> {
    own_procfs().map_err(|refused| unavailable(&Refused { in_user_namespace: user_namespace, ..refused }))?;
    Conductor::new(outside, program, look).map_err(|trouble| match trouble {
        Trouble::Lacks(why) => why,
        Trouble::Broken(reason) => Unavailable::new(
            format!("a first process in a PID namespace of its own could not be run: {reason}"),
            "use Linux 5.9 or newer, and a sandbox that lets clone3, pidfds and /proc through",
        ),
    })
}

/// After so many steps a long run gives a sign of life.
const STEPS_A_SIGN: usize = 32;

/// The conductor's life: run what is asked for, until nobody asks any more, or until a run has done harm.
fn conduct(mut control: UnixStream, user_namespace: bool, used_up: bool, mut conductor: Conductor) {
    let hello = Hello::Ready {
        release: os::release(),
        facts: conductor.facts().clone(),
        user_namespace,
        used_up,
        refused: conductor.refused(),
        look: conductor.look(),
        real_time: conductor.real_time(),
    };
    if wire::send(&mut control, &hello).is_err() {
        return;
    }
    while let Ok(request) = wire::receive::<Request>(&mut control) {
        let mut taken = 0;
        let response = conductor.run(&request, |observation| {
            taken += 1;
            if !request.held {
                let is_due = taken % STEPS_A_SIGN == 0;
                return if is_due { wire::send(&mut control, &Answer::Taken(taken)) } else { Ok(()) };
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
