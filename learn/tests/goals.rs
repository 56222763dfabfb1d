//! Goals: a solution reaches each, and what one might try first does not.

use pidlab_learn::goal::{GOALS, Goal, find};
use pidlab_scenario::Facts;

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
        assert_eq!(on_model(&solution), Ok(Vec::new()), "{}", goal.word);
        let missed = on_model(&other).expect("it can be played");
        assert!(!missed.is_empty(), "{} is reached without its point", goal.word);
        // Nobody is there yet, or what was given is not what is wanted.
        assert_ne!(on_model(&goal.template()), Ok(Vec::new()), "{}", goal.word);
    }
}

#[test]
fn what_is_no_attempt_is_told() {
    let goal = find("free-it").expect("there is one");
    let wrong = |text: &str| goal.attempt(text).expect_err("it is none");
    assert!(wrong("steps = [").contains("free-it"), "{}", wrong("steps = ["));
    assert!(wrong(&file(&[BASE])).contains("begins with"));
    let orphan = find("an-orphan-inside").expect("there is one");
    assert_eq!(orphan.attempt(&file(&[BASE])).expect_err("nobody is there"), "nobody is called leaf, mid");
    let dead = file(&[BASE, MID, r#"{ by = "mid", call = "getpid" },"#]);
    let refused = orphan.attempt(&dead).expect("it can be read").on_model(&Facts::newest());
    assert!(refused.expect_err("mid is dead").contains("`mid` cannot act here"));
}
