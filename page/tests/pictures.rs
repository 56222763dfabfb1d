//! The pictures: every moment of every scenario of the library is drawn, whole and in order.

use pidlab_page::{Film, Shot, svg};
use pidlab_scenario::{Facts, Observation, Scenario, library};
use pidlab_sim::{Answer, Model};
use roxmltree::{Document, Node};

/// A scenario of the library, and its run on the model.
fn run(name: &str) -> (Scenario, Vec<Answer>) {
    let file = library::find(name).expect("the library has it");
    let scenario = Scenario::parse(&file.name, &file.path, file.text).expect("the library is right");
    let mut model = Model::new(Facts::newest().with_all(&scenario.needs));
    let start = model.start(&scenario);
    let steps = scenario.steps.iter().map(|step| model.step(&scenario, step).expect("the library is right"));
    let answers = std::iter::once(start).chain(steps).collect();
    (scenario, answers)
}

fn film(scenario: &Scenario, answers: &[Answer]) -> Film {
    let shots: Vec<Shot<'_>> =
        answers.iter().map(|answer| Shot { observation: &answer.observation, because: &answer.because }).collect();
    Film::new(scenario, "", "the model", &shots)
}

/// Left, top, right, bottom.
type Frame = (i32, i32, i32, i32);

fn frame(rect: Node<'_, '_>) -> Frame {
    let number = |name| rect.attribute(name).and_then(|value| value.parse().ok()).expect("a rectangle has numbers");
    let (x, y): (i32, i32) = (number("x"), number("y"));
    (x, y, x + number("width"), y + number("height"))
}

fn within(inner: Frame, outer: Frame) -> bool {
    inner.0 > outer.0 && inner.1 > outer.1 && inner.2 < outer.2 && inner.3 < outer.3
}

fn apart(one: Frame, other: Frame) -> bool {
    one.2 <= other.0 || other.2 <= one.0 || one.3 <= other.1 || other.3 <= one.1
}

fn with_class<'a, 'input>(node: Node<'a, 'input>, class: &'a str) -> impl Iterator<Item = Node<'a, 'input>> {
    node.descendants()
        .filter(move |one| one.attribute("class").is_some_and(|words| words.split(' ').any(|word| word == class)))
}

fn rect<'a, 'input>(node: Node<'a, 'input>) -> Node<'a, 'input> {
    node.children().find(|child| child.has_tag_name("rect")).expect("it has a frame")
}

/// Checks one picture against the observation that it is of.
fn check(picture: &str, observation: &Observation, scenario: &Scenario, place: &str) {
    let document = Document::parse(picture).unwrap_or_else(|error| panic!("{place}: {error}"));
    let root = document.root_element();
    let nests: Vec<(u16, Frame)> = with_class(root, "nest")
        .map(|nest| {
            (nest.attribute("data-in").and_then(|space| space.parse().ok()).expect("a number"), frame(rect(nest)))
        })
        .collect();
    let tasks: Vec<Node<'_, '_>> = with_class(root, "task").collect();
    assert_eq!(tasks.len(), observation.processes.len(), "{place}: each process stands there once");
    let mut pills = Vec::new();
    for process in &observation.processes {
        let name = scenario.role_name(process.role);
        let task = tasks.iter().find(|task| task.attribute("data-name") == Some(name));
        let task = task.unwrap_or_else(|| panic!("{place}: {name} is missing"));
        let numbers: Vec<String> = with_class(*task, "num")
            .filter_map(|number| number.children().find(|child| child.has_tag_name("text"))?.text().map(str::to_owned))
            .collect();
        assert_eq!(numbers, process.pids.iter().map(ToString::to_string).collect::<Vec<_>>(), "{place}: {name}");
        let home = process.namespaces.last().map(|space| space.0);
        let (_, nest) = nests.iter().find(|(space, _)| Some(*space) == home).expect("its namespace has a frame");
        for part in task.descendants().filter(|part| part.has_tag_name("rect")) {
            assert!(within(frame(part), *nest), "{place}: {name} leaves its namespace");
        }
        // Every namespace around holds it as well.
        for outer in &process.namespaces {
            let (_, frame_of) = nests.iter().find(|(space, _)| *space == outer.0).expect("a namespace has a frame");
            assert!(*frame_of == *nest || within(*nest, *frame_of), "{place}: {name}");
        }
        pills.push(frame(rect(*task)));
    }
    for (index, one) in pills.iter().enumerate() {
        assert!(pills[..index].iter().all(|other| apart(*one, *other)), "{place}: names overlap");
    }
}

#[test]
fn every_moment_of_the_library_is_drawn() {
    let mut drawn = 0;
    for file in library::files() {
        let (scenario, answers) = run(&file.name);
        let film = film(&scenario, &answers);
        for (scene, answer) in film.moments.iter().zip(&answers) {
            let place = format!("{} step {}", file.name, scene.step);
            check(&scene.picture, &answer.observation, &scenario, &place);
            Document::parse(&scene.table.replace('\u{a0}', " ")).unwrap_or_else(|error| panic!("{place}: {error}"));
            drawn += 1;
        }
    }
    assert!(drawn > 2000, "{drawn}");
}

#[test]
fn a_picture_that_stands_alone_has_its_look_inside() {
    let (scenario, answers) = run("nesting/orphans-stay-on-their-level");
    let seen: Vec<&Observation> = answers.iter().map(|answer| &answer.observation).collect();
    let picture = svg(&scenario, &seen, 8).expect("there is a step 8");
    assert!(picture.contains("<style>") && picture.contains("prefers-color-scheme: dark"));
    check(&picture, &answers[8].observation, &scenario, "alone");
    assert_eq!(svg(&scenario, &seen, 11), None);
    let (_, body) = picture.split_once("</style>").expect("the style comes first");
    insta::assert_snapshot!("boxes", body.replace("><", ">\n<"));
}

#[test]
fn what_changed_is_told_in_words() {
    let told = |name: &str| {
        let (scenario, answers) = run(name);
        let film = film(&scenario, &answers);
        let line = |scene: &pidlab_page::Scene| {
            let changes: Vec<String> =
                scene.changes.iter().map(|one| format!("   {} {}\n", one.about, one.words)).collect();
            format!("{}. {}: {} {}\n{}", scene.step, scene.by, scene.call, scene.result, changes.concat())
        };
        film.moments.iter().skip(1).map(line).collect::<String>()
    };
    insta::assert_snapshot!("changes_of_orphans", told("nesting/orphans-stay-on-their-level"));
    insta::assert_snapshot!("changes_of_an_end", told("death/not-gone-yet"));
    insta::assert_snapshot!("changes_of_a_wait", told("waiting/one-child-first"));
}
