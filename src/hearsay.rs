//! What a scenario's C program tells, held against the model.
//!
//! It is hearsay: nobody looks from outside, and a process that has not come back after half a second is taken for one that does not. So what
//! agrees is not proven, and less is compared than where the runner looks: what the calls give, which processes are there, zombies or stopped,
//! and what handlers receive. In exchange it needs neither pidfds nor clone3(2), and runs where the runner cannot.

use pidlab_scenario::{Call, CloneFlags, Observation, Outcome, ProcessView, Scenario, State, Step, WaitStatus};
use pidlab_sim::{Judgement, Model};

use crate::words;

/// How a scenario came out.
#[derive(Debug)]
pub(crate) enum Heard {
    /// All that was told is what the model allows.
    Agrees,
    /// Not this step: what the model says, and what was told.
    Differs { step: usize, model: String, told: String },
    /// The program did not tell of this step.
    Cut { step: usize },
    /// The model did not find out whether it is allowed.
    NotDecided { step: usize },
}

/// What was told of a step.
#[derive(Default, Debug)]
struct Telling<'a> {
    /// As the program has it, without what it says of processes.
    gave: Vec<&'a str>,
    returned: Option<Result<i64, i32>>,
    status: Option<&'a str>,
    pending: Vec<i32>,
    /// Each process that the program looked at: its state, or that it is gone; and what its handlers received.
    processes: Vec<(&'a str, &'a str, Vec<&'a str>)>,
    /// Whether the look came to its end: another step, or the end of the text, stands after it.
    whole: bool,
}

/// How a program that has told all ends.
pub(crate) const END: &str = "that is all";

/// Which kernel it was told of: what stands first.
pub(crate) fn release(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("Linux ")?.split(' ').next()
}

/// Holds what a program told against the model.
pub(crate) fn judge(model: &mut Model, scenario: &Scenario, text: &str) -> Heard {
    let told = tellings(scenario, text);
    model.start(scenario);
    for (index, step) in scenario.steps.iter().enumerate() {
        let number = index + 1;
        // A step that cannot be made is the scenario's mistake: what the program made of it says nothing.
        let Ok(outcomes) = model.outcomes(step, MOST_OUTCOMES) else { return Heard::NotDecided { step: number } };
        let Some(telling) = told.get(index).filter(|telling| telling.whole) else { return Heard::Cut { step: number } };
        let fitting = outcomes.answers.iter().find(|answer| telling.fits(scenario, step, &answer.observation));
        let Some(answer) = fitting else {
            if !outcomes.complete {
                return Heard::NotDecided { step: number };
            }
            let model = outcomes.answers.first().map(|answer| in_words(scenario, &answer.observation));
            return Heard::Differs { step: number, model: model.unwrap_or_default(), told: telling.in_words() };
        };
        match model.judge(scenario, step, &answer.observation) {
            Ok(Judgement::Agrees(_)) => {}
            _ => return Heard::NotDecided { step: number },
        }
    }
    Heard::Agrees
}

/// So many outcomes of a step are looked at.
const MOST_OUTCOMES: usize = 256;

/// What stands in a program's text, a telling a step.
fn tellings<'a>(scenario: &'a Scenario, text: &'a str) -> Vec<Telling<'a>> {
    let mut told: Vec<Telling<'a>> = Vec::new();
    for line in text.lines() {
        if line == END || line.starts_with(&format!("{}. ", told.len() + 1)) {
            if let Some(last) = told.last_mut() {
                last.whole = true;
            }
            told.push(Telling::default());
        } else if let Some(last) = told.last_mut() {
            last.take(scenario, line.trim_start());
        }
    }
    told
}

impl<'a> Telling<'a> {
    fn take(&mut self, scenario: &'a Scenario, line: &'a str) {
        let process = line.split_once(' ').filter(|(name, _)| scenario.roles.iter().any(|role| role == name));
        if let Some((name, rest)) = process {
            let mut parts = rest.trim_start().split(", ");
            let state = parts.next().unwrap_or_default();
            let received = parts.filter_map(|part| part.strip_prefix("received signal "));
            self.processes.push((name, state, received.collect()));
            return;
        }
        self.gave.push(line);
        if let Some(number) = line.strip_prefix("returns ") {
            self.returned = number.parse().ok().map(Ok);
        } else if let Some((_, errno)) = line.strip_prefix("fails: ").and_then(|rest| rest.rsplit_once('(')) {
            self.returned = errno.trim_end_matches(')').parse().ok().map(Err);
        } else if let Some(status) = line.strip_prefix("its status: ") {
            self.status = Some(status);
        } else if let Some(signal) = line.strip_prefix("pending: ") {
            self.pending.extend(signal.parse::<i32>().ok());
        }
    }

    fn fits(&self, scenario: &Scenario, step: &Step, observation: &Observation) -> bool {
        let outcome = observation.outcome.as_ref().is_none_or(|outcome| self.fits_outcome(step, outcome));
        let all_told = observation.processes.iter().all(|view| {
            let name = scenario.role_name(view.role);
            is_thread(scenario, name) || self.processes.iter().any(|(told, ..)| *told == name)
        });
        outcome && all_told && self.processes.iter().all(|told| fits_process(scenario, observation, told))
    }

    fn fits_outcome(&self, step: &Step, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Ok(number) => self.returned == Some(Ok(*number)),
            // The raw call gives 0, and the program asks for no more.
            Outcome::Waited { .. } if matches!(step.call, Call::Waitid { .. }) => self.returned == Some(Ok(0)),
            Outcome::Waited { number, status, .. } => {
                self.returned == Some(Ok(*number)) && self.status == Some(&*status_in_c(*status))
            }
            Outcome::Pending(signals) => {
                let signals: Vec<i32> = signals.iter().map(|signal| signal.number().into()).collect();
                self.returned == Some(Ok(0)) && self.pending == signals
            }
            Outcome::Err(errno) => self.returned == Some(Err(errno.number())),
            Outcome::Never | Outcome::Blocks => self.returned.is_none(),
            // No C program makes such a call.
            Outcome::Taken(_) | Outcome::Polled(_) | Outcome::Seen(_) => false,
        }
    }

    fn in_words(&self) -> String {
        let processes = self.processes.iter().map(|(name, state, received)| {
            let received: String = received.iter().map(|signal| format!(", received signal {signal}")).collect();
            format!("{name} {state}{received}")
        });
        self.gave.iter().map(|gave| (*gave).to_owned()).chain(processes).collect::<Vec<_>>().join("; ")
    }
}

/// A status as the C programs word it.
fn status_in_c(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(status) => format!("exited {status}"),
        WaitStatus::Killed(signal) => format!("killed by {}", signal.number()),
        WaitStatus::Stopped(signal) => format!("stopped by {}", signal.number()),
        WaitStatus::Continued => "continued 0".to_owned(),
    }
}

fn fits_process(scenario: &Scenario, observation: &Observation, told: &(&str, &str, Vec<&str>)) -> bool {
    let (name, state, received) = told;
    let view = observation.processes.iter().find(|process| scenario.role_name(process.role) == *name);
    // Threads go in their own time, and the first one of a process that is on its way out may be a zombie already.
    let Some(view) = view else { return *state == "gone" || is_thread(scenario, name) };
    state_fits(view, state) && received_in_c(view) == *received
}

/// A state in the letters of proc(5), as far as they say what the model says.
fn state_fits(view: &ProcessView, state: &str) -> bool {
    let letter = state.strip_prefix("state ").unwrap_or_default();
    match view.state {
        State::Zombie => letter == "Z",
        State::Stopped => letter == "T",
        State::Exiting => true,
        _ => matches!(letter, "R" | "S" | "D" | "I"),
    }
}

/// Whether a name is that of a thread beside the first one of a process.
fn is_thread(scenario: &Scenario, name: &str) -> bool {
    let makes = |step: &Step| match &step.call {
        Call::Clone { child, flags, .. } => {
            flags.contains(CloneFlags::CLONE_THREAD) && scenario.role_name(*child) == name
        }
        _ => false,
    };
    scenario.steps.iter().any(makes)
}

fn received_in_c(view: &ProcessView) -> Vec<String> {
    view.handled.iter().map(|handled| format!("{} from {}", handled.signal.number(), handled.si_pid)).collect()
}

/// What the model says of a step, in the same words.
fn in_words(scenario: &Scenario, observation: &Observation) -> String {
    let outcome = observation.outcome.iter().map(|outcome| words::outcome(scenario, outcome));
    let processes = observation.processes.iter().map(|view| {
        let received: String = received_in_c(view).iter().map(|signal| format!(", received signal {signal}")).collect();
        format!("{} {}{received}", scenario.role_name(view.role), state_word(view.state))
    });
    outcome.chain(processes).collect::<Vec<_>>().join("; ")
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Zombie => "state Z",
        State::Stopped => "state T",
        _ => "state S",
    }
}

#[cfg(test)]
mod tests {
    use pidlab_scenario::{Facts, Scenario};
    use pidlab_sim::Model;

    use super::{Heard, judge, release};

    const SCENARIO: &str = r#"title = "An init that is killed from inside, or not"
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "kill",  pid = 1, signal = "SIGKILL" },
  { by = "host", call = "wait",  pid = "any", options = ["WNOHANG"] },
]"#;

    const TOLD: &str = "Linux 6.1.0 #1 SMP\n1. host: clone\n   returns 2\n   host       state S\n   init       state S, child of host\n\
        2. init: kill\n   returns 0\n   host       state S\n   init       state S, child of host\n\
        3. host: wait\n   returns 0\n   host       state R\n   init       state S, child of host\nthat is all\n";

    fn heard(text: &str) -> Heard {
        let scenario = Scenario::parse("a/b", "b.toml", SCENARIO).expect("it is a scenario");
        judge(&mut Model::new(Facts::newest()), &scenario, text)
    }

    #[test]
    fn what_linux_does_agrees_and_what_it_does_not_differs() {
        assert_eq!(release(TOLD), Some("6.1.0"));
        assert!(matches!(heard(TOLD), Heard::Agrees), "{:?}", heard(TOLD));
        for (from, to, step) in [
            ("returns 2", "returns 3", 1),
            ("returns 2", "fails: Operation not permitted (1)", 1),
            ("   returns 0\n   host       state S", "   it has not returned\n   host       state S", 2),
            ("   init       state S, child of host\n3", "   init       state Z, child of host\n3", 2),
            ("   init       state S, child of host\n3", "   init       gone\n3", 2),
            ("   init       state S, child of host\n3", "3", 2),
            ("state S, child of host\n3", "state S, child of host, received signal 10 from 0\n3", 2),
            ("   returns 0\n   host       state R", "   its status: killed by 9\n   returns 2\n   host  state S", 3),
        ] {
            let text = TOLD.replacen(from, to, 1);
            assert_ne!(text, TOLD, "{from}");
            let heard = heard(&text);
            assert!(matches!(heard, Heard::Differs { step: at, .. } if at == step), "{to}: {heard:?}");
        }
    }

    #[test]
    fn a_step_that_cannot_be_made_is_no_agreement() {
        let dead =
            SCENARIO.replace("pid = 1, signal", "pid = \"init\", signal").replace("by = \"init\"", "by = \"host\"");
        let dead = dead.replace(
            "{ by = \"host\", call = \"wait\",  pid = \"any\", options",
            "{ by = \"init\", call = \"wait\", pid = \"any\", options",
        );
        let scenario = Scenario::parse("a/b", "b.toml", &dead).expect("it is a scenario");
        let told =
            TOLD.replacen("   init       state S, child of host\n3", "   init       state Z, child of host\n3", 1);
        let heard = judge(&mut Model::new(Facts::newest()), &scenario, &told);
        assert!(matches!(heard, Heard::NotDecided { step: 3 }), "{heard:?}");
    }

    #[test]
    fn what_is_cut_off_is_no_agreement() {
        for end in 0..TOLD.len() - 1 {
            let heard = heard(&TOLD[..end]);
            assert!(matches!(heard, Heard::Cut { .. }), "{heard:?}: {}", &TOLD[..end]);
        }
    }
}
