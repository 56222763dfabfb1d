//! Is what was recorded what Linux allows?
//!
//! A log of strace(1) is a list of answers that a kernel gave: PIDs, errnos, statuses, senders of signals. Calls overlap, so it has many orders. This
//! crate looks for one in which the model of `pidlab-sim` gives every one of these answers. If there is none, it says which event is the first that
//! no order explains, and what Linux would have allowed there.
//!
//! ```
//! use pidlab_judge::{Finding, Log, Options, judge};
//!
//! let text = "\
//! 41 execve(\"/bin/sh\", [\"sh\"], 0x1 /* 0 vars */) = 0
//! 41 fork() = 42
//! 42 exit_group(3) = ?
//! 42 +++ exited with 3 +++
//! 41 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=42, si_uid=0, si_status=3} ---
//! 41 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 42
//! 41 exit_group(0) = ?
//! 41 +++ exited with 0 +++
//! ";
//! let verdict = judge(&Log::read(text, false)?, &Options::default())?;
//! assert!(matches!(verdict.finding, Finding::Accepted));
//!
//! let altered = text.replace("WEXITSTATUS(s) == 3", "WEXITSTATUS(s) == 4");
//! let verdict = judge(&Log::read(&altered, false)?, &Options::default())?;
//! let Finding::Refuted(refuted) = verdict.finding else { panic!("a wait tells how the child ended") };
//! assert_eq!(refuted.line, 6);
//! # Ok::<(), pidlab_judge::Unreadable>(())
//! ```
//!
//! A log is a text and a verdict is a value: no I/O, no clock, nothing is run.
//!
//! Modules in reading order: `line` and `log` (a log as records), `header` (what `pidlab record` writes before it), `words`, `tasks` (who is who), `users` (and whose), `event`,
//! `shown`, `calls` and `signalfd` (records in the words of the scenario language), `before` and `program` (what each role does), `fits`, `node`, `moves` and `search`
//! (an order for all of it), `told` and `verdict` (what is said of it), `settled` (the same answers as a scenario).
#![forbid(unsafe_code)]

mod line;

mod header;

mod log;

mod words;

mod tasks;

mod users;

mod event;

mod shown;

mod calls;

mod before;

mod signalfd;

mod program;

mod fits;

mod node;

mod moves;

mod search;

mod told;

mod settled;

mod verdict;

pub use header::{CALLS, Surroundings, options, options_with_reads};
pub use log::{Fault, Log, Unreadable};
pub use told::Told;
pub use verdict::{Allowed, Finding, Options, Refuted, Verdict, judge, scenario};
