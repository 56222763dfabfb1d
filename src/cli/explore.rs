//! `pidlab explore`: every scenario up to a bound.

mod apart;
mod progress;
mod told;
mod verify;
mod went;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use pidlab_explore::{Alphabet, Bounds, Plan, Space};
use pidlab_scenario::Facts;
use pidlab_sim::Numbers;

use super::elsewhere::{Elsewhere, Files};
use super::shard::Shard;
use super::{Belief, End, Format, Looking, Out};
use crate::kernel::On;

#[derive(Args)]
#[command(after_help = "\
States are what scenarios lead to, transitions what one more step does. Two
scenarios that differ only in the names of processes, and in PIDs where no
call says one, lead to the same state.

Examples:
  pidlab explore                                    a small space, in a moment
  pidlab explore --steps 6 --processes 4 --namespaces 3
  pidlab explore --calls each --steps 2             every call
  pidlab explore --verify                           on the kernel, too
  pidlab explore --verify --steps 6 --resume done   and, cut short, again
  pidlab explore --calls fork,exit,wait,kill --steps 30
  pidlab explore --misconception init-dies-from-inside
  pidlab explore --tell-apart orphans-go-to-grandparent
  pidlab explore --tell-apart pid-translation --save shown.toml")]
pub(super) struct Arguments {
    #[command(flatten)]
    belief: Belief,
    #[command(flatten)]
    elsewhere: Elsewhere,
    #[command(flatten)]
    looking: Looking,
    /// Look for the shortest scenario that tells the model from one that follows a misconception, or from that of a kernel that is unlike
    /// it in a fact.
    #[arg(long, value_name = "MISCONCEPTION|FACT", value_parser = apart::subject, conflicts_with_all = ["verify", "exact"])]
    tell_apart: Option<apart::Subject>,
    /// How many steps a scenario has at most [default: 4; 6 with --tell-apart].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    steps: Option<u16>,
    /// How many processes there are at most at one time, zombies and `host` among them [default: 3; 4 with --tell-apart].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    processes: Option<u8>,
    /// How many threads there are at most beside the first ones of processes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=64))]
    threads: u8,
    /// How many PID namespaces there are at most at one time, the outermost one among them.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=32))]
    namespaces: u8,
    /// Which calls are tried: `core`, `each` (every call, with its commonest arguments), `all` (with all that there are), or some by
    /// name [default: core; all with --tell-apart].
    #[arg(long, value_name = "core|each|all|CALLS", value_parser = alphabet)]
    calls: Option<Alphabet>,
    /// Tell states apart that differ in nothing but PIDs.
    #[arg(long)]
    exact: bool,
    /// Have the kernel make every move, too, and compare each step.
    #[arg(long)]
    verify: bool,
    /// With --verify: how many steps a walk along transitions has at most.
    #[arg(long, value_name = "STEPS", default_value_t = 100, requires = "verify", value_parser = clap::value_parser!(u16).range(1..=1000))]
    length: u16,
    /// With --verify: go only one of so many parts of the walks: 1/4 is the first of four. `pidlab merge` puts the results together.
    #[arg(long, value_name = "K/N", requires = "verify")]
    shard: Option<Shard>,
    /// With --verify: keep what is done in this file. The same command goes on where an interrupted one was; the file is not for --save,
    /// which has the one scenario that differs.
    #[arg(long, value_name = "FILE", requires = "verify", conflicts_with = "kernel")]
    resume: Option<PathBuf>,
    /// Write the scenario that was looked for, or that differs, into this file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// How many threads work at once [default: one per CPU].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// How the results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn alphabet(words: &str) -> Result<Alphabet, String> {
    Alphabet::from_words(words).map_err(|unknown| {
        let near = pidlab_scenario::nearest(&unknown, pidlab_scenario::CallName::WORDS.iter().copied());
        let help = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("there is no call `{}`{help}", pidlab_scenario::one_line(&unknown))
    })
}

impl Arguments {
    fn jobs(&self) -> usize {
        self.jobs.map_or_else(super::default_jobs, usize::from)
    }

    fn plan(&self, facts: Facts) -> Plan {
        let mut bounds = Bounds::default();
        let apart = self.tell_apart.is_some();
        bounds.steps = self.steps.unwrap_or(if apart { 6 } else { 4 });
        bounds.processes = self.processes.unwrap_or(if apart { 4 } else { 3 }).into();
        bounds.threads = self.threads.into();
        bounds.namespaces = self.namespaces.into();
        let usual = if apart { Alphabet::all } else { Alphabet::core };
        let mut plan = Plan::new(self.calls.clone().unwrap_or_else(usual), bounds);
        plan.facts = facts;
        plan.misconception = self.belief.believe;
        plan.jobs = self.jobs();
        if self.exact {
            plan.numbers = Numbers::Exact;
        }
        plan
    }
}

pub(super) fn explore(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let files = Files { words: Vec::new(), written: arguments.save.clone(), more: Vec::new() };
    if let Some(ended) = arguments.elsewhere.enter(out, &files) {
        return ended;
    }
    if let Some(subject) = arguments.tell_apart {
        let plan = arguments.plan(Facts::newest());
        return apart::tell_apart(out, &plan, subject, arguments.format, arguments.save.as_deref());
    }
    let begun = Instant::now();
    let jobs = arguments.jobs();
    let on = if arguments.verify { On::Both } else { On::Model };
    let options = arguments.looking.options();
    let Ok(labs) = super::open_labs(on, jobs, options) else { return Ok(End::NoKernel) };
    let space = explored(&arguments.plan(labs.facts()));
    let found = told::Found { space: &space, properties: space.properties(), took: begun.elapsed() };
    let json = arguments.format == Format::Json;
    if !json {
        found.text(out)?;
        out.flush()?;
    }
    if !arguments.verify {
        if json {
            found.json(out)?;
        }
        return Ok(found.end());
    }
    let shard = arguments.shard.unwrap_or(Shard::WHOLE);
    let resume = arguments.resume.as_deref();
    let verified = match verify::verify(&space, (labs, options), shard, jobs, arguments.length.into(), resume) {
        Ok(verified) => verified,
        Err(why) => {
            let file = resume.map(|file| file.display().to_string()).unwrap_or_default();
            eprintln!("error: {}: {why}", pidlab_scenario::one_line(&file));
            return Ok(End::BadInput);
        }
    };
    if let (Some(file), Some(wrong)) = (&arguments.save, &verified.wrong) {
        std::fs::write(file, wrong.scenario.to_toml())?;
    }
    match json {
        true => verified.json(out, &found.summary(), &space)?,
        false => verified.text(out, &space, arguments.looking, arguments.save.as_deref())?,
    }
    Ok(if found.end() == End::Agree { verified.end() } else { found.end() })
}

/// The space, with a sign of life on a terminal while it grows.
fn explored(plan: &Plan) -> Space {
    let spinner: ProgressBar = super::spinner();
    let mut last = Instant::now();
    let space = Space::explore(plan, |states, transitions| {
        if last.elapsed() > Duration::from_millis(100) {
            last = Instant::now();
            spinner.set_message(format!("{states} states, {transitions} transitions"));
        }
        true
    });
    spinner.finish_and_clear();
    space.unwrap_or_else(|| unreachable!("nobody gives it up"))
}
