//! The pages of the course: where it begins, the lessons, the incidents.

use std::fmt::Write as _;

use pidlab_page::{LESSONS, escaped};

use crate::beside::Beside;
use crate::frame::{Page, Part};
use crate::incident::{Command, Incident};
use crate::markdown::Known;
use crate::names::{self, slug};
use crate::scenarios::{self, Played};
use crate::tell;

/// What the course is made of.
pub(crate) struct Course<'a> {
    pub(crate) known: &'a Known,
    pub(crate) library: &'a [Played],
    pub(crate) incidents: &'a [Incident],
    pub(crate) beside: &'a [Beside],
    pub(crate) playground: bool,
}

impl Course<'_> {
    /// Where it begins.
    pub(crate) fn start(&self) -> Page {
        let lessons: String = LESSONS
            .iter()
            .enumerate()
            .map(|(index, lesson)| {
                format!("<li><a href=\"{}\">{}</a></li>", names::lesson(index + 1), escaped(lesson.title))
            })
            .collect();
        let playground = if self.playground {
            " In the <a href=\"playground.html\">playground</a> you can change each of them."
        } else {
            ""
        };
        let body = format!(
            "<h1>PID namespaces, by predicting</h1>\n\
             <p>What Linux does with processes in nested PID namespaces, from the first question to <em>why can this container not be removed?</em> \
             Every answer here was given by a real kernel: each scenario runs on a model that names the rule behind every step, and on Linux, and the two are compared.</p>\n\
             <p>Read a scenario, say what each step will do, then look. What surprises you is what you came for.{playground}</p>\n\
             <h2>Twelve lessons</h2>\n<ol class=\"lessons\">{lessons}</ol>\n\
             <h2>Or begin with what went wrong</h2>\n<p><a href=\"incidents.html\">{} incidents</a> from public threads: \
             <a href=\"{}\">a container that cannot be removed</a>, <a href=\"{}\">no memory with memory free</a>, <a href=\"{}\">a stop that takes ten seconds</a>.</p>\n\
             <h2>Or look something up</h2>\n<p><a href=\"rules.html\">The rules</a>, each with its place in the kernel; <a href=\"calls.html\">the calls</a>; <a href=\"glossary.html\">the words</a>; \
             <a href=\"scenarios.html\">all {} scenarios</a>.</p>\n",
            self.incidents.len(),
            names::incident("cannot-be-removed"),
            names::incident("cannot-allocate-memory"),
            names::incident("stop-takes-ten-seconds"),
            self.library.len(),
        );
        Page { file: "index.html".to_owned(), title: "Start".to_owned(), body, part: Some(Part::Course) }
    }

    /// The lessons, in order.
    pub(crate) fn lessons(&self) -> Vec<Page> {
        let page = |(index, lesson): (usize, &pidlab_page::Lesson)| {
            let number = index + 1;
            let mut body = format!(
                "<p class=\"where\">Lesson {number} of {}</p>\n<h1>{}</h1>\n<p>{}</p>\n",
                LESSONS.len(),
                escaped(lesson.title),
                escaped(lesson.text),
            );
            for (place, name) in lesson.scenarios.iter().enumerate() {
                if let Some(played) = self.played(name) {
                    body += &self.section(place + 1, played);
                }
            }
            if let Some(beside) = self.beside.iter().find(|beside| beside.lesson == number) {
                body += &self.beside(beside);
            }
            body += &self.went_wrong(lesson.scenarios);
            Page {
                file: names::lesson(number),
                title: format!("{number}. {}", lesson.title),
                body,
                part: Some(Part::Course),
            }
        };
        LESSONS.iter().enumerate().map(page).collect()
    }

    /// A scenario of a lesson: its steps and questions, and folded away what comes of it.
    ///
    /// Its heading is a number: its title and its name are the answer.
    fn section(&self, place: usize, Played { scenario, film }: &Played) -> String {
        let mut html = format!("<h2 id=\"scenario-{place}\">Scenario {place}</h2>\n<ol class=\"plain\">");
        for scene in film.moments.iter().skip(1) {
            let ask =
                scene.ask.as_ref().map(|ask| format!("<p class=\"ask\">{}</p>", escaped(ask))).unwrap_or_default();
            let _ = write!(html, "<li><b>{}</b>: <code>{}</code>{ask}</li>", escaped(&scene.by), escaped(&scene.call));
        }
        html += "</ol>\n";
        html += &scenarios::ways_in(&scenario.name, self.playground);
        let last = film.moments.last().map(|scene| scene.picture.as_str()).unwrap_or_default();
        let rules: String = scenario
            .rules
            .iter()
            .filter_map(|id| {
                Some(format!(
                    "<li>{} <a href=\"rules.html#{id}\"><code>{id}</code></a></li>",
                    escaped(&film.rules.get(id.as_str())?.sentence)
                ))
            })
            .collect();
        let _ = writeln!(
            html,
            "<details class=\"answer\"><summary>What happens, and why</summary><p><strong>{}.</strong></p>{}<div class=\"picture\" tabindex=\"0\">{last}</div><ul class=\"why\">{rules}</ul>\
             <p><a href=\"{}\">Step by step</a></p></details>",
            escaped(&scenario.title),
            film.about,
            names::scenario(&scenario.name),
        );
        html
    }

    fn beside(&self, beside: &Beside) -> String {
        let mut html = format!(
            "<h2 id=\"on-a-machine\">On a machine</h2>\n{}{}",
            self.known.html(&beside.text).body,
            self.known.html(tell::HOW_TO_TYPE).body
        );
        for command in &beside.commands {
            html += &typed(command);
        }
        html
    }

    /// A scenario of the library with its run.
    fn played(&self, name: &str) -> Option<&Played> {
        self.library.iter().find(|played| played.scenario.name == name)
    }

    /// The moment of an incident as a picture: that of which `pidlab why` was asked, or the first about which its scenario asks something.
    fn figure(&self, incident: &Incident) -> String {
        let why = incident.why.as_ref().map(|why| (why.scenario.as_str(), Some(why.step)));
        let first = incident.scenarios.first().map(|name| (name.as_str(), None));
        let Some((name, step)) = why.or(first) else { return String::new() };
        let Some(Played { film, .. }) = self.played(name) else { return String::new() };
        let asked = film.moments.iter().position(|scene| scene.ask.is_some());
        let step = step.or(asked).unwrap_or(film.moments.len() - 1);
        let Some(scene) = film.moments.get(step) else { return String::new() };
        format!(
            "<figure><div class=\"picture\" tabindex=\"0\">{}</div><figcaption>After step {step} of <a href=\"{}\"><code>{name}</code></a>, <b>{}</b>: <code>{}</code></figcaption></figure>\n",
            scene.picture,
            names::scenario(name),
            escaped(&scene.by),
            escaped(&scene.call),
        )
    }

    /// Incidents that the scenarios of a lesson explain.
    fn went_wrong(&self, scenarios: &[&str]) -> String {
        let is_behind = |incident: &&Incident| incident.scenarios.iter().any(|name| scenarios.contains(&name.as_str()));
        let entries: String = self.incidents.iter().filter(is_behind).map(entry).collect();
        if entries.is_empty() {
            String::new()
        } else {
            format!("<h2 id=\"went-wrong\">When it went wrong</h2>\n<ul>{entries}</ul>\n")
        }
    }

    /// The list of incidents, and each on a page.
    pub(crate) fn incidents(&self) -> Vec<Page> {
        let entries: String = self
            .incidents
            .iter()
            .map(|incident| {
                let id = slug(&incident.title);
                format!(
                    "<li id=\"{id}\"><a href=\"{}\">{}</a></li>",
                    names::incident(&incident.id),
                    escaped(&incident.title)
                )
            })
            .collect();
        let body = format!(
            "<h1>Incidents</h1>\n<p>What has gone wrong for others, in their words. Each comes from public threads, which are named; what happened is told in ours. With each \
             stands the scenario that shows it with a handful of processes, the rule behind it, and what to do.</p>\n<ul class=\"list\">{entries}</ul>\n"
        );
        let list =
            Page { file: "incidents.html".to_owned(), title: "Incidents".to_owned(), body, part: Some(Part::Course) };
        let page = |incident: &Incident| {
            let html = self.known.html(&tell::markdown(incident, 1));
            let way = "<p class=\"where\"><a href=\"incidents.html\">Incidents</a></p>\n";
            let body = html.body.replacen("<h2", &format!("{}<h2", self.figure(incident)), 1);
            let body = format!("{way}{body}");
            Page { file: names::incident(&incident.id), title: incident.title.clone(), body, part: None }
        };
        std::iter::once(list).chain(self.incidents.iter().map(page)).collect()
    }
}

fn entry(incident: &Incident) -> String {
    format!("<li><a href=\"{}\">{}</a></li>", names::incident(&incident.id), escaped(&incident.title))
}

/// A command, and folded away what it writes.
fn typed(command: &Command) -> String {
    format!(
        "<pre class=\"sh\" tabindex=\"0\"><code>{}</code></pre>\n<details><summary>What is seen</summary><pre tabindex=\"0\"><code>{}</code></pre><p>{}</p></details>\n",
        escaped(command.run.trim()),
        escaped(command.sees.trim()),
        escaped(&command.shows),
    )
}
