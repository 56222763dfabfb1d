//! How the conductor looks at processes: through procfs, by calls, or by a program in the kernel that sees all of them at once.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use crate::asleep::{self, Witness};
use crate::blame;
use crate::bpf::{Looker, Program};
use crate::lean::Rest;
use crate::probe;
use crate::sight::{self, Sight, Stat};
use crate::surroundings::{self, Surroundings};
use crate::sys::os;
use crate::trouble::{Trouble, Unavailable};

/// A way to look at the processes of a scenario. What is seen is the same; only the time that it takes is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Look {
    /// The fastest that there is here.
    #[default]
    Auto,
    /// By `/proc/PID/stat`, `status` and `wchan`.
    Procfs,
    /// By `/proc/PID/wchan`, and calls in place of the other files for who has nothing to do, which takes Linux 6.13.
    Lean,
    /// By a BPF program, which takes Linux 6.14 with type information (`CONFIG_DEBUG_INFO_BTF`), and root.
    Bpf,
    /// By such a program, or calls where none can be had, and whatever either shows of a world that stands still is held against procfs: for who doubts
    /// them.
    Both,
}

impl Look {
    /// All ways, and the choice among them.
    pub const ALL: [Look; 5] = [Look::Auto, Look::Procfs, Look::Lean, Look::Bpf, Look::Both];

    /// As it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Look::Auto => "auto",
            Look::Procfs => "procfs",
            Look::Lean => "lean",
            Look::Bpf => "bpf",
            Look::Both => "both",
        }
    }

    /// In words, to follow on "looked at".
    pub const fn in_words(self) -> &'static str {
        match self {
            Look::Auto => "in the fastest way",
            Look::Procfs => "through procfs",
            Look::Lean => "by calls, and through procfs where these do not tell",
            Look::Bpf => "by a BPF program",
            Look::Both => "in the fastest way, and through procfs to compare",
        }
    }
}

/// What the conductor looks with.
pub(crate) struct Eyes {
    pub(crate) kind: Kind,
    /// Where who has nothing to do sleeps, if calls are enough to look at who is there.
    pub(crate) rest: Option<Rest>,
    /// Whether what is seen is held against procfs every time.
    pub(crate) doubts: bool,
    /// Any file of procfs, for calls that want one.
    any: File,
}

/// The ways themselves.
pub(crate) enum Kind {
    /// By files, and how these tell that a process is asleep.
    Files(Witness),
    Program(&'static Looker),
}

impl Eyes {
    /// Opens them, for the life of this process; with this program, if it was made.
    ///
    /// # Errors
    /// What this place lacks for the way that is asked for.
    pub(crate) fn open(program: Option<Program>, wanted: Look) -> Result<&'static Eyes, Trouble> {
        let any = File::open("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
        let made = program.and_then(Looker::with);
        // After what is held for good: the descriptors of a run begin at the lowest that is free.
        let asleep = Sleeper::fall_asleep()?;
        let witness = asleep.witness()?;
        // Before the program is tried out, by which this process ends.
        let rest = match (&made, wanted) {
            (None, Look::Lean | Look::Both) => Some(asleep.rest(witness)?.ok_or_else(no_calls)?),
            (Some(_), Look::Both) => asleep.rest(witness)?,
            // Who has not asked for a way is not kept from running by what is wrong with it.
            (None, Look::Auto) => asleep.rest(witness).ok().flatten(),
            (Some(_), _) | (None, Look::Procfs | Look::Bpf) => None,
        };
        let looker = match (made, wanted) {
            (None, Look::Bpf) => return Err(no_program().into()),
            (None, _) => None,
            (Some(looker), Look::Auto) => asleep.compare(looker).is_ok().then_some(looker),
            (Some(looker), _) => asleep.compare(looker).map(|()| Some(looker))?,
        };
        let kind = looker.map_or(Kind::Files(witness), Kind::Program);
        Ok(Box::leak(Box::new(Eyes { kind, rest, doubts: wanted == Look::Both, any })))
    }

    /// The way that is gone.
    pub(crate) fn look(&self) -> Look {
        match self.kind {
            _ if self.doubts => Look::Both,
            Kind::Program(_) => Look::Bpf,
            Kind::Files(_) if self.rest.is_some() => Look::Lean,
            Kind::Files(_) => Look::Procfs,
        }
    }

    /// A file that nobody gets signals of.
    pub(crate) fn any_file(&self) -> BorrowedFd<'_> {
        self.any.as_fd()
    }
}

fn no_program() -> Unavailable {
    Unavailable::new(
        "this kernel takes no BPF program that looks at processes",
        "use Linux 6.14 or newer with CONFIG_DEBUG_INFO_BTF, as root of the machine and outside of sandboxes, or another way (--look)",
    )
}

fn no_calls() -> Unavailable {
    Unavailable::new(
        "this kernel has not the calls that look at processes, or does not say in /proc/PID/wchan where they sleep",
        "use Linux 6.13 or newer with CONFIG_KALLSYMS, or another way (--look)",
    )
}

/// Makes the program for this way to look, where it may be asked for: as root of the machine, and where nothing ends who asks.
pub(crate) fn program(wanted: Look) -> Option<Program> {
    let may_ask = !matches!(wanted, Look::Procfs | Look::Lean)
        && surroundings::is_in_first_user_namespace()
        && Surroundings::here().effective.has("CAP_SYS_ADMIN")
        && probe::bpf_comes_through();
    may_ask.then(Program::make).flatten()
}

/// A process that sleeps in futex(2), to try out how it is seen.
struct Sleeper {
    number: i32,
    pidfd: OwnedFd,
}

impl Sleeper {
    fn fall_asleep() -> Result<Sleeper, Trouble> {
        let refused = |error| blame::trouble("a process could not be made (clone3)", &error);
        match os::fork().map_err(refused)? {
            Some((number, pidfd)) => Ok(Sleeper { number, pidfd }),
            None => asleep::sleep_for_ever(),
        }
    }

    fn witness(&self) -> Result<Witness, Trouble> {
        Witness::of_this_kernel(self.number)
    }

    /// Where it rests, if a look by calls is possible at who is there.
    ///
    /// # Errors
    /// Calls and files say different things of it.
    fn rest(&self, witness: Witness) -> Result<Option<Rest>, Trouble> {
        let failed = |error| Trouble::Broken(format!("a look by calls: {error}"));
        if witness == Witness::Call { Ok(None) } else { Rest::learn(self.number, self.pidfd.as_fd()).map_err(failed) }
    }

    /// Holds what a program sees against what procfs shows: of this process asleep, of the one that looks, which runs, and of this one
    /// again when it has ended.
    ///
    /// # Errors
    /// They differ: then the program is not to be believed.
    fn compare(&self, looker: &'static Looker) -> Result<(), Trouble> {
        let failed = |error: io::Error| Trouble::Broken(format!("a look by BPF: {error}"));
        let files = Sight::by_files(self.number, Witness::Place).map_err(failed)?;
        let compare = |when: &str| {
            let (program, told, _) = Sight::by_program(looker, self.number).map_err(failed)?;
            let by_files = (files.stat_now(self.number), sight::read_status(self.number).map_err(failed)?);
            let by_program = (program.stat_now(self.number), told);
            if by_files == by_program {
                return Ok(program);
            }
            Err(Trouble::Broken(format!(
                "a process that {when}: procfs has {by_files:?}, a BPF program {by_program:?}"
            )))
        };
        let sleeping = compare("sleeps")?;
        if !sleeping.is_asleep(self.number) {
            return Err(Trouble::Broken("a look by BPF does not see who sleeps".to_owned()));
        }
        os::kill_pidfd(self.pidfd.as_raw_fd());
        os::poll([(self.pidfd.as_fd(), libc::POLLIN)], -1).map_err(failed)?;
        compare("has ended")?;
        let own = i32::try_from(std::process::id()).map_err(io::Error::other).map_err(failed)?;
        let (running, ..) = Sight::by_program(looker, own).map_err(failed)?;
        match running.stat_now(own) {
            Some(Stat { state: b'R', .. }) if !running.is_asleep(own) => Ok(()),
            other => Err(Trouble::Broken(format!("a look by BPF at one that runs gives {other:?}"))),
        }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        os::kill_pidfd(self.pidfd.as_raw_fd());
        // It has no parent but this process, and no reason to stay.
        let _ = os::reap_pidfd(self.pidfd.as_fd());
    }
}
