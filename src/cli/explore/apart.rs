//! `--tell-apart`: the shortest scenario that tells two models apart.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use pidlab_explore::{Apart, Other, Plan};
use pidlab_scenario::{Fact, nearest, one_line};
use pidlab_sim::Misconception;
use serde_json::json;

use super::told::grouped;
use crate::cli::{End, Format, Out};

/// What the models differ in.
#[derive(Clone, Copy)]
pub(super) enum Subject {
    Misconception(Misconception),
    Fact(Fact),
}

impl Subject {
    fn word(self) -> &'static str {
        match self {
            Subject::Misconception(belief) => belief.word(),
            Subject::Fact(fact) => fact.word(),
        }
    }

    fn other(self, plan: &Plan) -> Other {
        match self {
            Subject::Misconception(belief) => Other::misconceived(plan, belief),
            Subject::Fact(fact) => Other::unlike(plan, fact),
        }
    }
}

/// Reads a misconception or a fact.
pub(super) fn subject(word: &str) -> Result<Subject, String> {
    let misconception = Misconception::from_word(word).map(Subject::Misconception);
    let fact = || Fact::from_word(word).map(Subject::Fact);
    misconception.or_else(fact).ok_or_else(|| {
        let beliefs = Misconception::ALL.iter().map(|belief| belief.word());
        let near = nearest(word, beliefs.chain(Fact::ALL.iter().map(|fact| fact.word())));
        let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("neither a misconception nor a fact: `{}`{help}", one_line(word))
    })
}

/// Looks for it, and tells.
pub(super) fn tell_apart(
    out: &mut Out,
    plan: &Plan,
    subject: Subject,
    format: Format,
    save: Option<&Path>,
) -> io::Result<End> {
    let begun = Instant::now();
    let spinner = crate::cli::spinner();
    let mut last = begun;
    let apart = pidlab_explore::tell_apart(plan, &subject.other(plan), |steps, pairs| {
        if last.elapsed() > Duration::from_millis(100) {
            last = Instant::now();
            spinner.set_message(format!("{steps} steps, {} pairs of worlds", grouped(pairs as u128)));
        }
    });
    spinner.finish_and_clear();
    let toml = apart.scenario.as_ref().map(pidlab_scenario::Scenario::to_toml);
    if let (Some(file), Some(toml)) = (save, &toml) {
        std::fs::write(file, toml)?;
    }
    match format {
        Format::Text => text(out, subject, &apart, toml.as_deref())?,
        Format::Json => {
            let found = json!({
                "tell_apart": subject.word(), "steps": apart.scenario.as_ref().map(|scenario| scenario.steps.len()),
                "scenario": toml, "searched": apart.searched, "pairs": apart.pairs, "moves": apart.moves,
                "given_up": apart.given_up, "seconds": begun.elapsed().as_secs_f64(),
            });
            writeln!(out, "{found}")?;
        }
    }
    Ok(if apart.scenario.is_some() && apart.given_up == 0 { End::Agree } else { End::NotDecided })
}

fn text(out: &mut Out, subject: Subject, apart: &Apart, toml: Option<&str>) -> io::Result<()> {
    let word = subject.word();
    match (&apart.scenario, toml) {
        (Some(scenario), Some(toml)) => {
            writeln!(out, "{word}: told apart by {} steps\n\n{toml}", scenario.steps.len())?;
        }
        _ => writeln!(out, "{word}: nothing tells the two apart within these bounds")?,
    }
    writeln!(
        out,
        "no scenario of up to {} steps does: {} pairs of worlds, {} steps tried",
        apart.searched,
        grouped(apart.pairs as u128),
        grouped(apart.moves.into()),
    )?;
    if apart.given_up > 0 {
        let count = grouped(apart.given_up.into());
        writeln!(out, "not decided: of {count} steps not all outcomes were found, and a shorter one may be there")?;
    }
    Ok(())
}
