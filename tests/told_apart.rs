//! What tells each misconception, and each fact, from the truth in the fewest steps: `docs/told-apart.md`, made from
//! `explore/told-apart.json`.
//!
//! Every search is made again each time, in less than a minute, and has to come to what is kept: a rule of the model that changes may change
//! what is shortest. Every scenario runs on both models and on this kernel. `PIDLAB_WRITE=1 cargo test -p pidlab --test told_apart` writes
//! both files anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pidlab_explore::{Alphabet, Apart, Bounds, Other, Plan, tell_apart};
use pidlab_scenario::{Fact, Facts, Machine, Numbers, Observation, Scenario};
use pidlab_sim::{Misconception, Model};
use serde_json::{Value, json};

/// What takes more than two steps of any calls: the calls among which it is looked for up to six steps, how many namespaces there may be,
/// and up to how many steps all calls are tried, too.
const LONGER: &[(&str, &str, usize, u16)] = &[
    ("orphans-go-to-grandparent", "fork,exit", 2, 3),
    ("descendants-go-to-init", "fork,exit", 2, 3),
    ("children-die-with-parent", "fork,exit", 2, 2),
    ("subreaper-reaches-inside", "fork,clone CLONE_NEWPID,kill SIGKILL,set_child_subreaper", 2, 3),
    ("init-reaps-by-itself", "fork,exit,kill -1 SIGKILL", 2, 2),
    ("subreaper-flag-is-inherited", "fork,set_child_subreaper,get_child_subreaper", 2, 2),
    ("kill-removes-zombies", "fork,exit,kill SIGKILL", 2, 2),
    ("ignoring-sigchld-changes-nothing", "fork,exit,sigaction SIGCHLD ignore", 2, 2),
    ("signals-are-counted", "fork,exit,sigaction SIGCHLD handle,kill -1 SIGKILL", 2, 3),
    ("init-loses-blocked-signals", "clone CLONE_NEWPID,sigprocmask,sigpending,sigwait,kill SIGTERM", 2, 2),
    ("pids-are-global", "fork,clone CLONE_NEWPID,kill SIGKILL,kill SIGTERM", 2, 2),
    ("sender-as-it-sees-itself", "fork,clone CLONE_NEWPID,sigaction SIGTERM handle,kill SIGTERM", 2, 2),
    ("setns-moves-the-caller", "clone CLONE_NEWPID,setns ns/pid,getpid,fork", 2, 2),
    ("unshare-works-twice", "all", 3, 0),
    ("dead-namespace-is-closed", DEAD, 2, 2),
    ("fork-revives-namespace", "fork,unshare CLONE_NEWPID,exit", 2, 3),
    ("members-outlive-init", "fork,clone CLONE_NEWPID,exit,kill SIGKILL", 2, 2),
    ("init-takes-only-its-children", GUESTS, 2, 2),
    ("init-does-not-wait", "fork,unshare CLONE_NEWPID,setns ns/pid,exit,kill SIGKILL", 2, 3),
    ("handlers-survive-exec", "fork,sigaction SIGTERM handle,exec,kill SIGTERM", 2, 2),
    ("mask-is-not-inherited", "fork,sigprocmask,sigpending,kill SIGTERM", 2, 2),
    ("promise-is-inherited", "fork,exit,set_pdeathsig,get_pdeathsig", 2, 2),
    ("pidfd-hangs-up", POLL, 2, 2),
    ("set_tid-checked-first", "clone set_tid,unshare", 2, 2),
    ("first-fork-may-fail", "fork,unshare CLONE_NEWPID,failed_fork,exit", 2, 2),
    ("init-threads-spared", "clone CLONE_NEWPID,clone CLONE_THREAD,sigprocmask,kill SIGTERM", 2, 2),
    ("closed-after-death", "fork,setuid,exit,setns ns/pid,ptrace_attach", 2, 3),
    ("machine-root", "fork,setuid,exit,setns pidfd,setns ns/pid,ptrace_attach", 2, 3),
    ("sigchld-process-status", THREADS, 2, 3),
    ("groups-end-at-the-border", "clone CLONE_NEWPID,setpgid to,kill group SIGTERM,kill own group SIGTERM,fork", 2, 2),
    ("last-thread-status", "clone CLONE_THREAD,fork,exit_thread 3,exit,exit 3,exit_thread,wait any WNOHANG", 2, 2),
    ("pidfd-exit", "fork,exit,wait any,look pidfd-exit", 2, 2),
    ("pidfd-namespaces", "setns pidfd/pid_for_children,fork,exit,unshare CLONE_NEWPID", 2, 2),
    ("pidfd-access-first", "setns pidfd/pid_for_children,fork,exit,unshare CLONE_NEWPID,setuid", 2, 2),
    ("pidfd-thread", "pidfd_open PIDFD_THREAD,pidfd_send_signal,fork", 2, 2),
    ("procfs-pidns", "look their-procfs,fork,clone CLONE_NEWPID", 2, 2),
    ("sender-for-each", GROUP, 2, 2),
    ("sender-translated", GROUP, 2, 2),
];

const DEAD: &str = "clone CLONE_NEWPID,setns ns/pid,exit,kill SIGKILL";
const GUESTS: &str = "clone CLONE_NEWPID,fork,wait any,reboot,kill SIGKILL";
const POLL: &str = "clone CLONE_THREAD,exec,pidfd_poll";
const GROUP: &str = "fork,clone CLONE_NEWPID,sigaction SIGTERM handle,kill own group SIGTERM,kill group SIGTERM";
const THREADS: &str = "fork,clone CLONE_THREAD,exit_thread,exit,sigaction SIGCHLD handle,kill SIGKILL";

/// What is not told, and why.
const NOT_TOLD: &[(&str, &str)] = &[
    ("depth-has-no-limit", "the limit is met at the 33rd namespace, and these are more steps than can be searched"),
    ("thirty-levels", "the limit is met 30 namespaces further down"),
    ("user-namespaces", "where there are none, the call that makes one is not tried at all"),
    ("put-in-place", "none of up to two steps of every call; the library's scenarios of it have eight and more"),
    (
        "ended-thread-deaf",
        "none of up to two steps of every call, for no set of arguments sends one thread a SIGCONT; the library's scenario has five",
    ),
    ("exec-hands-on", "none of up to five steps of the calls that should; the library's scenarios of it have more"),
];

const MOST_STEPS: u16 = 6;
const ALL_STEPS: u16 = 2;
#[derive(Clone, Copy)]
enum Subject {
    Belief(Misconception),
    Fact(Fact),
}

impl Subject {
    fn all() -> Vec<Subject> {
        let beliefs = Misconception::ALL.iter().map(|belief| Subject::Belief(*belief));
        beliefs.chain(Fact::ALL.iter().map(|fact| Subject::Fact(*fact))).collect()
    }

    fn word(self) -> &'static str {
        match self {
            Subject::Belief(belief) => belief.word(),
            Subject::Fact(fact) => fact.word(),
        }
    }

    fn other(self, plan: &Plan) -> Other {
        match self {
            Subject::Belief(belief) => Other::misconceived(plan, belief),
            Subject::Fact(fact) => Other::unlike(plan, fact),
        }
    }

    /// The model that is right, and the other one.
    fn models(self) -> (Model, Model) {
        let newest = Facts::newest();
        let other = match self {
            Subject::Belief(belief) => Model::misconceived(newest.clone(), belief),
            Subject::Fact(fact) => Model::new(newest.clone().with(fact, !newest.holds(fact))),
        };
        (Model::new(newest), other)
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("explore/told-apart.json")
}

fn kept() -> Vec<Value> {
    let text = fs::read_to_string(path()).expect("the file is there");
    serde_json::from_str(&text).expect("it is JSON")
}

/// Looks for a scenario among these calls.
fn search(subject: Subject, calls: &str, steps: u16, namespaces: usize) -> Apart {
    let mut bounds = Bounds::default();
    (bounds.steps, bounds.processes, bounds.threads, bounds.namespaces) = (steps, 4, 1, namespaces);
    let mut plan = Plan::new(Alphabet::from_words(calls).expect("there are these calls"), bounds);
    plan.jobs = 2;
    tell_apart(&plan, &subject.other(&plan), |_, _| ())
}

fn found(subject: Subject, apart: &Apart, calls: &str, namespaces: usize, of_all: &Value) -> Value {
    assert_eq!(apart.given_up, 0, "{}", subject.word());
    let scenario = apart.scenario.as_ref();
    json!({
        "subject": subject.word(), "steps": scenario.map(|scenario| scenario.steps.len()), "calls": calls,
        "namespaces": namespaces, "searched": apart.searched, "pairs": apart.pairs, "moves": apart.moves,
        "of_every_call": of_all, "scenario": scenario.map(Scenario::to_toml),
    })
}

/// The whole search for one of them.
fn searched(subject: Subject) -> Value {
    let longer = LONGER.iter().find(|(word, ..)| *word == subject.word());
    let figures = |apart: &Apart| json!({ "searched": apart.searched, "pairs": apart.pairs, "moves": apart.moves });
    let Some((_, calls, namespaces, all)) = longer.copied() else {
        let apart = search(subject, "all", ALL_STEPS, 2);
        return found(subject, &apart, "all", 2, &figures(&apart));
    };
    let of_all = if all > 0 {
        let apart = search(subject, "all", all, 2);
        if apart.scenario.is_some() {
            return found(subject, &apart, "all", 2, &figures(&apart));
        }
        figures(&apart)
    } else {
        Value::Null
    };
    found(subject, &search(subject, calls, MOST_STEPS, namespaces), calls, namespaces, &of_all)
}

#[test]
fn the_searches_come_to_what_is_kept_and_so_does_the_page() {
    let all: Vec<Value> = Subject::all().into_iter().map(searched).collect();
    let page_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/told-apart.md");
    if std::env::var_os("PIDLAB_WRITE").is_some() {
        let text = serde_json::to_string_pretty(&all).expect("it can be written");
        fs::write(path(), text + "\n").expect("the source tree is writable when it is asked to be written");
        fs::write(&page_path, page()).expect("the source tree is writable when it is asked to be written");
        return;
    }
    for (now, kept) in all.iter().zip(kept()) {
        assert_eq!(*now, kept, "run this test once with PIDLAB_WRITE=1");
    }
    assert_eq!(all.len(), kept().len());
    let committed = fs::read_to_string(&page_path).unwrap_or_default();
    assert!(committed == page(), "docs/told-apart.md is old: run this test once with PIDLAB_WRITE=1");
}

#[test]
fn each_is_told_or_there_is_a_reason() {
    let kept = kept();
    let words: Vec<&str> = kept.iter().filter_map(|one| one["subject"].as_str()).collect();
    let all: Vec<&str> = Subject::all().into_iter().map(Subject::word).collect();
    assert_eq!(words, all);
    let untold: Vec<&str> =
        kept.iter().filter(|one| one["steps"].is_null()).filter_map(|one| one["subject"].as_str()).collect();
    let mut reasons: Vec<&str> = NOT_TOLD.iter().map(|(word, _)| *word).collect();
    reasons.sort_by_key(|word| all.iter().position(|known| known == word));
    assert_eq!(untold, reasons);
}

fn scenarios() -> Vec<(Subject, Scenario)> {
    let read = |(subject, kept): (Subject, Value)| {
        let text = kept["scenario"].as_str()?.to_owned();
        let scenario = Scenario::parse(subject.word(), "told.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(kept["steps"].as_u64(), Some(scenario.steps.len() as u64));
        Some((subject, scenario))
    };
    Subject::all().into_iter().zip(kept()).filter_map(read).collect()
}

/// How many claims the last step has.
fn claims(scenario: &Scenario) -> usize {
    scenario.steps.last().map_or(0, |step| step.claimed().count())
}

/// All that a model shows as it runs by itself, and whether the last step's claims hold on that.
fn run(mut model: Model, scenario: &Scenario) -> (Vec<Observation>, bool) {
    let run = model.run(scenario).expect("the model always runs");
    let Some(last) = run.observations.get(scenario.steps.len()) else { return (run.observations, false) };
    let step = scenario.steps.last().expect("it has steps");
    let numbers = run.observations.iter().fold(Numbers::default(), |numbers, seen| numbers.after(seen));
    let hold = step.claimed().all(|claim| claim.truth(step.by, last, &numbers) == claim);
    (run.observations, hold)
}

/// Whether a model allows what was seen.
fn allows(mut model: Model, scenario: &Scenario, seen: &[Observation]) -> bool {
    model.start(scenario);
    scenario
        .steps
        .iter()
        .zip(seen.iter().skip(1))
        .all(|(step, seen)| matches!(model.judge(scenario, step, seen), Ok(pidlab_sim::Judgement::Agrees(_))))
}

#[test]
fn the_scenarios_tell_the_two_models_apart_by_their_last_steps() {
    for (subject, scenario) in scenarios() {
        let ((truth, holds), (other, too)) = (run(subject.models().0, &scenario), run(subject.models().1, &scenario));
        let word = subject.word();
        assert!(holds, "{word}: the claims are true");
        let before = scenario.steps.len();
        assert_eq!(truth[..before], other[..before], "{word}: only the last step tells");
        let claims = claims(&scenario);
        // Where Linux has a choice, one of the two may look as the other may not, and no claim says so.
        assert!(claims == 0 || !too, "{word}: and false for the other");
        let told = !allows(subject.models().1, &scenario, &truth) || !allows(subject.models().0, &scenario, &other);
        assert!(told || claims == 0, "{word}");
    }
}

#[test]
fn the_kernel_sides_with_the_truth() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (subject, scenario) in scenarios() {
        fs::write(folder.path().join(format!("{}.toml", subject.word())), scenario.to_toml()).expect("it is writable");
    }
    let mut check = Command::new(env!("CARGO_BIN_EXE_pidlab"));
    let ended = check.arg("check").arg(folder.path()).args(["--format", "json"]).output().expect("pidlab starts");
    if ended.status.code() == Some(4) && !pidlab_realkernel::must_not_skip() {
        return;
    }
    let out = String::from_utf8(ended.stdout).expect("output is UTF-8");
    assert_eq!(ended.status.code(), Some(0), "{out}");
    let results: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let on_kernel = results.iter().filter(|one| one["result"] == "agrees" && one["steps_compared"] == one["steps"]);
    assert!(on_kernel.count() > 40, "{out}");
}

fn number(kept: &Value, name: &str) -> u64 {
    kept[name].as_u64().unwrap_or_default()
}

/// In which sense nothing shorter does it.
fn among(kept: &Value) -> String {
    let (searched, all) = (number(kept, "searched"), number(&kept["of_every_call"], "searched"));
    let namespaces = match number(kept, "namespaces") {
        2 => String::new(),
        many => format!(", with {many} namespaces"),
    };
    let calls: Vec<String> =
        kept["calls"].as_str().unwrap_or_default().split(',').map(|call| format!("`{call}`")).collect();
    match kept["calls"].as_str() {
        Some("all") => format!("every call{namespaces}"),
        _ if all == searched => "every call".to_owned(),
        _ => format!("{}; of every call, none of up to {all} steps", calls.join(", ")),
    }
}

fn page() -> String {
    let kept = kept();
    let beliefs = Misconception::ALL.len();
    let within =
        |some: &[Value]| some.iter().filter(|one| one["steps"].as_u64().is_some_and(|steps| steps <= 5)).count();
    let mut text = format!(
        "# Told apart\n\n\
         The shortest scenario that tells each misconception from the truth, and each fact in which kernels differ from its opposite, found by `pidlab explore --tell-apart`\n\
         (docs/explore.md says how). Nothing shorter does it among the calls that are named, with at most 4 processes, 2 namespaces unless more are said, and one further\n\
         thread: all pairs of worlds up to one step less were looked at. \"Every call\" are all sets of arguments in `explore/src/calls.rs`. Of {beliefs} misconceptions, {} are told\n\
         by at most 5 steps, of {} facts {}; of all these {} only where Linux chooses so.\n\n\
         Made by `PIDLAB_WRITE=1 cargo test -p pidlab --test told_apart`. At each test every search is made again, and every scenario runs on both models, and on the kernel\n\
         where this is one that it is about.\n\n\
         | what | steps | nothing shorter among | looked at without finding one |\n|---|---|---|---|\n",
        within(&kept[..beliefs]),
        kept.len() - beliefs,
        within(&kept[beliefs..]),
        scenarios().iter().filter(|(_, scenario)| claims(scenario) == 0).count(),
    );
    for one in kept.iter().filter(|one| !one["steps"].is_null()) {
        let (word, steps) = (one["subject"].as_str().unwrap_or_default(), number(one, "steps"));
        // Where every call was tried as far, that is the better proof.
        let of_all = &one["of_every_call"];
        let proof = if of_all["searched"] == one["searched"] { of_all } else { one };
        let (pairs, moves) = (number(proof, "pairs"), number(proof, "moves"));
        let looked = if moves == 0 {
            "there is no shorter one".to_owned()
        } else {
            format!("{pairs} pairs of worlds, {moves} steps")
        };
        let _ = writeln!(text, "| `{word}` | {steps} | {} | {looked} |", among(one));
    }
    text.push_str("\n## Not told\n\n");
    for (word, why) in NOT_TOLD {
        let of = kept.iter().find(|one| one["subject"] == *word);
        let searched = of.map_or(0, |one| number(one, "searched"));
        let _ = writeln!(text, "- `{word}`: {why}. No scenario of up to {searched} steps of every call does.");
    }
    text.push_str("\n## The scenarios\n");
    for (subject, scenario) in scenarios() {
        let _ = writeln!(text, "\n`{}`", subject.word());
        if claims(&scenario) == 0 {
            text.push_str("(Linux has a choice here, and only one of the two models allows all that it may choose)\n");
        }
        let _ = writeln!(text, "\n```toml\n{}```", scenario.to_toml().trim_start());
    }
    text
}
