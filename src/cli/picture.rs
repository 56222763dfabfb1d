//! A run as a page or as a picture: `run --format html` and `--format svg`.

use std::io::{self, Write};

use pidlab_page::{Film, Shot};
use pidlab_realkernel::Kernel;
use pidlab_scenario::{Facts, Observation};

use super::Out;
use crate::compare::{Problem, Verdict};
use crate::input::Source;
use crate::tell;

/// The run as a film: what the kernel did, if it ran, with the reasons of the model.
pub(super) fn film(source: &Source, verdict: &Verdict, kernel: Option<&Kernel>) -> Film {
    let ran = kernel.filter(|_| verdict.steps.iter().any(|step| step.kernel.is_some()));
    let facts = ran.map_or_else(Facts::newest, |kernel| kernel.facts.clone()).with_all(&source.scenario.needs);
    film_of(source, verdict, &origin(verdict, ran), &facts)
}

/// The same, of an origin in words and of a kernel with these facts.
pub(super) fn film_of(source: &Source, verdict: &Verdict, origin: &str, facts: &Facts) -> Film {
    let shots: Vec<Shot<'_>> =
        verdict.steps.iter().map(|step| Shot { observation: step.observation(), because: step.because() }).collect();
    let mut film = Film::new(&source.scenario, &source.text, origin, &shots).asking(&source.scenario, facts);
    for problem in &verdict.problems {
        film.notices.push(anstream::adapter::strip_str(&tell::problem(&source.scenario, problem)).to_string());
    }
    film.notices.extend(verdict.mistake.as_ref().map(|refused| {
        format!("Step {} cannot be taken: {}.", refused.step, tell::refusal(&source.scenario, refused))
    }));
    film
}

/// Whose run it is, in words.
fn origin(verdict: &Verdict, kernel: Option<&Kernel>) -> String {
    let Some(kernel) = kernel else { return "the model of Linux".to_owned() };
    let model = match verdict.steps.iter().all(|step| step.model.is_some()) {
        false => "",
        true if verdict.problems.iter().any(Problem::is_difference) => "; the model differs",
        true if verdict.is_not_decided() => "; whether the model allows it was not decided",
        true => "; the model agrees at every step",
    };
    format!("Linux {}{model}", kernel.release)
}

/// Writes the picture of one moment; without a step, of the last.
pub(super) fn svg(
    out: &mut Out,
    source: &Source,
    verdict: &Verdict,
    step: Option<usize>,
) -> io::Result<Result<(), String>> {
    let seen: Vec<&Observation> = verdict.steps.iter().map(|step| step.observation()).collect();
    let last = seen.len().saturating_sub(1);
    let step = step.unwrap_or(last);
    match pidlab_page::svg(&source.scenario, &seen, step) {
        Some(picture) => out.write_all(picture.as_bytes()).map(Ok),
        None => Ok(Err(format!("the run has no step {step}: its last is {last}"))),
    }
}
