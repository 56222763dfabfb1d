//! `--verify`: the walks along all transitions, on the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use petgraph::graph::EdgeIndex;
use pidlab_explore::{Cover, Laying, Space, Walk};
use pidlab_realkernel::{LabOptions, Priority, RunOptions};
use pidlab_scenario::{Observation, Scenario};

use super::progress::Progress;
use super::told::grouped;
use super::went::{Went, Wrong};
use crate::cli::shard::Shard;
use crate::cli::{End, Looking, Out, elsewhere};
use crate::compare::{Problem, Verdict};
use crate::kernel::{self, Judged, Labs, On, Plan, Worker};
use crate::{random, tell};

/// Replays that shortening one walk may take.
const REPLAYS: usize = 200;
/// So often a move is gone to that the kernel did not make, because it had chosen another outcome on the way.
const ROUNDS: usize = 4;

/// What the kernel made of a space, or of a part of it.
pub(super) struct Verified {
    kernel: String,
    walks: usize,
    steps: usize,
    /// Of the steps, those that a file had.
    known: usize,
    /// The moves that were to be made, by their first outcomes.
    own: BTreeSet<EdgeIndex>,
    left: BTreeSet<EdgeIndex>,
    chosen: BTreeSet<EdgeIndex>,
    /// Walks on which the kernel chose another outcome than was thought.
    strayed: usize,
    not_decided: usize,
    skipped: BTreeMap<String, usize>,
    pub(super) wrong: Option<Box<Wrong>>,
    /// That of the walks of the last round, unless one was asked for.
    priority: Priority,
    took: Duration,
}

/// Has the kernel take every transition of a space, or those of a part; with a file, what it says to be done is not done again.
///
/// # Errors
/// If the file is not about the same.
pub(super) fn verify(
    space: &Space,
    (labs, options): (Labs, LabOptions),
    shard: Shard,
    jobs: usize,
    longest: usize,
    resume: Option<&Path>,
) -> Result<Verified, String> {
    let begun = Instant::now();
    let mut laying = Laying::default();
    laying.longest = longest;
    let mut cover = Cover::of(space);
    let all = laid(&mut cover, &laying).into_iter().enumerate().filter(|(index, _)| shard.takes(*index));
    let (mut walks, new): (Vec<Walk>, Vec<Vec<EdgeIndex>>) = all.map(|(_, walk)| walk).unzip();
    let own: BTreeSet<EdgeIndex> = new.into_iter().flatten().collect();
    let kernel = labs.kernel().map(|kernel| kernel.release.clone()).unwrap_or_default();
    let mut progress = match resume {
        None => Progress::none(),
        Some(path) => Progress::open(path, space, labs.kernel(), shard, &walks)?,
    };
    let mut verified = Verified {
        kernel,
        walks: 0,
        steps: 0,
        known: 0,
        left: own.clone(),
        own,
        chosen: BTreeSet::new(),
        strayed: 0,
        not_decided: 0,
        skipped: BTreeMap::new(),
        wrong: None,
        priority: Priority::Auto,
        took: Duration::ZERO,
    };
    let mut labs = Some(labs);
    for round in 0..ROUNDS {
        // Linux shows more of the orders that it may choose where nobody has a real-time priority.
        verified.priority = if round % 2 == 1 { Priority::Ordinary } else { Priority::Auto };
        let before = verified.left.len();
        let undone = verified.done(space, &mut progress, round, &walks);
        if verified.wrong.is_none() && !undone.is_empty() {
            let labs = match labs.take().map_or_else(|| Labs::open(jobs, options), Ok) {
                Ok(labs) => labs,
                Err(why) => {
                    verified.skipped.insert(format!("no lab could be opened again: {}", why.reason), undone.len());
                    break;
                }
            };
            verified.round(space, labs, jobs, &walks, &undone, |walk, went| progress.write(round, walk, went));
        }
        if !verified.skipped.is_empty() {
            // Which walks the next round has depends on those that have no result yet.
            progress = Progress::none();
        }
        if verified.wrong.is_some() || verified.left.is_empty() || verified.left.len() == before {
            break;
        }
        cover.leave(verified.left.iter().copied());
        walks = laid(&mut cover, &laying).into_iter().map(|(walk, _)| walk).collect();
    }
    progress.end();
    verified.took = begun.elapsed();
    Ok(verified)
}

/// All walks for the moves that are left.
fn laid(cover: &mut Cover<'_>, laying: &Laying) -> Vec<(Walk, Vec<EdgeIndex>)> {
    std::iter::from_fn(|| cover.walk(laying)).collect()
}

impl Verified {
    /// Takes in what was done of a round before; the walks that were not.
    fn done(&mut self, space: &Space, progress: &mut Progress, round: usize, walks: &[Walk]) -> Vec<usize> {
        let mut undone: BTreeSet<usize> = (0..walks.len()).collect();
        for (index, went) in progress.done(round) {
            // A file that was changed by hand may say anything.
            if let Some(walk) = walks.get(index)
                && undone.remove(&index)
            {
                let before = self.steps;
                self.take(went, space, walk);
                self.known += self.steps - before;
            }
        }
        undone.into_iter().collect()
    }

    /// Has the kernel go these of the walks.
    fn round(
        &mut self,
        space: &Space,
        labs: Labs,
        jobs: usize,
        walks: &[Walk],
        which: &[usize],
        mut told: impl FnMut(usize, &Went),
    ) {
        let how = RunOptions::default().with_priority(self.priority);
        let bar = bar(walks.len());
        bar.set_position((walks.len() - which.len()) as u64);
        bar.reset_eta();
        kernel::spread(
            labs,
            jobs,
            Plan { on: On::Both, belief: space.plan().misconception },
            which.len(),
            |worker, index| go(space, worker, &walks[which[index]], how),
            |index, went| {
                bar.inc(1);
                told(which[index], &went);
                self.take(went, space, &walks[which[index]])
            },
        );
        bar.finish_and_clear();
    }

    fn take(&mut self, went: Went, space: &Space, walk: &Walk) -> bool {
        self.walks += 1;
        match went {
            Went::Well(steps, followed) => {
                let followed = followed.unwrap_or_else(|| space.whole(walk));
                self.steps += steps;
                self.strayed += usize::from(followed.left);
                for edge in &followed.moves {
                    self.left.remove(edge);
                }
                self.chosen
                    .extend(followed.chosen.iter().filter(|edge| self.own.contains(&space.first_outcome(**edge))));
            }
            Went::NotDecided => self.not_decided += 1,
            Went::Skipped(why) => *self.skipped.entry(why).or_default() += 1,
            Went::Wrong(wrong) => {
                self.wrong = Some(wrong);
                return false;
            }
        }
        true
    }

    pub(super) fn end(&self) -> End {
        if self.wrong.is_some() {
            End::Differ
        } else if self.not_decided > 0 {
            End::NotDecided
        } else if !self.skipped.is_empty() {
            End::NoKernel
        } else {
            End::Agree
        }
    }

    /// How many outcomes the moves have that were to be made and that Linux may have come out in several ways.
    fn open_outcomes(&self, space: &Space) -> usize {
        let open = space.graph().edge_indices().filter(|edge| space.graph()[*edge].open);
        open.filter(|edge| self.own.contains(&space.first_outcome(*edge))).count()
    }

    pub(super) fn text(&self, out: &mut Out, space: &Space, looking: Looking, save: Option<&Path>) -> io::Result<()> {
        let number = |count: usize| grouped(count as u128);
        let seconds = self.took.as_secs_f64();
        writeln!(out, "on Linux {}", self.kernel)?;
        writeln!(
            out,
            "walks        {}, of {} steps; {seconds:.1} seconds, {:.0} steps a second",
            number(self.walks),
            number(self.steps),
            (self.steps - self.known) as f64 / seconds.max(0.001)
        )?;
        writeln!(out, "moves        {} of {}", number(self.own.len() - self.left.len()), number(self.own.len()))?;
        let open = self.open_outcomes(space);
        writeln!(
            out,
            "left open    {} outcomes, of which the kernel chose {}",
            number(open),
            number(self.chosen.len())
        )?;
        if !self.left.is_empty() && self.wrong.is_none() {
            let why = "moves were not made: the kernel chose other outcomes on the way";
            writeln!(out, "{} {why} ({} walks)", number(self.left.len()), number(self.strayed))?;
        }
        if self.not_decided > 0 {
            writeln!(out, "not decided: {} walks", number(self.not_decided))?;
        }
        for (why, count) in &self.skipped {
            writeln!(out, "skipped {} walks: {why}", number(*count))?;
        }
        if let Some(wrong) = &self.wrong {
            writeln!(
                out,
                "\ndifferences 1, shortened to {} steps in {} replays:\n",
                wrong.scenario.steps.len(),
                wrong.replays
            )?;
            writeln!(out, "{}", wrong.scenario.to_toml())?;
            write!(out, "{}", wrong.report)?;
            let belief = space.plan().misconception.map(|belief| format!(" --misconception {}", belief.word()));
            let priority = looking.again(self.priority);
            let run = format!("pidlab run{}{}{priority}", elsewhere::again(), belief.unwrap_or_default());
            match save {
                Some(file) => writeln!(out, "replay: {run} {}", file.display())?,
                None => writeln!(out, "replay: the same with --save FILE, then {run} FILE")?,
            }
        } else {
            writeln!(out, "differences  0")?;
        }
        Ok(())
    }

    /// One object for the difference if there is one, and one for the rest, that `pidlab merge` adds to those of other parts.
    pub(super) fn json(&self, out: &mut Out, space: &serde_json::Value, of: &Space) -> io::Result<()> {
        if let Some(wrong) = &self.wrong {
            let report = anstream::adapter::strip_str(&wrong.report).to_string();
            let difference =
                serde_json::json!({ "scenario": wrong.scenario.to_toml(), "report": report, "replays": wrong.replays });
            writeln!(out, "{}", serde_json::json!({ "difference": difference }))?;
        }
        let summary = serde_json::json!({
            "space": space, "kernel": self.kernel, "walks": self.walks, "steps": self.steps, "moves": self.own.len(),
            "moves_made": self.own.len() - self.left.len(), "outcomes_open": self.open_outcomes(of),
            "outcomes_chosen": self.chosen.len(), "strayed": self.strayed, "not_decided": self.not_decided,
            "no_result": self.skipped.values().sum::<usize>(), "no_result_because": self.skipped, "differences": u8::from(self.wrong.is_some()),
        });
        writeln!(out, "{}", serde_json::json!({ "summary": summary }))
    }
}

/// A bar on standard error, drawn only on a terminal.
fn bar(walks: usize) -> ProgressBar {
    let bar = ProgressBar::new(walks as u64);
    match ProgressStyle::with_template("{bar:30} {pos} of {len} walks, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Has the kernel go one walk.
fn go(space: &Space, worker: &mut Worker, walk: &Walk, how: RunOptions) -> Went {
    let scenario = space.scenario(walk);
    match worker.judge_with(&scenario, how) {
        Judged::Verdict(verdict) if verdict.is_not_decided() => Went::NotDecided,
        Judged::Verdict(verdict) if verdict.problems.is_empty() => {
            let plain = space.is_plain(walk) && verdict.mistake.is_none();
            let followed = (!plain).then(|| space.follow(walk, &scenario, &seen(&verdict)));
            Went::Well(verdict.compared, followed)
        }
        Judged::Verdict(verdict) => Went::Wrong(Box::new(smallest(worker, scenario, &verdict, how))),
        Judged::Skipped(why, _) => Went::Skipped(format!("{}; {}", why.reason, why.remedy)),
        Judged::Lacking(needs, _) | Judged::ModelOnly(needs, _) => {
            Went::Skipped(format!("it is for machines {}", crate::words::needs(&needs)))
        }
        Judged::Failed(why) => Went::Skipped(format!("the kernel side gave no result: {why}")),
    }
}

/// What the kernel showed.
fn seen(verdict: &Verdict) -> Vec<Observation> {
    verdict.steps.iter().filter_map(|step| step.kernel.clone()).collect()
}

/// What is wrong, in words; nothing where all is well.
fn report(scenario: &Scenario, verdict: &Verdict) -> Option<String> {
    let wrong = !verdict.problems.is_empty() && !verdict.is_not_decided();
    wrong.then(|| verdict.problems.iter().map(|problem: &Problem| tell::problem(scenario, problem)).collect())
}

/// The walk without what comes after the difference, and without what the difference does not need.
fn smallest(worker: &mut Worker, mut scenario: Scenario, verdict: &Verdict, how: RunOptions) -> Wrong {
    let mut told = report(&scenario, verdict).unwrap_or_default();
    scenario.steps.truncate(verdict.steps.len().max(2));
    scenario.title = "A walk on which model and kernel differ".to_owned();
    let replays = random::shrink_steps(&mut scenario, REPLAYS, |shorter| match worker.judge_with(shorter, how) {
        Judged::Verdict(verdict) => report(shorter, &verdict).map(|new| told = new).is_some(),
        _ => false,
    });
    Wrong { scenario, report: told, replays }
}
