//! Tasks: a state of the world that is to be reached, by a scenario that the learner writes.
//!
//! What is wanted is a claim as in any scenario, on a last step that only reads. It is held against the model, and against a kernel if one
//! is asked. The terminal and the playground have the same tasks from here, and tell what came of them in the same words.

use std::fmt;

use pidlab_scenario::held::{Whose, on_one};
use pidlab_scenario::{Diagnostics, Facts, Observation, Refusal, Refused, Scenario, Step, told};
use pidlab_sim::Model;
use serde::Serialize;

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
    /// A nudge for whoever has the picture but for one thing.
    pub hint: &'static str,
    /// Nudges for whoever lacks more: the first whose process is not as wanted.
    pub first: &'static [(&'static str, &'static str)],
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
        first: &[
            ("init", "`init` is to be PID 1 of a namespace of its own: which flag of clone makes one?"),
            ("leaf", "Who adopts the children of one that ends? Let `mid` make `leaf` and end."),
        ],
    },
    Goal {
        word: "a-guest",
        text: "Make this picture: `guest` lives in the namespace of `init`, as number 2 there, and its parent is `exec`, which stayed outside.",
        start: "",
        wanted: r#"{ guest = { parent = "exec", ppid = 0, pids = [4, 2] }, exec = { pids = [3] } }"#,
        hint: "setns moves nobody: what does it change for `exec`?",
        first: &[("exec", "`exec` is the third process of the outermost namespace. Who is the second?")],
    },
    Goal {
        word: "a-collector",
        text: "Make this picture: `orphan` is a zombie and a child of `tini`, which did not make it and is not PID 1; `init` lives.",
        start: "",
        wanted: r#"{ orphan = { state = "zombie", parent = "tini", ppid = 2 }, init = { state = "running" } }"#,
        hint: "An ancestor adopts only if it has asked to: set_child_subreaper.",
        first: &[("init", "`init` has to live on: what is asked of it?")],
    },
    Goal {
        word: "freeze",
        text: "Stop PID 1 of a namespace, and nobody else: `init` is stopped, its child `worker` runs.",
        start: "",
        wanted: r#"{ init = { state = "stopped", ppid = 0 }, worker = { state = "running", parent = "init" } }"#,
        hint: "From inside, `init` is deaf to SIGSTOP as well. From where is it not?",
        first: &[("worker", "Whoever is a child of `init` was made by it.")],
    },
    Goal {
        word: "free-it",
        text: "This container cannot be removed: `init` was killed and is still there. Free it, so that of `init` and `guest` nothing is left, \
            and `exec` lives on.",
        start: STUCK,
        wanted: r#"{ init = "gone", guest = "gone", exec = { state = "running" } }"#,
        hint: "`init` waits for a number that `guest` still has. Who alone can reap `guest`?",
        first: &[("exec", "`exec` has to live on: only what holds `init` is to go.")],
    },
];

/// The goal with this name.
pub fn find(word: &str) -> Option<&'static Goal> {
    GOALS.iter().find(|goal| goal.word == word)
}

impl Goal {
    /// A nudge, by what is otherwise than wanted.
    pub fn hint(&self, missed: &[String]) -> &'static str {
        let misses = |role: &str| missed.iter().any(|line| line.contains(&format!(" {role} = ")));
        self.first.iter().find(|(role, _)| misses(role)).map_or(self.hint, |(_, hint)| hint)
    }

    /// A file to begin with.
    pub fn template(&self) -> String {
        format!("title = \"{}\"\n\nsteps = [\n{}]\n", self.word, self.start)
    }

    /// Whether a text is the file to begin with, where that has no steps, or nothing at all.
    pub fn is_unwritten(&self, text: &str) -> bool {
        let template = self.template();
        let begun = text.split_whitespace().eq(template.split_whitespace()) && self.start.is_empty();
        begun || text.trim().is_empty()
    }

    /// The learner's scenario with what is wanted at its end.
    ///
    /// # Errors
    /// The text is no scenario, does not begin as it should, or has not everybody who is spoken of.
    pub fn attempt(&self, text: &str) -> Result<Attempt, NoAttempt> {
        if self.is_unwritten(text) {
            return Err(NoAttempt::Nothing);
        }
        let parse = |text: &str| Scenario::parse(self.word, self.word, text).map_err(NoAttempt::Mistake);
        let written = parse(text)?;
        if !self.start.is_empty() {
            let (own, given) = (lines(&written), lines(&parse(&self.template())?));
            if !own.starts_with(&given) {
                return Err(NoAttempt::OtherStart(self.start));
            }
        }
        let names = |role: &str| written.roles.iter().any(|known| **known == *role);
        let unnamed: Vec<&str> = self.roles().filter(|role| !names(role)).collect();
        if !unnamed.is_empty() {
            return Err(NoAttempt::Nobody(unnamed));
        }
        let plain = written.to_toml();
        let (steps, end) = plain.rsplit_once(']').expect("a scenario has steps");
        let held = format!("{steps}  {{ by = \"host\", call = \"getpid\", then = {} }},\n]{end}", self.wanted);
        Ok(Attempt { scenario: parse(&held)?, written, text: text.to_owned() })
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

/// The steps as they are told, one a line.
fn lines(scenario: &Scenario) -> Vec<String> {
    let line = |step: &Step| format!("{}: {}", scenario.role_name(step.by), told::call(scenario, &step.call));
    scenario.steps.iter().map(line).collect()
}

/// Why a text cannot be held against a goal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NoAttempt {
    /// It is what there was to begin with, without a step.
    Nothing,
    /// It is no scenario, or has a step that cannot be taken: what is wrong, and where.
    Mistake(Diagnostics),
    /// It does not begin with these steps.
    OtherStart(&'static str),
    /// Nobody has these names.
    Nobody(Vec<&'static str>),
    /// After the last step `host`, who is to look, has not come back from a call.
    NobodyLooks,
}

impl fmt::Display for NoAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAttempt::Nothing => write!(f, "nothing is written yet: steps come between the brackets"),
            NoAttempt::Mistake(wrong) => write!(f, "{}", wrong.render(false).trim_end()),
            NoAttempt::OtherStart(steps) => write!(f, "a solution begins with these steps:\n{}", steps.trim_end()),
            NoAttempt::Nobody(names) => write!(f, "nobody is called {}", names.join(", ")),
            NoAttempt::NobodyLooks => write!(f, "after the last step `host` is still in a call, and cannot look"),
        }
    }
}

/// A solution, or what is meant to be one: the learner's scenario, with what is wanted at its end.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What is played.
    pub scenario: Scenario,
    written: Scenario,
    text: String,
}

impl Attempt {
    /// What is otherwise than wanted on the model, in words; nothing if the goal is reached.
    ///
    /// # Errors
    /// The step that cannot be taken, and why.
    pub fn on_model(&self, facts: &Facts) -> Result<Vec<String>, NoAttempt> {
        let scenario = &self.scenario;
        let mut model = Model::new(facts.clone().with_all(&scenario.needs));
        let mut seen = vec![model.start(scenario).observation];
        for (step, taken) in (1..).zip(&scenario.steps) {
            seen.push(model.step(scenario, taken).map_err(|why| self.refused(step, why))?.observation);
        }
        Ok(self.missed(&seen, Whose::Model))
    }

    /// Where the learner's own text has the step that was not taken. The last step is ours, and stands nowhere in it.
    fn refused(&self, step: usize, why: Refusal) -> NoAttempt {
        if step > self.written.steps.len() {
            return NoAttempt::NobodyLooks;
        }
        let refused = Refused { step, why };
        NoAttempt::Mistake(Diagnostics::refused(&self.written, &self.written.name, &self.text, &refused))
    }

    /// What is otherwise than wanted in a run, in words.
    pub fn missed(&self, run: &[Observation], whose: Whose) -> Vec<String> {
        let failed = on_one(&self.scenario, run.iter().map(|seen| (whose, seen)));
        let of_end = failed.iter().filter(|failed| failed.step == self.scenario.steps.len());
        of_end.flat_map(|failed| failed.told(&self.scenario)).map(|(on, truth)| format!("{on}: {truth}")).collect()
    }
}

/// What a learner is told of an attempt.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether the goal is reached.
    pub reached: bool,
    /// The same as a sentence; what is missed comes after it.
    pub words: String,
    /// What is otherwise than wanted, in words.
    pub missed: Vec<String>,
    /// A nudge where it is not reached.
    pub hint: Option<&'static str>,
}

impl Verdict {
    /// On what was missed of a goal, as those who were asked `say`: "the model says".
    pub fn new(goal: &Goal, missed: Vec<String>, say: &str) -> Verdict {
        if missed.is_empty() {
            return Verdict { reached: true, words: format!("Reached: {say} so."), missed, hint: None };
        }
        let words = format!("Not reached. Wanted after the last step: `{}`. It is:", goal.wanted);
        Verdict { reached: false, words, hint: Some(goal.hint(&missed)), missed }
    }
}
