//! What can be seen of a play in which a stranger is PID 1, and what cannot.

use pidlab_scenario::{Call, Claim, Expect, OutcomeClaim, ProcessClaim, ReturnValue, Role, State, Step};

const SEEN: &str = "can be claimed: what a call of those inside gives, that somebody is \"gone\", `state`, `parent`, `ppid`, and which signals were \
                    `handled`, with `si_pid`";
const NUMBER: &str = "what number somebody has depends on what the program starts beside its command: name the process, as in `returns = \"leaf\"`";

/// Whether it is to be seen where the program is a stranger; why not, and what helps.
pub(crate) fn can_be_seen(step: &Step, init: Role, claim: &Claim) -> Result<(), (&'static str, &'static str)> {
    let states = |role: Role, state: State| match state {
        State::Running | State::Stopped | State::Zombie => Ok(()),
        State::Blocked if role == init => Ok(()),
        State::Blocked => Err(("who plays inside is never in a call", "claim that it is `running`, or `stopped`")),
        State::Traced | State::Exiting => Err(("nobody can look at such a moment", SEEN)),
    };
    match claim {
        Claim::Gone(Role::HOST) | Claim::Process(Role::HOST, _) => Err(("`host` is who looks", SEEN)),
        Claim::Gone(_) => Ok(()),
        Claim::Outcome(OutcomeClaim::Result(Expect::Returns(ReturnValue::Number(number)))) => match step.call {
            Call::Fork { .. } | Call::Clone { .. } | Call::Setsid | Call::Getpid => {
                Err(("a PID is different each time", NUMBER))
            }
            Call::Wait { .. } | Call::Getpgid { .. } | Call::Getsid { .. } if *number > 0 => {
                Err(("a PID is different each time", NUMBER))
            }
            Call::Getppid if *number > 1 => Err(("a PID is different each time", NUMBER)),
            _ => Ok(()),
        },
        Claim::Outcome(OutcomeClaim::Result(Expect::Blocks)) if matches!(step.call, Call::Wait { .. }) => {
            Err(("nobody who plays can be asleep in a wait", "let it wait later, or with WNOHANG"))
        }
        Claim::Outcome(OutcomeClaim::Result(_) | OutcomeClaim::Status(_)) => Ok(()),
        Claim::Outcome(_) => Err(("nobody who plays gives it", SEEN)),
        Claim::Process(role, ProcessClaim::State(state)) => states(*role, *state),
        Claim::Process(role, _) if *role == init => {
            Err(("of the program only its state is seen, and that it is gone", "claim what those inside get of it"))
        }
        Claim::Process(_, ProcessClaim::Parent(Some(_)) | ProcessClaim::Ppid(0 | 1)) => Ok(()),
        Claim::Process(_, ProcessClaim::Parent(None)) => Err(("everybody here has a parent in the scenario", SEEN)),
        Claim::Process(_, ProcessClaim::Handled(signals)) => {
            let number = signals.iter().filter_map(|signal| signal.si_pid).any(|number| number > 1);
            match signals.iter().any(|signal| signal.status.is_some()) {
                true => Err(("what a SIGCHLD says of a child is not told", "claim the `signal` and its `si_pid`")),
                false if number => {
                    Err(("a PID is different each time", "only 0, somebody outside, and 1 can be claimed"))
                }
                false => Ok(()),
            }
        }
        Claim::Process(_, ProcessClaim::Returned(_)) => Err(("nobody who plays is ever in a call", SEEN)),
        Claim::Process(_, _) => Err(("it depends on the program, or is not looked at", SEEN)),
    }
}
