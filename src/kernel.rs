//! Many scenarios on several machines at once: one worker a CPU, each with a model and a lab of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use pidlab_realkernel::{Kernel, Lab, LabError, LabOptions, RunOptions, Unavailable};
use pidlab_scenario::{Facts, Need, Run, Scenario};
use pidlab_sim::{Misconception, Model};

use crate::compare::{self, Verdict};

/// The labs of a session; none where only the model is asked for.
pub(crate) struct Labs(Vec<Lab>);

impl Labs {
    /// No kernel.
    pub(crate) fn none() -> Labs {
        Labs(Vec::new())
    }

    /// One lab a CPU that this process may use, at most `jobs`, set up in this way.
    ///
    /// # Errors
    /// Where the kernel side cannot run here.
    pub(crate) fn open(jobs: usize, options: LabOptions) -> Result<Labs, Unavailable> {
        let cpus = pidlab_realkernel::allowed_cpus();
        let mut labs = Vec::new();
        for index in 0..jobs.max(1) {
            let cpu = cpus.get(index % cpus.len().max(1)).copied();
            let lab = Lab::open(options.on_cpu(cpu))?;
            // A limit that is nearly reached can put two labs in two places, and the model is of one.
            if labs.first().is_none_or(|first: &Lab| first.kernel().facts == lab.kernel().facts) {
                labs.push(lab);
            }
        }
        Ok(Labs(labs))
    }

    /// The kernel that they run on.
    pub(crate) fn kernel(&self) -> Option<&Kernel> {
        self.0.first().map(Lab::kernel)
    }

    /// What the model has to know of the kernel.
    pub(crate) fn facts(&self) -> Facts {
        self.kernel().map_or_else(Facts::newest, |kernel| kernel.facts.clone())
    }
}

/// Which side runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum On {
    /// The model alone.
    Model,
    /// This kernel alone.
    Kernel,
    /// Both, compared.
    Both,
}

/// Which machines run, and what the model believes.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) on: On,
    pub(crate) belief: Option<Misconception>,
}

impl Plan {
    fn model(self, facts: Facts) -> Model {
        match self.belief {
            Some(belief) => Model::misconceived(facts, belief),
            None => Model::new(facts),
        }
    }
}

/// A model, and a lab if the kernel takes part.
pub(crate) struct Worker {
    model: Model,
    lab: Option<Lab>,
    plan: Plan,
    facts: Facts,
}

/// What a worker made of one scenario.
pub(crate) enum Judged {
    /// It ran.
    Verdict(Verdict),
    /// What the scenario needs is lacking here, though this kernel could have it; the model's verdict, if it ran.
    Lacking(Vec<Need>, Option<Verdict>),
    /// The place where this program runs lacks what the scenario's calls need, or a limit answered in the kernel's place: nothing is known
    /// of the kernel. The model's verdict, if it ran.
    Skipped(Unavailable, Option<Verdict>),
    /// The scenario is about kernels unlike this one: the model alone ran, as one of those.
    ModelOnly(Vec<Need>, Verdict),
    /// The lab failed: no result.
    Failed(String),
}

impl Worker {
    fn new(lab: Option<Lab>, plan: Plan, facts: &Facts) -> Worker {
        Worker { model: plan.model(facts.clone()), lab, plan, facts: facts.clone() }
    }

    /// Runs a scenario on the machines asked for.
    pub(crate) fn judge(&mut self, scenario: &Scenario) -> Judged {
        self.judge_with(scenario, RunOptions::default())
    }

    /// The same, where the kernel side runs it in this way.
    pub(crate) fn judge_with(&mut self, scenario: &Scenario, options: impl Into<RunOptions>) -> Judged {
        let judged = self.judge_until(scenario, options.into(), Limit(None), |_| {});
        judged.unwrap_or_else(|TimedOut(_)| Judged::Failed("it was given up".to_owned()))
    }

    /// As [`Worker::judge`], and given up after a time. `told` is called now and then with how many steps the kernel side has taken.
    ///
    /// # Errors
    /// If it took longer.
    pub(crate) fn judge_within(
        &mut self,
        scenario: &Scenario,
        limit: Option<Duration>,
        told: impl FnMut(usize),
    ) -> Result<Judged, TimedOut> {
        let limit = Limit(limit.map(|limit| (Instant::now(), limit)));
        self.judge_until(scenario, RunOptions::default(), limit, told)
    }

    fn judge_until(
        &mut self,
        scenario: &Scenario,
        options: RunOptions,
        limit: Limit,
        told: impl FnMut(usize),
    ) -> Result<Judged, TimedOut> {
        let Some(lab) = self.lab.as_mut() else {
            return limit.on_the_model(self.plan, Facts::newest(), scenario).map(Judged::Verdict);
        };
        let unmet = |need: &&Need| !need.is_met(&self.facts) || need.is_for_the_model_alone();
        let lacking: Vec<Need> = scenario.needs.iter().filter(unmet).copied().collect();
        if !lacking.is_empty() {
            let of_place = lacking.iter().any(|need| need.fact.is_of_place());
            if self.plan.on == On::Kernel {
                return Ok(Judged::Lacking(lacking, None));
            }
            let verdict = limit.on_the_model(self.plan, self.facts.clone(), scenario)?;
            return Ok(match of_place {
                true => Judged::Lacking(lacking, Some(verdict)),
                false => Judged::ModelOnly(lacking, verdict),
            });
        }
        lab.limit_time(limit.left());
        let run = match lab.run_told(scenario, options, told) {
            Err(LabError::TimedOut) => return Err(limit.passed()),
            Err(LabError::Lacking(why) | LabError::Unavailable(why)) => {
                let both = self.plan.on != On::Kernel;
                let model = both.then(|| limit.on_the_model(self.plan, self.facts.clone(), scenario));
                return Ok(Judged::Skipped(why, model.transpose()?));
            }
            Err(error) => return Ok(Judged::Failed(error.to_string())),
            Ok(run) => run,
        };
        if self.plan.on == On::Kernel {
            return Ok(Judged::Verdict(compare::kernel_only(scenario, run)));
        }
        limit.with_model(&mut self.model, scenario, Some(&run)).map(Judged::Verdict)
    }

    /// The model's own answer to what comes next, for the generator.
    pub(crate) fn model(&mut self) -> &mut Model {
        &mut self.model
    }
}

/// A scenario took longer than this.
#[derive(Debug)]
pub(crate) struct TimedOut(pub(crate) Duration);

/// When a scenario was begun and how long it may take; without, as long as it does.
#[derive(Clone, Copy)]
struct Limit(Option<(Instant, Duration)>);

impl Limit {
    fn left(self) -> Option<Duration> {
        self.0.map(|(begun, limit)| limit.saturating_sub(begun.elapsed()))
    }

    fn passed(self) -> TimedOut {
        TimedOut(self.0.map(|(_, limit)| limit).unwrap_or_default())
    }

    fn with_model(self, model: &mut Model, scenario: &Scenario, run: Option<&Run>) -> Result<Verdict, TimedOut> {
        let go_on = || self.left().is_none_or(|left| !left.is_zero());
        compare::with_model_while(model, scenario, run, go_on).ok_or_else(|| self.passed())
    }

    /// A scenario about one side of a fact is shown on a model that has it.
    fn on_the_model(self, plan: Plan, facts: Facts, scenario: &Scenario) -> Result<Verdict, TimedOut> {
        self.with_model(&mut plan.model(facts.with_all(&scenario.needs)), scenario, None)
    }
}

/// Does `work` for the numbers from 0 to `count`, on one worker a lab (or `jobs` without a kernel), and hands the results
/// to `sink` in order. `sink` answers whether to go on. Where no thread can be made, the work is done by the caller's.
pub(crate) fn spread<R: Send>(
    labs: Labs,
    jobs: usize,
    plan: Plan,
    count: usize,
    work: impl Fn(&mut Worker, usize) -> R + Sync,
    mut sink: impl FnMut(usize, R) -> bool,
) {
    let facts = labs.facts();
    let mut workers: Vec<Worker> = labs.0.into_iter().map(|lab| Worker::new(Some(lab), plan, &facts)).collect();
    if workers.is_empty() {
        workers.extend((0..jobs.max(1)).map(|_| Worker::new(None, Plan { on: On::Model, ..plan }, &facts)));
    }
    // A worker that got no thread is still in its place.
    let places: Vec<Mutex<Option<Worker>>> = workers.into_iter().map(|worker| Mutex::new(Some(worker))).collect();
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let (results, inbox) = mpsc::channel();
    let threads = thread::scope(|scope| {
        let mut threads = 0;
        for place in &places {
            let (next, stopped, work, results) = (&next, &stopped, &work, results.clone());
            let job = move || {
                let Some(mut worker) = taken(place) else { return };
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // A closed inbox means that nobody wants to know any more.
                    if index >= count || results.send((index, work(&mut worker, index))).is_err() {
                        break;
                    }
                }
            };
            threads += usize::from(thread::Builder::new().spawn_scoped(scope, job).is_ok());
        }
        drop(results);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, result) in inbox {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                if !stopped.load(Ordering::Relaxed) && !sink(due, result) {
                    stopped.store(true, Ordering::Relaxed);
                }
                due += 1;
            }
        }
        threads
    });
    if threads > 0 {
        return;
    }
    let Some(mut worker) = places.first().and_then(taken) else { return };
    let _ = (0..count).all(|index| sink(index, work(&mut worker, index)));
}

fn taken(place: &Mutex<Option<Worker>>) -> Option<Worker> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
