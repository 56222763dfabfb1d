//! What the incidents and the texts beside the lessons say is so: of the library, of the catalogue, and of this kernel.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pidlab_book::{Incident, Why, beside, incidents};
use pidlab_page::LESSONS;
use pidlab_realkernel::{Lab, LabOptions};
use pidlab_scenario::{Facts, Observation, Role, Scenario, library};
use pidlab_sim::{Model, rule};
use pidlab_why::{Procfs, Snapshot, View, explain_process, text};

fn all() -> Vec<Incident> {
    incidents().expect("every file is an incident")
}

fn scenario(name: &str) -> Scenario {
    let file = library::find(name).unwrap_or_else(|| panic!("there is no scenario {name}"));
    Scenario::parse(&file.name, &file.path, file.text).expect("the library is well formed")
}

/// The rules that decide in a scenario, on the newest kernel that it is about.
fn fired(scenario: &Scenario) -> BTreeSet<&'static str> {
    let mut model = Model::new(Facts::newest().with_all(&scenario.needs));
    let mut fired: BTreeSet<&str> = model.start(scenario).because.iter().map(|because| because.rule.id).collect();
    for step in &scenario.steps {
        let answer = model.step(scenario, step).expect("the library can be run");
        fired.extend(answer.because.iter().map(|because| because.rule.id));
    }
    fired
}

/// Rules that an incident names and that decide in none of its scenarios.
fn not_shown(incident: &Incident) -> Vec<&str> {
    let fired: BTreeSet<&str> = incident.scenarios.iter().flat_map(|name| fired(&scenario(name))).collect();
    incident.rules.iter().map(String::as_str).filter(|id| !fired.contains(id)).collect()
}

#[test]
fn every_rule_of_an_incident_decides_in_one_of_its_scenarios() {
    let all = all();
    assert!(all.len() >= 25, "{} incidents", all.len());
    for incident in &all {
        assert!(
            !incident.rules.is_empty() && !incident.scenarios.is_empty() && !incident.threads.is_empty(),
            "{}",
            incident.id
        );
        let unknown: Vec<&String> = incident.rules.iter().filter(|id| rule::find(id).is_none()).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", incident.id);
        assert_eq!(not_shown(incident), [] as [&str; 0], "{}", incident.id);
    }
}

#[test]
fn a_rule_that_no_scenario_of_an_incident_shows_is_noticed() {
    let mut incident = all().into_iter().find(|incident| incident.id == "cannot-be-removed").expect("it is there");
    incident.rules.push("limit.depth".to_owned());
    assert_eq!(not_shown(&incident), ["limit.depth"]);
}

#[test]
fn threads_are_a_repository_and_a_number_and_titles_are_told_once() {
    let all = all();
    for incident in &all {
        for thread in &incident.threads {
            let (repository, number) = thread.split_once('#').unwrap_or_default();
            let is_thread = repository.split('/').count() == 2 && number.parse::<u32>().is_ok();
            assert!(is_thread, "{}: {thread}", incident.id);
        }
    }
    let titles: BTreeSet<&str> = all.iter().map(|incident| incident.title.as_str()).collect();
    assert_eq!(titles.len(), all.len(), "two incidents have one title");
}

#[test]
fn there_is_something_to_type_beside_every_lesson() {
    let lessons: Vec<usize> = beside().expect("every file is read").iter().map(|beside| beside.lesson).collect();
    assert_eq!(lessons, (1..=LESSONS.len()).collect::<Vec<usize>>());
}

#[test]
fn a_header_is_read_strictly() {
    let good =
        "+++\ntitle = \"t\"\nthreads = []\nscenarios = []\nrules = []\n+++\nIt fell.\n\n## What to do\n\nMend it.\n";
    let read = |text: &str| Incident::parse("x", text, None);
    let incident = read(good).expect("it is an incident");
    assert!(incident.story == "It fell." && incident.advice == "Mend it.");
    for (from, to, told) in [
        ("rules = []", "rules = []\nrule = []", "unknown field `rule`"),
        ("rules = []\n", "", "missing field `rules`"),
        ("rules = []", "rules = []\n[[commands]]\nrun = \"x\"\nneeds = []\nsees = \"\"", "missing field `shows`"),
        ("## What to do", "## And now", "What to do"),
        ("Mend it.", "", "What to do"),
        ("+++\ntitle", "title", "a header stands first"),
    ] {
        let wrong = read(&good.replacen(from, to, 1)).expect_err(to);
        assert!(wrong.starts_with("x: ") && wrong.contains(told), "{wrong}");
    }
    let wrong = Incident::parse("x", good, Some("an answer")).expect_err("nobody asked");
    assert!(wrong.contains("nothing was asked"), "{wrong}");
}

/// Which process is whose role, and how many levels the scenario's outermost namespace lies below the procfs's.
fn roles(snapshot: &Snapshot, observation: &Observation, above: u32) -> (usize, BTreeMap<u32, Role>) {
    let parents: BTreeMap<u32, u32> = snapshot.processes.iter().map(|it| (it.pid, it.parent)).collect();
    let is_below =
        |pid: u32| std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).take(100).any(|pid| pid == above);
    let below: Vec<_> = snapshot.processes.iter().filter(|process| is_below(process.pid)).collect();
    let views = || observation.processes.iter().filter(|view| view.thread_of.is_none());
    let at = |levels: usize| -> BTreeMap<u32, Role> {
        let of = |numbers: &[u32]| below.iter().find(|process| process.numbers.get(levels..) == Some(numbers));
        views().filter_map(|view| Some((of(&view.pids)?.pid, view.role))).collect()
    };
    let found = (1..=32).map(|levels| (levels, at(levels))).find(|(_, found)| found.len() == views().count());
    found.expect("every role is a process")
}

/// What was read of a scenario's processes, as a procfs of its outermost namespace would have it, and with the names of the scenario: what
/// differs from machine to machine is taken out, and nothing else.
fn as_in_the_scenario(mut snapshot: Snapshot, scenario: &Scenario, observation: &Observation, above: u32) -> Snapshot {
    let (levels, roles) = roles(&snapshot, observation, above);
    snapshot.view = View::default();
    snapshot.processes.retain(|process| roles.contains_key(&process.pid));
    let pids: BTreeMap<u32, u32> =
        snapshot.processes.iter().map(|process| (process.pid, process.numbers[levels])).collect();
    let inside = |pid: u32| pids.get(&pid).copied().unwrap_or(0);
    for process in &mut snapshot.processes {
        let role = roles[&process.pid];
        let view = observation.process(role).expect("it is one of them");
        process.name = scenario.role_name(role).to_owned();
        process.namespace = view.namespaces.last().map(|namespace| u64::from(namespace.0));
        process.pid = inside(process.pid);
        process.parent = inside(process.parent);
        process.tracer = inside(process.tracer);
        process.session = inside(process.session);
        process.numbers.drain(..levels);
        process.groups.drain(..levels);
        process.started = 0;
        if let Some(detail) = &mut process.detail {
            detail.pidfd_of = detail.pidfd_of.map(inside);
        }
    }
    snapshot.processes.sort_by_key(|process| process.pid);
    snapshot
}

/// Columns of an answer: it is shown indented, on pages of 80.
const WIDTH: usize = 76;

/// What is said of a process that does not go away, in a state that is made with real processes.
fn said(lab: &mut Lab, why: &Why) -> String {
    let scenario = scenario(&why.scenario);
    let above = lab.helper_pid().expect("a lab has a helper");
    let role = scenario.roles.iter().position(|name| *name == why.of).expect("it is a role of the scenario");
    let (mut step, mut said) = (0, String::new());
    lab.run_held(&scenario, |observation| {
        if step == why.step {
            let snapshot = Procfs::default().read().expect("there is a procfs");
            let snapshot = as_in_the_scenario(snapshot, &scenario, observation, above);
            let view = observation.processes.iter().find(|view| view.role.index() == role).expect("it is there still");
            let report = explain_process(&snapshot, view.pids[0]).expect("it is in the snapshot");
            assert!(report.is_stuck(), "{}: {report:?}", why.scenario);
            said = text(&report, WIDTH);
        }
        step += 1;
    })
    .unwrap_or_else(|wrong| panic!("{}: {wrong}", why.scenario));
    said
}

/// With `PIDLAB_WRITE=1` the answers are written.
#[test]
fn what_why_says_of_an_incident_is_what_it_says() {
    let Some(mut lab) = Lab::or_skip(LabOptions::default()) else { return };
    let mut asked = 0;
    for incident in all() {
        let Some(why) = &incident.why else { continue };
        assert!(incident.scenarios.contains(&why.scenario), "{}: {} is not its scenario", incident.id, why.scenario);
        let said = said(&mut lab, why);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("incidents/{}.why.txt", incident.id));
        if std::env::var_os("PIDLAB_WRITE").is_some() {
            fs::write(&path, &said).expect("the source tree is writable when it is asked to be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == said, "{}: run this test once with PIDLAB_WRITE=1. Now:\n{said}", path.display());
        asked += 1;
    }
    assert!(asked >= 4, "{asked} were asked");
}
