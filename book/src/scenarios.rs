//! The library as pages: one a scenario, one a chapter with a player, and the list of all.

use std::fmt::Write as _;
use std::thread;

use pidlab_page::{Film, LESSONS, Shot, escaped};
use pidlab_scenario::{Facts, Scenario, library};
use pidlab_sim::Model;

use crate::frame::Page;
use crate::incident::Incident;
use crate::names::{self, chapter};

/// A scenario of the library and its run on the model.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    pub(crate) film: Film,
}

/// Runs the library on the model, each scenario as on the newest kernel that it is about.
pub(crate) fn played() -> Vec<Played> {
    let play = |file: library::LibraryFile| {
        let scenario = Scenario::parse(&file.name, &file.path, file.text).ok()?;
        let facts = Facts::newest().with_all(&scenario.needs);
        let mut model = Model::new(facts.clone());
        let start = model.start(&scenario);
        let steps = scenario.steps.iter().map_while(|step| model.step(&scenario, step).ok());
        let answers: Vec<_> = std::iter::once(start).chain(steps).collect();
        let shots: Vec<Shot<'_>> =
            answers.iter().map(|answer| Shot { observation: &answer.observation, because: &answer.because }).collect();
        let film = Film::new(&scenario, file.text, "the model of Linux", &shots).asking(&scenario, &facts);
        Some(Played { scenario, film })
    };
    // Most of the time goes into the questions, which ask the model what every misconception would say.
    let files: Vec<library::LibraryFile> = library::files().collect();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let part = |files: Vec<library::LibraryFile>| files.into_iter().filter_map(play).collect::<Vec<Played>>();
        let parts = files.chunks(files.len().div_ceil(workers).max(1)).map(<[library::LibraryFile]>::to_vec);
        let running: Vec<_> = parts.map(|files| scope.spawn(move || part(files))).collect();
        running.into_iter().flat_map(|part| part.join().expect("a run of the library does not panic")).collect()
    })
}

/// Each scenario on a page of its own.
pub(crate) fn pages(library: &[Played], incidents: &[Incident], playground: bool) -> Vec<Page> {
    let page = |played: &Played| {
        let name = &played.scenario.name;
        let title = played.scenario.title.clone();
        Page { file: names::scenario(name), title, body: body(played, incidents, playground), part: None }
    };
    library.iter().map(page).collect()
}

fn body(played: &Played, incidents: &[Incident], playground: bool) -> String {
    let Played { scenario, film } = played;
    let mut html = format!(
        "<p class=\"where\"><a href=\"scenarios.html#{0}\">{0}</a></p>\n<h1>{1}</h1>\n{2}",
        chapter(&scenario.name),
        escaped(&scenario.title),
        film.about
    );
    html += &ways_in(&scenario.name, playground);
    if !scenario.needs.is_empty() {
        let needs: Vec<String> = scenario.needs.iter().map(|need| format!("<code>{need}</code>")).collect();
        let _ = write!(html, "<p class=\"aside\">About kernels with {}.</p>", needs.join(", "));
    }
    let _ = write!(
        html,
        "<h2>Step by step</h2>\n<p class=\"aside\">Say what each step gives, and who is whose child then, before you look.</p>\n<ol class=\"steps\">"
    );
    for (index, scene) in film.moments.iter().enumerate().skip(1) {
        html += &step(film, index, scene.questions.is_empty() && scene.ask.is_none());
    }
    html += "</ol>\n";
    let _ = write!(
        html,
        "<h2>The file</h2>\n<pre tabindex=\"0\"><code>{}</code></pre>\n",
        escaped(without_schema(&film.text))
    );
    html + &mentions(&scenario.name, incidents)
}

/// The first line of a file is for editors that read a schema from the disk.
fn without_schema(text: &str) -> &str {
    text.split_once('\n').filter(|(first, _)| first.starts_with("#:schema")).map_or(text, |(_, rest)| rest)
}

/// Where the scenario can be tried.
pub(crate) fn ways_in(name: &str, playground: bool) -> String {
    let model = if playground {
        format!("<a href=\"playground.html#s={name}\">Change it in the playground</a>")
    } else {
        String::new()
    };
    format!(
        "<p class=\"tries\"><a class=\"first\" href=\"{}\">Step through it, and guess</a>{model}<code>pidlab run {name}</code></p>\n",
        names::player(name)
    )
}

/// A step: what is done, and folded away what comes of it.
fn step(film: &Film, index: usize, plain: bool) -> String {
    let scene = &film.moments[index];
    let ask = scene.ask.as_ref().map(|ask| format!("<p class=\"ask\">{}</p>", escaped(ask))).unwrap_or_default();
    let reasons: String = scene
        .reasons
        .iter()
        .filter(|reason| reason.new || reason.main)
        .map(|reason| reason_of(film, reason.rule))
        .collect();
    let is_telling = !plain || scene.reasons.iter().any(|reason| reason.main) || index + 1 == film.moments.len();
    let picture = if is_telling {
        format!("<div class=\"picture\" tabindex=\"0\">{}</div>", scene.picture)
    } else {
        String::new()
    };
    let why = if reasons.is_empty() { String::new() } else { format!("<ul class=\"why\">{reasons}</ul>") };
    format!(
        "<li><p><b>{}</b>: <code>{}</code></p>{ask}<details><summary>What comes of it</summary><p class=\"gave {}\">{}</p>{picture}{why}</details></li>\n",
        escaped(&scene.by),
        escaped(&scene.call),
        scene.sort,
        escaped(&scene.result),
    )
}

fn reason_of(film: &Film, rule: &str) -> String {
    let sentence = film.rules.get(rule).map_or("", |card| card.sentence.as_str());
    format!("<li>{} <a href=\"rules.html#{rule}\"><code>{rule}</code></a></li>", escaped(sentence))
}

/// Lessons and incidents that a scenario stands behind.
fn mentions(name: &str, incidents: &[Incident]) -> String {
    let lessons = LESSONS.iter().enumerate().filter(|(_, lesson)| lesson.scenarios.contains(&name));
    let lessons = lessons.map(|(index, lesson)| {
        format!("<li><a href=\"{}\">Lesson {}: {}</a></li>", names::lesson(index + 1), index + 1, escaped(lesson.title))
    });
    let told = incidents.iter().filter(|incident| incident.scenarios.iter().any(|one| one == name));
    let told = told.map(|incident| {
        format!("<li><a href=\"{}\">{}</a></li>", names::incident(&incident.id), escaped(&incident.title))
    });
    let all: String = lessons.chain(told).collect();
    if all.is_empty() { String::new() } else { format!("<h2>Where it matters</h2>\n<ul>{all}</ul>\n") }
}

/// The list of all, chapter by chapter.
pub(crate) fn list(library: &[Played]) -> String {
    let mut html = format!(
        "<h1>Scenarios</h1>\n<p>All {} of the library, which is inside the program. Each claims something that can be false, and is held against real kernels.</p>\n",
        library.len()
    );
    let mut last = "";
    for Played { scenario, .. } in library {
        let own = chapter(&scenario.name);
        if own != last {
            if !last.is_empty() {
                html += "</ul>\n";
            }
            let _ = write!(html, "<h2 id=\"{own}\">{own}</h2>\n<ul class=\"list\">");
            last = own;
        }
        let _ = writeln!(
            html,
            "<li><a href=\"{}\">{}</a> <code>{}</code></li>",
            names::scenario(&scenario.name),
            escaped(&scenario.title),
            scenario.name
        );
    }
    html + "</ul>\n"
}

/// The players: a page a chapter.
pub(crate) fn players(library: &[Played]) -> Vec<(String, String)> {
    let mut chapters: Vec<&str> = library.iter().map(|played| chapter(&played.scenario.name)).collect();
    chapters.dedup();
    let of = |chapter: &str| {
        let films: Vec<Film> = library
            .iter()
            .filter(|played| names::chapter(&played.scenario.name) == chapter)
            .map(|played| played.film.clone())
            .collect();
        (format!("play-{chapter}.html"), pidlab_page::page::film_of_a_site(&films, "scenarios.html"))
    };
    chapters.into_iter().map(of).collect()
}
