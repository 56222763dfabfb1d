//! What watching costs, and how far the model is ahead of the kernel: ratios of two things measured in the same run.
//!
//! ```text
//! cargo bench --bench bars
//! ```
//!
//! Everything runs on one CPU. Each figure is the fastest of several batches, since all noise makes slower. Nothing here
//! passes or fails: tests decide, benchmarks measure.

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use pidlab::realkernel::{Lab, LabOptions, Look, Priority, bare};
use pidlab::scenario::{CloneFlags, Errno, Machine, Signal, WaitOptions};
use pidlab::sim::{CloneArgs, TaskId, World};

const BATCHES: usize = 9;
/// Runs of a scenario in a batch: few, so that a batch may fall between two interruptions.
const RUNS: u32 = 20;
const NEWPID: CloneArgs<'static> = CloneArgs::new(CloneFlags::CLONE_NEWPID);

type Measured<T> = Result<T, Box<dyn Error>>;

fn main() -> Measured<()> {
    bare::pin_to_one_cpu()?;
    // First: what is freed before would be counted in or out of the bytes of a process.
    full_namespaces()?;
    let cycle = watching()?;
    against_the_kernel(cycle)?;
    chain()
}

/// The fastest batch, a run of it.
fn fastest(runs: u32, mut run: impl FnMut() -> Measured<()>) -> Measured<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..runs {
            run()?;
        }
        best = best.min(start.elapsed() / runs);
    }
    Ok(best)
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// A lab, and how fast it was, in its best batch: results of every step, and the whole world after every step.
struct Watcher {
    name: String,
    lab: Lab,
    results: Duration,
    full: Duration,
}

impl Watcher {
    fn open(name: &str, options: LabOptions) -> Result<Watcher, String> {
        let lab = Lab::open(options).map_err(|why| format!("{name}: {}", why.reason))?;
        let real_time = lab.kernel().real_time && options.priority != Priority::Ordinary;
        let priority = if real_time { "real-time priorities" } else { "ordinary priorities" };
        let name = format!("{name}, {}, {priority}", lab.kernel().look.word());
        Ok(Watcher { name, lab, results: Duration::MAX, full: Duration::MAX })
    }
}

/// A scenario of 8 processes, 2 namespaces and 20 steps, looked at in each way that there is here, against the same processes without
/// anybody watching. Returns what the kernel takes for one process, made, ended and reaped.
fn watching() -> Measured<Duration> {
    let scenario = bare::scenario();
    let steps = u32::try_from(scenario.steps.len())?;
    let mut tree = bare::Tree::default();
    let auto = Lab::open(LabOptions::default()).map_err(|why| why.to_string())?.kernel().clone();
    println!("\none scenario: 8 processes, 2 namespaces, {steps} steps, Linux {}", auto.release);
    println!("  looked at {} where nothing is said (--look auto is {} here)", auto.look.in_words(), auto.look.word());
    let ways = [Look::Procfs, Look::Lean, Look::Bpf].into_iter().flat_map(|look| {
        let options = LabOptions::default().looking(look);
        [Priority::Ordinary, Priority::RealTime].map(|priority| ("as we are", options.with_priority(priority)))
    });
    let ordinary = LabOptions::default().as_ordinary_user(true);
    let mut watchers: Vec<Watcher> = Vec::new();
    let users = [Look::Procfs, Look::Lean].map(|look| ("as an ordinary user", ordinary.looking(look)));
    for (who, options) in ways.chain(users) {
        match Watcher::open(who, options) {
            Ok(watcher) => watchers.push(watcher),
            Err(why) => println!("  not measured: {}, {}, {why}", options.look.word(), options.priority.word()),
        }
    }
    // In turns, so that a slow minute of the machine is slow for all of them.
    let mut alone = Duration::MAX;
    for _ in 0..BATCHES {
        alone = alone.min(fastest(RUNS, || Ok(tree.grow()?))?);
        for Watcher { lab, results, full, .. } in &mut watchers {
            *results = (*results).min(fastest(RUNS, || Ok(lab.run_results_only(&scenario).map(drop)?))?);
            *full = (*full).min(fastest(RUNS, || Ok(lab.run(&scenario).map(drop)?))?);
        }
    }
    println!("  {:<38} {alone:>10.1?}", "the processes alone");
    for Watcher { name, results, full, .. } in &watchers {
        println!("  {name}");
        println!("    {:<36} {results:>10.1?}  {:5.2} x", "results of every step", ratio(*results, alone));
        println!("    {:<36} {full:>10.1?}  {:5.2} x", "the world after every step", ratio(*full, alone));
    }
    println!("  (bars, the world after every step: 3 x as root, 5.5 x as an ordinary user)");
    let cycles = 200;
    let all = fastest(5, || Ok(tree.cycles(cycles)?))?;
    Ok(all / u32::try_from(cycles)?)
}

/// A world with `live` processes beside the one that the cycle is run by, `depth` namespaces below the outermost.
fn world_of(depth: usize, live: usize) -> Measured<(World, TaskId)> {
    let mut world = World::new();
    let mut at = world.host();
    for _ in 0..depth {
        at = world.clone3(at, &NEWPID)?;
    }
    for _ in 0..live {
        world.fork(at)?;
    }
    let parent = world.fork(at)?;
    Ok((world, parent))
}

/// fork, exit and wait on the model against the kernel's fastest form. The kernel's processes have one number, in the namespace that
/// this program is in; so have those at depth 0.
fn against_the_kernel(kernel: Duration) -> Measured<()> {
    println!("\nfork, exit and wait of one process");
    println!("  the kernel                    {kernel:>10.1?}");
    for (depth, live) in [(0, 1_000), (1, 1_000), (1, 1_000_000), (1, 4_000_000), (4, 1_000), (31, 1_000)] {
        let (mut world, parent) = world_of(depth, live)?;
        let cycle = fastest(200_000, || {
            let child = world.fork(parent)?;
            world.exit(child, 0);
            world.wait4(parent, -1, WaitOptions::empty())?;
            Ok(())
        })?;
        let name = format!("the model, depth {depth}, {live} live");
        println!("  {name:<37} {cycle:>8.1?}  {:5.0} x  (bar 6: 250 x)", ratio(kernel, cycle));
    }
    Ok(())
}

/// Bytes of memory that this program uses.
fn memory() -> Measured<usize> {
    let pages = fs::read_to_string("/proc/self/statm")?;
    let resident: usize = pages.split_ascii_whitespace().nth(1).ok_or("statm has a second field")?.parse()?;
    Ok(resident * 4096)
}

/// A namespace filled to its last number, and killed.
fn full_namespaces() -> Measured<()> {
    println!("a namespace with every number taken (bar 7: 0.5 s and 160 B a process at depth 1, 3 s at 32 levels)");
    for depth in [1, 31] {
        let before = memory()?;
        let (mut world, _) = world_of(depth, 0)?;
        let init = world.children(world.host()).next().ok_or("there is an init below host")?;
        let mut innermost = init;
        for _ in 1..depth {
            innermost = world.children(innermost).next().ok_or("there is an init below each")?;
        }
        let start = Instant::now();
        let mut made: u32 = 0;
        let refused = loop {
            match world.fork(innermost) {
                Ok(_) => made += 1,
                Err(errno) => break errno,
            }
        };
        let filled = start.elapsed();
        let bytes = memory()?.saturating_sub(before) / usize::try_from(made)?;
        let start = Instant::now();
        world.kill(world.host(), 2, Some(Signal::KILL))?;
        let killed = start.elapsed();
        assert_eq!(refused, Errno::EAGAIN);
        println!(
            "  depth {depth:>2}: {made} made in {filled:.2?} ({:.0?} each), {bytes} B each, killed in {killed:.2?}",
            filled / made
        );
    }
    Ok(())
}

/// Each process the child of the one before.
fn chain() -> Measured<()> {
    let (mut world, mut last) = world_of(1, 0)?;
    let init = world.children(world.host()).next().ok_or("there is an init below host")?;
    let length = 4_000_000;
    let start = Instant::now();
    for _ in 0..length {
        last = world.fork(last)?;
    }
    let made = start.elapsed();
    let start = Instant::now();
    world.exit(init, 0);
    println!("  a chain of {length} parents: made in {made:.2?}, gone in {:.2?}", start.elapsed());
    Ok(())
}
