//! Whether what a log has is what the model has.

use pidlab_scenario::{Errno, Handled, Outcome, Signal};

use crate::event::{Answer, From, Shown};

/// Whether a signal may come though nobody in the log has sent it: from a terminal, a timer, a fault, or a write into a pipe that nobody
/// reads.
pub(crate) fn is_from_nobody(shown: &Shown) -> bool {
    matches!(shown.from, From::Kernel | From::Fault) || shown.signal == Signal::PIPE && shown.from == From::Process
}

/// Whether an answer of the log is this outcome.
pub(crate) fn fits(answer: &Answer, outcome: &Outcome) -> bool {
    match (answer, outcome) {
        (Answer::Never, _) => true,
        (Answer::Interrupted, Outcome::Err(errno)) => *errno == Errno::EINTR,
        (Answer::Fails(name), Outcome::Err(errno)) => errno.name() == name,
        (Answer::Number(told), Outcome::Ok(number)) => told == number,
        (Answer::Succeeds, outcome) => !matches!(outcome, Outcome::Err(_)),
        (Answer::Waited { number: told, status: says }, Outcome::Waited { number, status, .. }) => {
            told == number && says.is_none_or(|says| says == *status)
        }
        (Answer::Took(told), Outcome::Taken(taken)) => shows(told, taken),
        (Answer::Read { signal, si_pid, child }, Outcome::Taken(taken)) => {
            *signal == taken.signal
                && si_pid.is_none_or(|si_pid| si_pid == taken.si_pid)
                && (child.is_none() || *child == taken.child)
        }
        _ => false,
    }
}

/// Whether a signal as strace shows it is this one.
pub(crate) fn shows(told: &Shown, is: &Handled) -> bool {
    let sender = match (told.from, told.si_pid) {
        (From::Fault | From::Kernel, _) | (_, None) => true,
        (_, Some(si_pid)) => si_pid == is.si_pid,
    };
    told.signal == is.signal && sender && told.child == is.child
}
