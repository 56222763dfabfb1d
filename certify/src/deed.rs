//! What a puppet is told for a call of a scenario. What nobody can be told is refused by the same words before anything is started.

use pidlab_scenario::{
    Call, ExitSignal, KillTarget, MaskChange, Role, Signal, SignalAction, Target, WaitOptions, WaitTarget,
};

use crate::said::Order;

/// What it comes to.
#[derive(Debug)]
pub(crate) enum Deed {
    /// It makes a child.
    Fork(Role),
    Exit(u8),
    /// It says this of itself.
    Tell(Known),
    Do(Order),
}

/// What a process knows of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known {
    Pid,
    Parent,
    Group,
    Session,
}

/// What puppets can do, for who asks for something else.
pub(crate) const CAN: &str = "those inside can `fork`, `exit`, `kill`, `sigaction`, `sigprocmask`, `setsid`, `setpgid`, `wait`, `getpid`, \
                              `getppid`, `getpgid`, `getsid` and `set_child_subreaper`";

/// Only these numbers mean the same whatever the program under test starts beside its command.
const NUMBERS: &str = "what number somebody has depends on the program: name a process";

/// What a process is told for a call; `number` says which PID a role has for it.
///
/// # Errors
/// Why that cannot be, as a fragment.
pub(crate) fn deed(by: Role, call: &Call, number: impl Fn(Role) -> Option<i32>) -> Result<Deed, String> {
    let of = |role: Role| number(role).ok_or_else(|| "it names somebody who was never born".to_owned());
    Ok(match call {
        Call::Fork { child } => Deed::Fork(*child),
        Call::Clone { child, flags, exit_signal, set_tid } => {
            let is_plain = matches!(exit_signal, ExitSignal::Default | ExitSignal::Signal(Signal::CHLD));
            match flags.is_empty() && is_plain && set_tid.is_empty() {
                true => Deed::Fork(*child),
                false => return Err("of all that clone can do here it can only do what fork does".to_owned()),
            }
        }
        // Of a status wait(2) gives the low eight bits.
        Call::Exit { status } => Deed::Exit(status.to_le_bytes()[0]),
        Call::Kill { target, signal } => {
            let pid = match target {
                KillTarget::Pid(Target::Role(role)) => of(*role)?,
                KillTarget::Pid(Target::Number(number @ -1..=1)) => *number,
                KillTarget::Group(Target::Role(role)) => -of(*role)?,
                _ => return Err(NUMBERS.to_owned()),
            };
            Deed::Do(Order::Signal { pid, signal: signal.map_or(0, |signal| signal.number().into()) })
        }
        Call::Sigaction { signal, action } => {
            let signal = signal.number().into();
            Deed::Do(match action {
                SignalAction::Handle | SignalAction::HandleRestart => Order::Handle { signal },
                SignalAction::Ignore => Order::Ignore { signal },
                SignalAction::Default => Order::Default { signal },
                SignalAction::NoCldWait => return Err("`nocldwait` cannot be set here".to_owned()),
            })
        }
        Call::Sigprocmask { how, signal } => {
            let signal = signal.number().into();
            Deed::Do(match how {
                MaskChange::Block => Order::Block { signal },
                MaskChange::Unblock => Order::Unblock { signal },
            })
        }
        Call::Wait { target, options } => {
            let pid = match target {
                WaitTarget::Any => -1,
                WaitTarget::Pid(Target::Role(role)) => of(*role)?,
                _ => return Err("here it can wait for any child, or for one by its name".to_owned()),
            };
            let known = WaitOptions::WNOHANG | WaitOptions::WSTOPPED | WaitOptions::WCONTINUED;
            if !known.contains(*options) {
                return Err("here a wait has no options but WNOHANG, WSTOPPED and WCONTINUED".to_owned());
            }
            Deed::Do(Order::WaitFor { pid, options: options.bits() })
        }
        Call::Setsid => Deed::Do(Order::Setsid),
        Call::Setpgid { pid, group } => {
            let one = |target: &Target| match target {
                Target::Role(role) => of(*role),
                Target::Number(0) => Ok(0),
                Target::Number(_) => Err(NUMBERS.to_owned()),
            };
            Deed::Do(Order::Join { pid: one(pid)?, group: one(group)? })
        }
        Call::SetChildSubreaper { on } => Deed::Do(Order::Subreaper { on: *on }),
        Call::Getpid => Deed::Tell(Known::Pid),
        Call::Getppid => Deed::Tell(Known::Parent),
        Call::Getpgid { pid } if is_caller(by, *pid) => Deed::Tell(Known::Group),
        Call::Getsid { pid } if is_caller(by, *pid) => Deed::Tell(Known::Session),
        Call::Getpgid { .. } | Call::Getsid { .. } => return Err("here it can only ask for its own".to_owned()),
        other => return Err(format!("nobody inside can `{}`", other.name())),
    })
}

fn is_caller(by: Role, target: Target) -> bool {
    matches!(target, Target::Number(0)) || target == Target::Role(by)
}
