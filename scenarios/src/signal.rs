use std::fmt;
use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

/// A signal, 1 to 64, with Linux's names and numbers on the common architectures (signal(7), "Standard signals").
///
/// Signal 0, the existence probe of kill(2), is not a signal: where it is allowed, the argument is `Option<Signal>`.
/// Such an option is one byte, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Signal(NonZeroU8);

/// Names in the order of their numbers; index 0 is signal 1.
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

impl Signal {
    /// `SIGHUP`, 1.
    pub const HUP: Signal = Signal::known(1);
    /// `SIGINT`, 2.
    pub const INT: Signal = Signal::known(2);
    /// `SIGTRAP`, 5.
    pub const TRAP: Signal = Signal::known(5);
    /// `SIGABRT`, 6.
    pub const ABRT: Signal = Signal::known(6);
    /// `SIGKILL`, 9.
    pub const KILL: Signal = Signal::known(9);
    /// `SIGUSR1`, 10.
    pub const USR1: Signal = Signal::known(10);
    /// `SIGSEGV`, 11.
    pub const SEGV: Signal = Signal::known(11);
    /// `SIGUSR2`, 12.
    pub const USR2: Signal = Signal::known(12);
    /// `SIGPIPE`, 13.
    pub const PIPE: Signal = Signal::known(13);
    /// `SIGTERM`, 15.
    pub const TERM: Signal = Signal::known(15);
    /// `SIGCHLD`, 17.
    pub const CHLD: Signal = Signal::known(17);
    /// `SIGCONT`, 18.
    pub const CONT: Signal = Signal::known(18);
    /// `SIGSTOP`, 19.
    pub const STOP: Signal = Signal::known(19);
    /// `SIGTSTP`, 20.
    pub const TSTP: Signal = Signal::known(20);
    /// `SIGTTIN`, 21.
    pub const TTIN: Signal = Signal::known(21);
    /// `SIGTTOU`, 22.
    pub const TTOU: Signal = Signal::known(22);
    /// `SIGURG`, 23.
    pub const URG: Signal = Signal::known(23);
    /// `SIGWINCH`, 28.
    pub const WINCH: Signal = Signal::known(28);
    /// `SIGSYS`, 31.
    pub const SYS: Signal = Signal::known(31);

    const fn known(number: u8) -> Signal {
        Signal(NonZeroU8::new(number).expect("no signal is 0"))
    }

    /// The signal with this number, `None` outside 1 to 64.
    #[inline]
    pub const fn new(number: i64) -> Option<Signal> {
        if number >= 1 && number <= 64 { Some(Signal::known(number as u8)) } else { None }
    }

    /// Its number, 1 to 64.
    pub const fn number(self) -> u8 {
        self.0.get()
    }

    /// The signal with this name: `SIGTERM`, `SIGRTMIN`, `SIGRTMIN+3`.
    ///
    /// `SIGRTMIN` is 34, as the C libraries have it: they keep 32 and 33 for themselves.
    pub fn from_name(name: &str) -> Option<Signal> {
        if let Some(index) = NAMES.iter().position(|known| *known == name) {
            return Signal::new(index as i64 + 1);
        }
        match name {
            "SIGIOT" => Some(Signal::ABRT),
            "SIGPOLL" => Signal::new(29),
            "SIGRTMIN" => Signal::new(34),
            "SIGRTMAX" => Signal::new(64),
            _ => {
                let offset: i64 = name.strip_prefix("SIGRTMIN+")?.parse().ok()?;
                if (0..=30).contains(&offset) { Signal::new(34 + offset) } else { None }
            }
        }
    }

    /// Every signal that has a name of its own, in order of number.
    pub fn named() -> impl Iterator<Item = (Signal, &'static str)> {
        NAMES.iter().enumerate().map(|(index, name)| (Signal::known(index as u8 + 1), *name))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            number @ 1..=31 => f.write_str(NAMES[usize::from(number) - 1]),
            34 => f.write_str("SIGRTMIN"),
            number @ 35..=64 => write!(f, "SIGRTMIN+{}", number - 34),
            number => write!(f, "SIG{number}"),
        }
    }
}
