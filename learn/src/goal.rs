//! Tasks: a state of the world that is to be reached, by a scenario that the learner writes.
//!
//! What is wanted is a claim as in any scenario, on a last step that only reads. It is held against the model, and against a kernel if one
//! is asked.

use pidlab_scenario::held::{Whose, on_one};
use pidlab_scenario::{Diagnostics, Facts, Observation, Refused, Scenario, told};
use pidlab_sim::Model;

/// A task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Goal {
    /// What it is called.
    pub word: &'static str,
    /// What is to be done.
    pub text: &'static str,
    /// The steps that a solution begins with.
    pub start: &'static str,
    /// What must be so after its last step.
    pub wanted: &'static str,
    /// A nudge.
    pub hint: &'static str,
}

const STUCK: &str = r#"  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "host", call = "fork", child = "exec" },
  { by = "exec", call = "setns", to = "init" },
  { by = "exec", call = "fork", child = "guest" },
  { by = "host", call = "kill", pid = "init", signal = "SIGKILL" },
"#;

/// All tasks.
pub const GOALS: &[Goal] = &[
    Goal {
        word: "an-orphan-inside",
        text: "Make this picture: `init` is PID 1 of a namespace of its own, `leaf` its child with ppid 1, though `mid` made it; \
            and of `mid` nothing is left.",
        start: "",
        wanted: r#"{ leaf = { parent = "init", ppid = 1 }, mid = "gone", init = { state = "running", ppid = 0 } }"#,
        hint: "Adoption does not reap: who must wait for `mid`?",
    },
    Goal {
        word: "a-guest",
        text: "Make this picture: `guest` lives in the namespace of `init`, as number 2 there, and its parent is `exec`, which stayed outside.",
        start: "",
        wanted: r#"{ guest = { parent = "exec", ppid = 0, pids = [4, 2] }, exec = { pids = [3] } }"#,
        hint: "setns moves nobody: what does it change for `exec`?",
    },
    Goal {
        word: "a-collector",
        text: "Make this picture: `orphan` is a zombie and a child of `tini`, which did not make it and is not PID 1; `init` lives.",
        start: "",
        wanted: r#"{ orphan = { state = "zombie", parent = "tini", ppid = 2 }, init = { state = "running" } }"#,
        hint: "An ancestor adopts only if it has asked to: set_child_subreaper.",
    },
    Goal {
        word: "freeze",
        text: "Stop PID 1 of a namespace, and nobody else: `init` is stopped, its child `worker` runs.",
        start: "",
        wanted: r#"{ init = { state = "stopped", ppid = 0 }, worker = { state = "running", parent = "init" } }"#,
        hint: "From inside, `init` is deaf to SIGSTOP as well. From where is it not?",
    },
    Goal {
        word: "free-it",
        text: "This container cannot be removed: `init` was killed and is still there. Free it, so that of `init` and `guest` nothing is left, \
            and `exec` lives on.",
        start: STUCK,
        wanted: r#"{ init = "gone", guest = "gone", exec = { state = "running" } }"#,
        hint: "`init` waits for a number that `guest` still has. Who alone can reap `guest`?",
    },
];

/// The goal with this name.
pub fn find(word: &str) -> Option<&'static Goal> {
    GOALS.iter().find(|goal| goal.word == word)
}

impl Goal {
    /// A file to begin with.
    pub fn template(&self) -> String {
        format!("title = \"{}\"\n\nsteps = [\n{}]\n", self.word, self.start)
    }

    /// The learner's scenario with what is wanted at its end.
    ///
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn attempt(&self, text: &str) -> Result<Attempt, String> {
        let parse = |text: &str| Scenario::parse(self.word, self.word, text).map_err(|wrong| wrong.render(false));
        let written = parse(text)?;
        if !self.start.is_empty() {
            let start = parse(&self.template())?;
            let lines = |scenario: &Scenario| -> Vec<String> {
                let line = |step: &pidlab_scenario::Step| {
                    format!("{}: {}", scenario.role_name(step.by), told::call(scenario, &step.call))
                };
                scenario.steps.iter().map(line).collect()
            };
            let (own, given) = (lines(&written), lines(&start));
            if !own.starts_with(&given) {
                return Err(format!("a solution begins with these steps:\n{}", self.start));
            }
        }
        let plain = written.to_toml();
        let (steps, end) = plain.rsplit_once(']').ok_or("a scenario has steps")?;
        let names = |role: &str| written.roles.iter().any(|known| **known == *role);
        let unnamed: Vec<&str> = self.roles().filter(|role| !names(role)).collect();
        if !unnamed.is_empty() {
            return Err(format!("nobody is called {}", unnamed.join(", ")));
        }
        let text = format!("{steps}  {{ by = \"host\", call = \"getpid\", then = {} }},\n]{end}", self.wanted);
        Ok(Attempt { scenario: parse(&text)?, text })
    }

    /// Who is spoken of in what is wanted.
    fn roles(&self) -> impl Iterator<Item = &'static str> {
        let mut depth = 0;
        let parts = self.wanted.split_inclusive(['{', '}', ',']);
        let parts = parts.filter_map(move |part| {
            let named = (depth == 1).then(|| part.split_once('=').map(|(name, _)| name.trim()));
            depth += part.matches('{').count();
            depth -= part.matches('}').count();
            named.flatten()
        });
        parts.filter(|name| !name.is_empty())
    }
}

/// A solution, or what is meant to be one: the learner's scenario, with what is wanted at its end.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What is played.
    pub scenario: Scenario,
    text: String,
}

impl Attempt {
    /// What is otherwise than wanted on the model, in words; nothing if the goal is reached.
    ///
    /// # Errors
    /// The step that cannot be taken, and why.
    pub fn on_model(&self, facts: &Facts) -> Result<Vec<String>, String> {
        let scenario = &self.scenario;
        let mut model = Model::new(facts.clone().with_all(&scenario.needs));
        let mut seen = vec![model.start(scenario).observation];
        for (index, step) in scenario.steps.iter().enumerate() {
            let refused = |why| {
                let refused = Refused { step: index + 1, why };
                Diagnostics::refused(scenario, &scenario.name, &self.text, &refused).render(false)
            };
            seen.push(model.step(scenario, step).map_err(refused)?.observation);
        }
        Ok(self.missed(&seen, Whose::Model))
    }

    /// What is otherwise than wanted in a run, in words.
    pub fn missed(&self, run: &[Observation], whose: Whose) -> Vec<String> {
        let failed = on_one(&self.scenario, run.iter().map(|seen| (whose, seen)));
        let of_end = failed.iter().filter(|failed| failed.step == self.scenario.steps.len());
        of_end.flat_map(|failed| failed.told(&self.scenario)).map(|(on, truth)| format!("{on}: {truth}")).collect()
    }
}
