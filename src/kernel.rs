//! Many scenarios on several machines at once: one worker a CPU, each with a model and a lab of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use pidlab_realkernel::{Kernel, Lab, LabOptions, Sharing, Unavailable};
use pidlab_scenario::{Facts, Need, Scenario};
use pidlab_sim::{Misconception, Model};

use crate::compare::{self, Verdict};

/// The labs of a session; none where only the model is asked for.
pub(crate) struct Labs(Vec<Lab>);

impl Labs {
    /// No kernel.
    pub(crate) fn none() -> Labs {
        Labs(Vec::new())
    }

    /// One lab a CPU that this process may use, at most `jobs`.
    ///
    /// # Errors
    /// Where the kernel side cannot run here.
    pub(crate) fn open(jobs: usize) -> Result<Labs, Unavailable> {
        let cpus = pidlab_realkernel::allowed_cpus();
        let mut labs = Vec::new();
        for index in 0..jobs.max(1) {
            let cpu = cpus.get(index % cpus.len().max(1)).copied();
            labs.push(Lab::open(LabOptions { cpu, ..LabOptions::default() })?);
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
        self.judge_sharing(scenario, Sharing::Auto)
    }

    /// The same, where the processes of the kernel side share their memory, or do not.
    pub(crate) fn judge_sharing(&mut self, scenario: &Scenario, sharing: Sharing) -> Judged {
        let Some(lab) = self.lab.as_mut() else {
            return Judged::Verdict(on_the_model(self.plan, Facts::newest(), scenario));
        };
        let unmet = |need: &&Need| !need.is_met(&self.facts) || need.is_for_the_model_alone();
        let lacking: Vec<Need> = scenario.needs.iter().filter(unmet).copied().collect();
        if !lacking.is_empty() {
            let of_place = lacking.iter().any(|need| need.fact.is_of_place());
            if self.plan.on == On::Kernel {
                return Judged::Lacking(lacking, None);
            }
            let verdict = on_the_model(self.plan, self.facts.clone(), scenario);
            return match of_place {
                true => Judged::Lacking(lacking, Some(verdict)),
                false => Judged::ModelOnly(lacking, verdict),
            };
        }
        match lab.run_sharing(scenario, sharing) {
            Err(error) => Judged::Failed(error.to_string()),
            Ok(run) if self.plan.on == On::Kernel => Judged::Verdict(compare::kernel_only(scenario, run)),
            Ok(run) => Judged::Verdict(compare::with_model(&mut self.model, scenario, Some(&run))),
        }
    }

    /// The model's own answer to what comes next, for the generator.
    pub(crate) fn model(&mut self) -> &mut Model {
        &mut self.model
    }
}

/// A scenario about one side of a fact is shown on a model that has it.
fn on_the_model(plan: Plan, facts: Facts, scenario: &Scenario) -> Verdict {
    compare::with_model(&mut plan.model(facts.with_all(&scenario.needs)), scenario, None)
}

/// Does `work` for the numbers from 0 to `count`, on one worker a lab (or `jobs` without a kernel), and hands the results
/// to `sink` in order. `sink` answers whether to go on.
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
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let (results, inbox) = mpsc::channel();
    thread::scope(|scope| {
        for mut worker in workers {
            let (next, stopped, work, results) = (&next, &stopped, &work, results.clone());
            scope.spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // A closed inbox means that nobody wants to know any more.
                    if index >= count || results.send((index, work(&mut worker, index))).is_err() {
                        break;
                    }
                }
            });
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
    });
}
