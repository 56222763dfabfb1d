//! A step that a run could not take, as a user sees it.

use crate::diagnose::{Diagnostic, Diagnostics};
use crate::{Refusal, Refused, Role, Scenario, State};

impl Diagnostics {
    /// A step that a run could not take.
    ///
    /// # Panics
    /// If the run was not one of this scenario.
    pub fn refused(scenario: &Scenario, path: &str, text: &str, refused: &Refused) -> Diagnostics {
        let step = &scenario.steps[refused.step - 1];
        let (message, help) = explain(scenario, refused);
        let mut mistake = Diagnostic::new(step.span.clone(), message, format!("this is step {}", refused.step));
        mistake.help(help);
        Diagnostics::new(path, text, vec![mistake])
    }
}

/// What is wrong with a refused step, and what to do.
fn explain(scenario: &Scenario, refused: &Refused) -> (String, String) {
    let name = |role: &Role| scenario.role_name(*role);
    match &refused.why {
        Refusal::NotBorn { role } => (
            format!("there is no process `{}` at this step", name(role)),
            "the step that should have made it failed".to_owned(),
        ),
        Refusal::BornTwice { role } => {
            (format!("`{}` has been made before", name(role)), "give the new process a name of its own".to_owned())
        }
        Refusal::CannotAct { role, state } => {
            let (is, help) = why_not(*state);
            (format!("`{}` cannot act here: {is}", name(role)), help.to_owned())
        }
        Refusal::NoNumber { role, caller } => (
            format!("`{}` has no number in the PID namespace of `{}`", name(role), name(caller)),
            "a process has numbers in its own PID namespace and in those above; from elsewhere it cannot be named"
                .to_owned(),
        ),
        Refusal::NotModelled { call, what } => (
            format!("`{call}` with {what} is not modelled yet"),
            "this version of pidlab cannot run it: leave the step out".to_owned(),
        ),
        Refusal::Harmful { call, harm } => {
            let reads = harm.document().map(|document| format!("; {document} tells why")).unwrap_or_default();
            (
                format!("`{call}` is not done on a machine: {harm}"),
                format!("it is safe on the model alone (`--on model`){reads}"),
            )
        }
        Refusal::NeedsFact { call, fact } => (
            format!("`{call}` needs `{fact}`, which this machine does not have"),
            format!("say so in the scenario: `needs = [\"{fact}\"]`"),
        ),
    }
}

/// Why a process in this state cannot act, and what to do.
fn why_not(state: Option<State>) -> (&'static str, &'static str) {
    let only_the_living = "a process acts only while it lives: move the step up, or let another process take it";
    match state {
        None => ("it has ended and been waited for", only_the_living),
        Some(State::Zombie) => ("it has ended", only_the_living),
        Some(State::Exiting) => ("it has ended and waits for the last member of its namespace", only_the_living),
        Some(State::Stopped) => ("it is stopped by a signal", "SIGCONT lets it go on"),
        Some(State::Traced) => ("its tracer holds it", "`ptrace_cont` by the tracer lets it go on"),
        Some(State::Blocked) => (
            "an earlier call of it has not returned",
            "what it waits for must happen first; or give that call the option WNOHANG",
        ),
        Some(State::Running) => ("the machine says so", "this is a fault of pidlab: please report it"),
    }
}
