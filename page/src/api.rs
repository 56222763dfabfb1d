//! What the playground asks, and what it is told: JSON in, JSON out.
//!
//! Nothing here knows of a browser. The same function answers in WebAssembly and in a test.

use std::collections::BTreeMap;

use pidlab_scenario::held::Whose;
use pidlab_scenario::{
    BecauseLine, Diagnostic, Diagnostics, Fact, Facts, Header, Line, Refused, Scenario, held, library, nearest,
};
use pidlab_sim::{Answer, Misconception, Model, rule};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::complete::{self, Completions};
use crate::film::{Film, Shot};
use crate::goal::{self, GOALS, NoAttempt, Verdict};
use crate::places::units;
use crate::{KERNELS, LESSONS, markdown};

/// A request.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    /// What there is to choose: scenarios, lessons, goals, kernels, facts, misconceptions.
    Shelf {},
    /// A run of a scenario.
    Play {
        #[serde(flatten)]
        scene: Setting,
    },
    /// The JSON lines of a run, as `pidlab run --on model --format json` writes them.
    Lines {
        #[serde(flatten)]
        scene: Setting,
    },
    /// Whether a text reaches the goal that the scene is named after. The misconception does not count: Linux is asked.
    Goal {
        #[serde(flatten)]
        scene: Setting,
    },
    /// How the text could go on where the caret is, counted in UTF-16.
    Complete { text: String, at: usize },
}

/// What is run, and on which kernel.
#[derive(Deserialize, Default)]
struct Setting {
    name: String,
    text: String,
    /// One of [`KERNELS`]; else the newest.
    #[serde(default)]
    kernel: Option<String>,
    /// Facts that are otherwise than on that kernel.
    #[serde(default)]
    facts: BTreeMap<String, bool>,
    #[serde(default)]
    misconception: Option<String>,
}

/// Answers a request of the playground; what is no request is answered with `{"error": …}`.
pub fn answer(request: &str) -> String {
    match serde_json::from_str(request) {
        Ok(Request::Shelf {}) => shelf().to_string(),
        Ok(Request::Play { scene }) => text(&play(&scene)),
        Ok(Request::Lines { scene }) => text(&lines(&scene)),
        Ok(Request::Goal { scene }) => attempt(&scene).to_string(),
        Ok(Request::Complete { text: file, at }) => text(&completions(&file, at)),
        Err(error) => json!({ "error": error.to_string() }).to_string(),
    }
}

fn text(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("an answer is strings and numbers")
}

fn shelf() -> Value {
    let titled = |file: library::LibraryFile| {
        let scenario = Scenario::parse(&file.name, &file.path, file.text);
        let (title, rules) = scenario.map(|scenario| (scenario.title, scenario.rules)).unwrap_or_default();
        // The first line is for editors that read a schema from the disk.
        let text = file
            .text
            .split_once("\n")
            .filter(|(first, _)| first.starts_with("#:schema"))
            .map_or(file.text, |(_, rest)| rest);
        json!({ "name": file.name, "title": title, "rules": rules, "text": text })
    };
    let fact = |fact: &Fact| json!({ "name": fact.word(), "meaning": markdown::inline(fact.meaning()) });
    let misconception = |wrong: &Misconception| json!({ "name": wrong.word(), "claim": wrong.claim(), "truth": wrong.truth(), "rule": wrong.rule().id });
    json!({
        "files": library::files().map(titled).collect::<Vec<_>>(),
        "lessons": LESSONS.iter().map(|lesson| json!({ "title": lesson.title, "text": lesson.text, "scenarios": lesson.scenarios })).collect::<Vec<_>>(),
        "goals": GOALS.iter().map(|goal| json!({ "word": goal.word, "text": goal.text, "start": goal.template(), "hint": goal.hint })).collect::<Vec<_>>(),
        "kernels": KERNELS.iter().map(|kernel| json!({ "name": kernel.name, "release": kernel.release, "lacking": kernel.lacking })).collect::<Vec<_>>(),
        "facts": Fact::ALL.iter().map(fact).collect::<Vec<_>>(),
        "newest": Facts::newest().iter().filter(|(_, holds)| *holds).map(|(fact, _)| fact.word()).collect::<Vec<_>>(),
        "misconceptions": Misconception::ALL.iter().map(misconception).collect::<Vec<_>>(),
        "rules": rule::CATALOGUE.len(),
    })
}

/// What became of a text.
#[derive(Serialize)]
struct Played {
    /// Nothing where the text is no scenario.
    film: Option<Film>,
    mistakes: Vec<Mistake>,
    /// The first step at which Linux would do otherwise, where a misconception is on.
    departs: Option<usize>,
    /// Where a fact was changed because the scenario is about the other side of it.
    needs: Vec<String>,
}

/// A mistake and where it is, in UTF-16 and as line and column, counted from 1.
#[derive(Serialize)]
struct Mistake {
    from: usize,
    to: usize,
    line: usize,
    column: usize,
    message: String,
    label: String,
    help: Option<String>,
}

impl Setting {
    fn facts(&self) -> Facts {
        let kernel = self.kernel.as_ref().and_then(|name| KERNELS.iter().find(|kernel| kernel.name == name));
        let facts = kernel.map_or_else(Facts::newest, |kernel| kernel.facts());
        let changed = self.facts.iter().filter_map(|(name, holds)| Some((Fact::from_word(name)?, *holds)));
        changed.fold(facts, |facts, (fact, holds)| facts.with(fact, holds))
    }

    fn misconception(&self) -> Option<Misconception> {
        self.misconception.as_deref().and_then(Misconception::from_word)
    }
}

/// A run on the model, as far as it goes.
fn run(scenario: &Scenario, mut model: Model) -> (Vec<Answer>, Option<Refused>) {
    let mut answers = vec![model.start(scenario)];
    for (index, step) in scenario.steps.iter().enumerate() {
        match model.step(scenario, step) {
            Ok(answer) => answers.push(answer),
            Err(why) => return (answers, Some(Refused { step: index + 1, why })),
        }
    }
    (answers, None)
}

fn play(scene: &Setting) -> Played {
    let scenario = match Scenario::parse(&scene.name, &scene.name, &scene.text) {
        Ok(scenario) => scenario,
        Err(wrong) => {
            let mistakes = mistakes(&wrong, &scene.text);
            return Played { film: None, mistakes, departs: None, needs: Vec::new() };
        }
    };
    let chosen = scene.facts();
    let unmet: Vec<_> = scenario.needs.iter().copied().filter(|need| !need.is_met(&chosen)).collect();
    let facts = chosen.with_all(&unmet);
    let misconception = scene.misconception();
    let model = match misconception {
        Some(wrong) => Model::misconceived(facts.clone(), wrong),
        None => Model::new(facts.clone()),
    };
    let (answers, refused) = run(&scenario, model);
    let shots: Vec<Shot<'_>> =
        answers.iter().map(|one| Shot { observation: &one.observation, because: &one.because }).collect();
    let mut film = Film::new(&scenario, &scene.text, "the model of Linux", &shots);
    if misconception.is_none() {
        film = film.asking(&scenario, &facts);
    }
    let departs = misconception.and_then(|_| {
        let (truth, _) = run(&scenario, Model::new(facts.clone()));
        let differs = |step: &usize| {
            truth.get(*step).map(|one| &one.observation) != answers.get(*step).map(|one| &one.observation)
        };
        (0..truth.len().max(answers.len())).find(differs)
    });
    let mut mistakes = unknown_rules(&scenario, &scene.text);
    if misconception.is_none() {
        let seen = answers.iter().map(|answer| (Whose::Model, &answer.observation));
        let failed = held::on_one(&scenario, seen);
        let failed = failed.iter().map(|failed| failed.diagnostic(&scenario, &scene.text)).collect();
        mistakes.extend(self::mistakes(&Diagnostics::of_claims(&scenario.name, &scene.text, failed), &scene.text));
    }
    mistakes.extend(refused.iter().flat_map(|refused| {
        let wrong = Diagnostics::refused(&scenario, &scene.name, &scene.text, refused);
        self::mistakes(&wrong, &scene.text)
    }));
    Played { film: Some(film), mistakes, departs, needs: unmet.iter().map(ToString::to_string).collect() }
}

/// What a learner is told of a text that is to reach a goal.
fn attempt(scene: &Setting) -> Value {
    let Some(goal) = goal::find(&scene.name) else {
        return json!({ "error": format!("there is no goal `{}`", scene.name) });
    };
    let held = goal.attempt(&scene.text).and_then(|attempt| attempt.on_model(&scene.facts()));
    match held {
        Ok(missed) => json!(Verdict::new(goal, missed, "the model says")),
        // Where it is wrong stands beside the text already.
        Err(NoAttempt::Mistake(_)) => json!({ "reached": false, "words": "The text has a mistake.", "missed": [] }),
        Err(why) => json!({ "reached": false, "words": why.to_string(), "missed": [] }),
    }
}

fn unknown_rules(scenario: &Scenario, text: &str) -> Vec<Mistake> {
    let ids: Vec<&str> = scenario.rules.iter().map(String::as_str).filter(|id| rule::find(id).is_none()).collect();
    let near = |id: &str| nearest(id, rule::CATALOGUE.iter().map(|rule| rule.id)).map(str::to_owned);
    mistakes(&Diagnostics::unknown_rules(&scenario.name, text, &ids, &near), text)
}

fn mistakes(wrong: &Diagnostics, text: &str) -> Vec<Mistake> {
    let one = |mistake: &Diagnostic| {
        let from = units(text, mistake.span.start);
        let before = text.get(..mistake.span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        Mistake {
            from,
            to: units(text, mistake.span.end).max(from),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message: mistake.message.clone(),
            label: mistake.label.clone(),
            help: mistake.help.clone(),
        }
    };
    wrong.iter().map(one).collect()
}

/// A run in JSON lines; nothing of what is no scenario.
fn lines(scene: &Setting) -> Vec<Value> {
    let Ok(scenario) = Scenario::parse(&scene.name, &scene.name, &scene.text) else { return Vec::new() };
    let facts = scene.facts().with_all(&scenario.needs);
    let (answers, _) = run(&scenario, Model::new(facts));
    let header = serde_json::to_value(Header::new(&scenario, None));
    let one = |(step, answer): (usize, &Answer)| {
        let mut line = Line::new(&scenario, step, &answer.observation);
        let because = answer.because.iter();
        line.because =
            Some(because.map(|because| BecauseLine::new(because.rule.id, scenario.role_name(because.about))).collect());
        serde_json::to_value(line)
    };
    let lines = answers.iter().enumerate().map(one);
    std::iter::once(header).chain(lines).map(|line| line.expect("a line is strings and numbers")).collect()
}

fn completions(text: &str, at: usize) -> Completions {
    // From UTF-16 to bytes.
    let mut left = at;
    let byte = text.char_indices().find(|(_, letter)| {
        let before = left == 0;
        left = left.saturating_sub(letter.len_utf16());
        before
    });
    let byte = byte.map_or(text.len(), |(byte, _)| byte);
    let mut found = complete::at(text, byte);
    found.from = units(text, found.from);
    found.to = units(text, found.to);
    found
}
