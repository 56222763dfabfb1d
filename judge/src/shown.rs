//! A signal as strace shows it.

use pidlab_scenario::Signal;

use crate::event::{From, Shown};
use crate::words::{child_status, field, number, signal};

/// Reads a `siginfo_t`; the signal stands in it, or before it.
pub(crate) fn shown(info: &str, name: Option<&str>) -> Option<Shown> {
    let signal: Signal = signal(name.or_else(|| field(info, "si_signo"))?)?;
    let code = field(info, "si_code").unwrap_or_default();
    let from = match code {
        "SI_USER" | "SI_TKILL" | "SI_QUEUE" | "SI_MESGQ" | "SI_ASYNCIO" | "SI_SIGIO" => From::Process,
        code if code.starts_with("CLD_") => From::Child,
        code if code.starts_with("SI_") || code.starts_with("POLL_") => From::Kernel,
        _ => From::Fault,
    };
    let si_pid = field(info, "si_pid").and_then(number).and_then(|pid| u32::try_from(pid).ok());
    Some(Shown { signal, from, si_pid, child: child_status(info) })
}
