//! The handle of a helper.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pidlab_scenario::{Facts, Machine, Observation, Run, Scenario, Signal};

use crate::blame;
use crate::eyes::Look;
use crate::guard;
use crate::priority::{self, Priority};
use crate::sharing::Sharing;
use crate::start;
use crate::surroundings::Surroundings;
use crate::sys::{memory, os};
use crate::trouble::Unavailable;
use crate::wire::{self, Answer, Failure, GREETING, GoOn, Hello, Request, Response, Setup};

/// How a lab is set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LabOptions {
    /// The CPU that its processes run on; the first allowed one if absent. Two labs are best on two CPUs.
    pub cpu: Option<usize>,
    /// Whether processes share their memory.
    pub sharing: Sharing,
    /// Give up root first, and go the way of an ordinary user: a user namespace. For tests of that way.
    pub unprivileged: bool,
    /// How processes are looked at.
    pub look: Look,
    /// Whether processes have real-time priorities.
    pub priority: Priority,
}

impl LabOptions {
    /// With its processes on this CPU.
    #[must_use]
    pub fn on_cpu(self, cpu: impl Into<Option<usize>>) -> LabOptions {
        LabOptions { cpu: cpu.into(), ..self }
    }

    /// With processes that share their memory in this way.
    #[must_use]
    pub fn with_sharing(self, sharing: Sharing) -> LabOptions {
        LabOptions { sharing, ..self }
    }

    /// With processes looked at in this way.
    #[must_use]
    pub fn looking(self, look: Look) -> LabOptions {
        LabOptions { look, ..self }
    }

    /// With processes that have real-time priorities or not.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> LabOptions {
        LabOptions { priority, ..self }
    }

    /// Given up root or not, before anything else.
    #[must_use]
    pub fn as_ordinary_user(self, unprivileged: bool) -> LabOptions {
        LabOptions { unprivileged, ..self }
    }
}

/// How one scenario is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Whether processes share their memory.
    pub sharing: Sharing,
    /// Whether they have real-time priorities. A lab that was set up with an answer to that has none but this.
    pub priority: Priority,
}

impl From<Sharing> for RunOptions {
    fn from(sharing: Sharing) -> RunOptions {
        RunOptions { sharing, ..RunOptions::default() }
    }
}

impl RunOptions {
    /// With real-time priorities or not.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> RunOptions {
        RunOptions { priority, ..self }
    }
}

/// The kernel that a lab runs on.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Kernel {
    /// As uname(2) gives it.
    pub release: String,
    /// What it is like, found out by behaviour.
    pub facts: Facts,
    /// Whether the lab needed a user namespace.
    pub user_namespace: bool,
    /// Whether it did because root has used up its PID namespaces (`user.max_pid_namespaces`).
    pub used_up: bool,
    /// How it looks at processes.
    pub look: Look,
    /// Whether processes can have real-time priorities.
    pub real_time: bool,
    /// The place where the lab is.
    pub surroundings: Surroundings,
}

/// Why a run gave no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum LabError {
    /// The helper could not be reached, and a new one could not be started.
    Helper(io::Error),
    /// The kernel side has become unavailable.
    Unavailable(Unavailable),
    /// What this scenario needs is lacking here (a capability, a limit, a system call that a sandbox refuses), so it was not run to its
    /// end. Others may run.
    Lacking(Unavailable),
    /// The helper could not bring the run to an end.
    Run(String),
    /// It took longer than [`Lab::limit_time`] allows. What it had made is gone.
    TimedOut,
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabError::Helper(error) => write!(f, "the helper process: {error}"),
            LabError::Unavailable(why) | LabError::Lacking(why) => write!(f, "{why}"),
            LabError::Run(why) => f.write_str(why),
            LabError::TimedOut => f.write_str("it took longer than it was given"),
        }
    }
}

impl std::error::Error for LabError {}

/// A place where scenarios run with real processes: a helper process, bound to one CPU.
///
/// Labs are independent of each other. Dropping one ends its helper and everything below it.
///
/// ```
/// use pidlab_realkernel::{Lab, LabOptions};
/// use pidlab_scenario::{Machine, Outcome, Scenario};
///
/// let text = r#"
///     title = "A new namespace starts at 1"
///     steps = [
///       { by = "host", call = "clone",  child = "init", flags = ["CLONE_NEWPID"] },
///       { by = "init", call = "getpid" },
///     ]
/// "#;
/// let scenario = Scenario::parse("example", "example.toml", text)?;
/// match Lab::open(LabOptions::default()) {
///     Ok(mut lab) => {
///         let run = lab.run(&scenario)?;
///         assert_eq!(run.observations[1].outcome, Some(Outcome::Ok(2)));
///         assert_eq!(run.observations[2].outcome, Some(Outcome::Ok(1)));
///     }
///     Err(why) => eprintln!("no kernel to test on: {why}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Lab {
    options: LabOptions,
    kernel: Kernel,
    helper: Option<Helper>,
    /// Set when a run has changed something of the machine.
    harmful: Option<Unavailable>,
    /// How long a run may take.
    limit: Option<Duration>,
}

impl Lab {
    /// Starts a helper and makes sure that it can run scenarios.
    ///
    /// # Errors
    /// Where the kernel, or a sandbox around this program, does not let it.
    pub fn open(options: LabOptions) -> Result<Lab, Unavailable> {
        let (helper, kernel) = Helper::start(options).map_err(|error| match error {
            LabError::Unavailable(unavailable) | LabError::Lacking(unavailable) => unavailable,
            other => Unavailable {
                reason: format!("a helper process could not be started: {other}"),
                remedy: "see that this program may start itself again (/proc/self/exe)".to_owned(),
            },
        })?;
        // No run of it would come to anything.
        if options.priority == Priority::RealTime && !kernel.real_time {
            return Err(priority::refused());
        }
        Ok(Lab { options, kernel, helper: Some(helper), harmful: None, limit: None })
    }

    /// Gives up runs that take longer, from now on: [`LabError::TimedOut`]. Without a limit, which is so at first, a run takes as long as
    /// it does.
    pub fn limit_time(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    /// The kernel at hand.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs a scenario and looks at the processes at the start and after the last step only. Outcomes are those of every step,
    /// and quiet is proven after every step as ever.
    ///
    /// # Errors
    /// As [`Machine::run`] of a lab.
    pub fn run_results_only(&mut self, scenario: &Scenario) -> Result<Run, LabError> {
        self.ask(scenario, false, NOBODY)
    }

    /// Runs a scenario as [`Machine::run`] does, but in this way instead of the lab's; a [`Sharing`] alone will do.
    ///
    /// # Errors
    /// As [`Machine::run`] of a lab.
    pub fn run_with(&mut self, scenario: &Scenario, options: impl Into<RunOptions>) -> Result<Run, LabError> {
        self.run_told(scenario, options, |_| {})
    }

    /// The same, and calls `told` now and then while a long run goes on, with how many steps it has taken.
    ///
    /// # Errors
    /// As [`Machine::run`] of a lab.
    pub fn run_told(
        &mut self,
        scenario: &Scenario,
        options: impl Into<RunOptions>,
        told: impl FnMut(usize),
    ) -> Result<Run, LabError> {
        let RunOptions { sharing, priority } = options.into();
        let usual = self.options;
        self.options.sharing = sharing;
        if usual.priority == Priority::Auto {
            self.options.priority = priority;
        }
        let run = self.ask_told(scenario, true, NOBODY, told);
        self.options = usual;
        run
    }

    /// The number of the helper's guard process, for tests that end it.
    #[doc(hidden)]
    pub fn helper_pid(&self) -> Option<u32> {
        self.helper.as_ref().map(|helper| helper.guard.id())
    }

    /// Runs a scenario, and calls `look` with each observation while the world stands still as it was observed: for tests that look
    /// for themselves.
    ///
    /// # Errors
    /// As [`Machine::run`] of a lab.
    #[doc(hidden)]
    pub fn run_held(&mut self, scenario: &Scenario, look: impl FnMut(&Observation)) -> Result<Run, LabError> {
        self.ask(scenario, true, Some(look))
    }

    fn ask(
        &mut self,
        scenario: &Scenario,
        every_step: bool,
        look: Option<impl FnMut(&Observation)>,
    ) -> Result<Run, LabError> {
        self.ask_told(scenario, every_step, look, |_| {})
    }

    fn ask_told(
        &mut self,
        scenario: &Scenario,
        every_step: bool,
        mut look: Option<impl FnMut(&Observation)>,
        told: impl FnMut(usize),
    ) -> Result<Run, LabError> {
        if let Some(why) = &self.harmful {
            return Err(LabError::Unavailable(why.clone()));
        }
        let LabOptions { sharing, priority, .. } = self.options;
        let request = Request { scenario: scenario.clone(), sharing, priority, every_step, held: look.is_some() };
        let mut helper = match self.helper.take() {
            Some(helper) => helper,
            None => Helper::start(self.options)?.0,
        };
        // What is left of a run that did not end is not known: the helper goes, and with it everything that it made.
        // A time that no clock reaches is no limit.
        let until = self.limit.and_then(|limit| Instant::now().checked_add(limit));
        match helper.run(&request, until, |observation| look.iter_mut().for_each(|look| look(observation)), told) {
            Ok(Ok(run)) => {
                self.helper = Some(helper);
                Ok(run)
            }
            Ok(Err(Failure::Run(why))) => Err(LabError::Run(why)),
            Ok(Err(Failure::Lacks(why))) => Err(LabError::Lacking(why)),
            // The guard puts back what was changed before it ends, and its end is waited for.
            Ok(Err(Failure::Machine(reason))) => {
                drop(helper);
                let remedy =
                    "it was put back; nothing more is run here. Please report it, with the kernel's version".to_owned();
                let why = self.harmful.insert(Unavailable { reason, remedy });
                Err(LabError::Unavailable(why.clone()))
            }
            Err(error) if until.is_some() && is_of_time(&error) => Err(LabError::TimedOut),
            Err(error) => Err(helper.ended(error)),
        }
    }
}

/// Whether a socket was waited for as long as it may be.
fn is_of_time(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Who does not look.
const NOBODY: Option<fn(&Observation)> = None;

impl Machine for Lab {
    type Error = LabError;

    /// Runs the scenario with real processes.
    ///
    /// # Errors
    /// If the helper is gone, or if the world did not become quiet. The next run starts a new helper. If a run has changed something of
    /// the machine, which would be a fault of this crate, then no other run follows it.
    fn run(&mut self, scenario: &Scenario) -> Result<Run, LabError> {
        self.ask(scenario, true, NOBODY)
    }
}

/// Why a helper cannot run anything, and whether it may be able to without the user namespace that it chose.
type Declined = (Unavailable, bool);

/// The guard process and the socket to the conductor behind it.
#[derive(Debug)]
struct Helper {
    guard: Child,
    control: UnixStream,
}

impl Helper {
    fn start(options: LabOptions) -> Result<(Helper, Kernel), LabError> {
        let LabOptions { cpu, unprivileged, look, .. } = options;
        let setup = Setup { cpu, unprivileged, stay: false, entered: false, used_up: false, has_program: false, look };
        match Helper::start_so(setup)? {
            Ok(started) => Ok(started),
            // Without the user namespace less can be run, which is better than nothing.
            Err((why, true)) => {
                Helper::start_so(Setup { stay: true, ..setup })?.map_err(|_| LabError::Unavailable(why))
            }
            Err((why, false)) => Err(LabError::Unavailable(why)),
        }
    }

    /// The inner error says that the kernel side cannot run so.
    fn start_so(setup: Setup) -> Result<Result<(Helper, Kernel), Declined>, LabError> {
        let (mut control, theirs) = UnixStream::pair().map_err(LabError::Helper)?;
        control.write_all(&GREETING).map_err(LabError::Helper)?;
        // The constructor must be part of this program, or the helper would be a second instance of it.
        assert_ne!(start::constructor(), 0);
        let guard = Command::new("/proc/self/exe")
            .arg0("pidlab-helper")
            .env(guard::VARIABLE, setup.to_variable())
            .env(memory::WITHOUT_RSEQ.0, with_tunable())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(nowhere())
            .spawn()
            .map_err(|error| not_started(&error))?;
        let mut helper = Helper { guard, control };
        Ok(match wire::receive(&mut helper.control) {
            Ok(Hello::Ready { release, facts, user_namespace, used_up, refused, look, real_time }) => {
                let surroundings = Surroundings { refused, ..Surroundings::here() };
                Ok((helper, Kernel { release, facts, user_namespace, used_up, look, real_time, surroundings }))
            }
            Ok(Hello::Unavailable { why, in_needless_user_namespace }) => Err((why, in_needless_user_namespace)),
            Err(error) => return Err(helper.ended(error)),
        })
    }

    /// Why it does not answer any more.
    fn ended(mut self, error: io::Error) -> LabError {
        let _ = self.control.shutdown(std::net::Shutdown::Both);
        let Ok(status) = self.guard.wait() else { return LabError::Helper(error) };
        // The guard ends with the signal that ended the conductor.
        let signal = status.signal().or(status.code().filter(|code| (1..=64).contains(code)));
        let Some(signal) = signal else {
            return match status.code() {
                Some(guard::PANICKED) => LabError::Run("the helper process panicked: please report it".to_owned()),
                _ => LabError::Run(format!("the helper process did not answer: {error}")),
            };
        };
        let name = Signal::new(signal.into()).map_or_else(|| format!("signal {signal}"), |signal| signal.to_string());
        let remedy = match signal {
            libc::SIGSYS => "run outside the sandbox (seccomp) that ends who makes a system call, or allow the call",
            libc::SIGXCPU => "raise the limit of CPU time (ulimit -t)",
            libc::SIGXFSZ => "raise the limit of file sizes (ulimit -f)",
            libc::SIGKILL => "see who did it: often it is the limit of memory of a cgroup (dmesg, memory.events)",
            _ => return LabError::Run(format!("the helper process was ended by {name}: please report it")),
        };
        let reason = format!("the helper process was ended by {name}, which is no doing of this program");
        LabError::Lacking(Unavailable { reason, remedy: remedy.to_owned() })
    }
}

/// What the user has chosen of the C library, and that nothing is to be registered with the kernel.
fn with_tunable() -> OsString {
    let (variable, chosen) = memory::WITHOUT_RSEQ;
    let mut all = std::env::var_os(variable).filter(|all| !all.is_empty()).unwrap_or_default();
    if !all.is_empty() {
        all.push(":");
    }
    all.push(chosen);
    all
}

/// Where a helper would write, which writes nothing: also where there is no `/dev/null`.
fn nowhere() -> Stdio {
    let null = fs::File::options().write(true).open("/dev/null").map(OwnedFd::from);
    let null = null.or_else(|_| io::pipe().map(|(_, writer)| OwnedFd::from(writer)));
    null.map_or_else(|_| Stdio::null(), Stdio::from)
}

/// Why the helper could not even be started.
fn not_started(error: &io::Error) -> LabError {
    let what = "a helper process could not be started";
    let limit = error.raw_os_error().and_then(|errno| blame::limit(what, errno));
    let remedy = match error.raw_os_error() {
        Some(libc::EPERM | libc::ENOSYS) => {
            "use a seccomp profile that lets clone3 and execve through, or run outside the sandbox"
        }
        Some(libc::ENOENT | libc::EACCES) => {
            "mount /proc, and see that this program may start itself again (/proc/self/exe)"
        }
        _ => "see that this program may start itself again (/proc/self/exe)",
    };
    LabError::Unavailable(
        limit.unwrap_or_else(|| Unavailable { reason: format!("{what}: {error}"), remedy: remedy.to_owned() }),
    )
}

impl Helper {
    /// Bounds how long the socket is waited for.
    fn wait_until(&self, until: Option<Instant>) -> io::Result<()> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.control.set_read_timeout(left)?;
        self.control.set_write_timeout(left)
    }

    fn run(
        &mut self,
        request: &Request,
        until: Option<Instant>,
        mut look: impl FnMut(&Observation),
        mut told: impl FnMut(usize),
    ) -> io::Result<Response> {
        self.wait_until(until)?;
        wire::send(&mut self.control, request)?;
        loop {
            self.wait_until(until)?;
            match wire::receive(&mut self.control)? {
                Answer::Ended(response) => return Ok(response),
                Answer::Held(observation) => look(&observation),
                Answer::Taken(steps) => {
                    told(steps);
                    continue;
                }
            }
            wire::send(&mut self.control, &GoOn)?;
        }
    }
}

impl Drop for Helper {
    /// Hangs up, and waits until the guard has ended what hung on it.
    fn drop(&mut self) {
        // A guard that somebody has stopped would not see it, and its end would be waited for.
        os::continue_child(&self.guard);
        let _ = self.control.set_read_timeout(None);
        // The other end sees the hang-up; what it still says is read and thrown away until it has closed its end too.
        if self.control.shutdown(std::net::Shutdown::Write).is_ok() {
            guard::drain(&mut self.control);
        }
        // The guard is a child of this program, so waiting for it can only fail if somebody else has.
        let _ = self.guard.wait();
    }
}
