//! Goals: a solution reaches each, and what one might try first does not.

use pidlab_page::api;
use pidlab_page::goal::{GOALS, Goal, find};
use pidlab_scenario::Facts;
use pidlab_scenario::held::Whose;
use pidlab_sim::{Misconception, Model};
use serde_json::{Value, json};

const BASE: &str = r#"{ by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },"#;
const MID: &str = r#"{ by = "init", call = "fork", child = "mid" }, { by = "mid", call = "fork", child = "leaf" },
    { by = "mid", call = "exit", status = 0 },"#;
const GUEST: &str = r#"{ by = "host", call = "fork", child = "exec" }, { by = "exec", call = "setns", to = "init" },"#;
const TINI: &str =
    r#"{ by = "init", call = "fork", child = "tini" }, { by = "tini", call = "set_child_subreaper", on = true },"#;
const ORPHAN: &str = r#"{ by = "tini", call = "fork", child = "app" }, { by = "app", call = "fork", child = "orphan" },
    { by = "app", call = "exit", status = 0 }, { by = "orphan", call = "exit", status = 0 },"#;

fn file(steps: &[&str]) -> String {
    format!("title = \"mine\"\nsteps = [\n{}\n]\n", steps.concat())
}

/// A solution, and something that is none.
fn tried(goal: &Goal) -> (String, String) {
    let stuck = goal.start;
    match goal.word {
        "an-orphan-inside" => {
            (file(&[BASE, MID, r#"{ by = "init", call = "wait", pid = "any" },"#]), file(&[BASE, MID]))
        }
        "a-guest" => (
            file(&[BASE, GUEST, r#"{ by = "exec", call = "fork", child = "guest" },"#]),
            file(&[
                BASE,
                r#"{ by = "host", call = "fork", child = "exec" }, { by = "init", call = "fork", child = "guest" },"#,
            ]),
        ),
        "a-collector" => {
            (file(&[BASE, TINI, ORPHAN]), file(&[BASE, r#"{ by = "init", call = "fork", child = "tini" },"#, ORPHAN]))
        }
        "freeze" => {
            let worker = r#"{ by = "init", call = "fork", child = "worker" },"#;
            let stop =
                |by: &str| format!("{{ by = \"{by}\", call = \"kill\", pid = \"init\", signal = \"SIGSTOP\" }},");
            (file(&[BASE, worker, &stop("host")]), file(&[BASE, worker, &stop("worker")]))
        }
        "free-it" => {
            let wait =
                |by: &str| format!("{{ by = \"{by}\", call = \"wait\", pid = \"any\", options = [\"WNOHANG\"] }},");
            (file(&[stuck, &wait("exec"), &wait("host")]), file(&[stuck, &wait("host"), &wait("host")]))
        }
        other => panic!("nobody has tried {other}"),
    }
}

#[test]
fn each_goal_has_a_solution_and_is_not_reached_otherwise() {
    assert!(GOALS.len() >= 4);
    for goal in GOALS {
        assert_eq!(find(goal.word), Some(goal));
        let (solution, other) = tried(goal);
        let on_model = |text: &str| goal.attempt(text).and_then(|attempt| attempt.on_model(&Facts::newest()));
        assert!(on_model(&solution).expect("it can be played").is_empty(), "{}", goal.word);
        let missed = on_model(&other).expect("it can be played");
        assert!(!missed.is_empty(), "{} is reached without its point", goal.word);
        // Nobody is there yet, or what was given is not what is wanted.
        assert!(on_model(&goal.template()).map_or(true, |missed| !missed.is_empty()), "{}", goal.word);
    }
}

#[test]
fn what_is_no_attempt_is_told() {
    let goal = find("free-it").expect("there is one");
    let wrong = |text: &str| goal.attempt(text).expect_err("it is none").to_string();
    assert!(wrong("steps = [").contains("free-it"), "{}", wrong("steps = ["));
    assert!(wrong(&file(&[BASE])).contains("begins with"));
    let orphan = find("an-orphan-inside").expect("there is one");
    assert_eq!(orphan.attempt(&file(&[BASE])).expect_err("nobody is there").to_string(), "nobody is called leaf, mid");
    let dead = file(&[BASE, MID, r#"{ by = "mid", call = "getpid" },"#]);
    let refused = orphan.attempt(&dead).expect("it can be read").on_model(&Facts::newest());
    let refused = refused.expect_err("mid is dead").to_string();
    // The place is one of the learner's own text, which has all this in three lines.
    assert!(refused.contains("`mid` cannot act here") && refused.contains("an-orphan-inside:4:"), "{refused}");
    let asleep = file(&[BASE, MID, r#"{ by = "host", call = "wait", pid = "any" },"#]);
    let nobody = orphan.attempt(&asleep).expect("it can be read").on_model(&Facts::newest());
    assert!(nobody.expect_err("host sleeps").to_string().contains("`host` is still in a call"));
}

fn told(goal: &str, text: &str, more: Value) -> Value {
    let mut request = json!({ "ask": "goal", "name": goal, "text": text });
    let more = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(more);
    serde_json::from_str(&api::answer(&request.to_string())).expect("an answer is JSON")
}

/// The first thing that is not as wanted is what the hint is about.
#[test]
fn a_hint_is_about_what_is_missed() {
    let goal = find("an-orphan-inside").expect("there is one");
    let hint = |steps: &[&str]| {
        let attempt = goal.attempt(&file(steps)).expect("it can be read");
        let missed = attempt.on_model(&Facts::newest()).expect("it can be played");
        assert!(!missed.is_empty());
        goal.hint(&missed)
    };
    let no_namespace = r#"{ by = "host", call = "fork", child = "init" },"#;
    assert!(hint(&[no_namespace, MID]).contains("which flag of clone"));
    let alive = r#"{ by = "init", call = "fork", child = "mid" }, { by = "mid", call = "fork", child = "leaf" },"#;
    assert!(hint(&[BASE, alive]).contains("Who adopts"));
    assert!(hint(&[BASE, MID]).contains("who must wait for `mid`"));
    for goal in GOALS {
        let spoken_of = |role: &str| goal.wanted.contains(&format!("{role} = "));
        assert!(goal.first.iter().all(|(role, _)| spoken_of(role)), "{}", goal.word);
    }
}

/// A page is told what the terminal tells, of each goal.
#[test]
fn the_page_is_told_what_is_reached_and_what_is_missing() {
    let shelf: Value = serde_json::from_str(&api::answer(r#"{"ask":"shelf"}"#)).expect("an answer is JSON");
    let words: Vec<&str> = GOALS.iter().map(|goal| goal.word).collect();
    let shelved: Vec<&str> =
        shelf["goals"].as_array().expect("a list").iter().filter_map(|goal| goal["word"].as_str()).collect();
    assert_eq!(shelved, words);
    for (goal, shelved) in GOALS.iter().zip(shelf["goals"].as_array().expect("a list")) {
        let start = shelved["start"].as_str().expect("a text to begin with");
        assert_eq!((start, &shelved["text"]), (&*goal.template(), &goal.text.into()));
        assert_eq!(told(goal.word, start, json!({}))["reached"], false, "{}", goal.word);
        let (solution, other) = tried(goal);
        let reached = json!({ "reached": true, "words": "Reached: the model says so.", "missed": [], "hint": null });
        assert_eq!(told(goal.word, &solution, json!({})), reached, "{}", goal.word);
        let missed =
            goal.attempt(&other).and_then(|attempt| attempt.on_model(&Facts::newest())).expect("it can be played");
        // Whoever has all but its point is told of that.
        let words = format!("Not reached. Wanted after the last step: `{}`. It is:", goal.wanted);
        let not = json!({ "reached": false, "words": words, "missed": missed, "hint": goal.hint });
        assert_eq!(told(goal.word, &other, json!({})), not, "{}", goal.word);
    }
}

#[test]
fn the_page_is_told_why_there_is_no_verdict() {
    for (goal, text, words) in [
        ("freeze", "steps = [", "The text has a mistake."),
        ("freeze", &find("freeze").expect("there is one").template(), "nothing is written yet: steps come"),
        ("freeze", &file(&[BASE]), "nobody is called worker"),
        ("free-it", " \n", "nothing is written yet: steps come"),
        ("free-it", &file(&[BASE]), "a solution begins with these steps:"),
    ] {
        let told = told(goal, text, json!({}));
        assert!(told["words"].as_str().expect("a sentence").starts_with(words), "{told}");
        assert_eq!((&told["reached"], &told["missed"]), (&false.into(), &json!([])));
    }
    assert_eq!(told("none", "", json!({})), json!({ "error": "there is no goal `none`" }));
}

/// Whom a belief would let through is not through.
#[test]
fn a_goal_is_held_against_linux_as_it_is() {
    let goal = find("an-orphan-inside").expect("there is one");
    let (_, unreaped) = tried(goal);
    let belief = Misconception::TheDeadAreGone;
    let attempt = goal.attempt(&unreaped).expect("it can be read");
    let mut model = Model::misconceived(Facts::newest(), belief);
    let mut believed = vec![model.start(&attempt.scenario).observation];
    for step in &attempt.scenario.steps {
        believed.push(model.step(&attempt.scenario, step).expect("it can be taken").observation);
    }
    assert_eq!(attempt.missed(&believed, Whose::Model), Vec::<String>::new());
    assert_eq!(told(goal.word, &unreaped, json!({ "misconception": belief.word() }))["reached"], false);
}
