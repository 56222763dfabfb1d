//! How much a watched scenario costs beside the same processes without anybody watching.
//!
//! ```text
//! taskset -c 1 cargo run --release -p pidlab-realkernel --example measure
//! ```
//!
//! One CPU for everything, or the time for waking the other CPU is measured instead.

use std::time::{Duration, Instant};

use pidlab_realkernel::{Lab, LabOptions, bare};
use pidlab_scenario::Machine;

/// Runs in a batch, and batches of each kind; the fastest batch counts, since all noise makes slower.
const RUNS: u32 = 10;
const BATCHES: u32 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scenario = bare::scenario();
    let mut tree = bare::Tree::default();
    let mut lab = Lab::open(LabOptions::default())?;
    let [mut unwatched, mut results, mut full] = [Duration::MAX; 3];
    for _ in 0..BATCHES {
        unwatched = unwatched.min(batch(|| Ok(tree.grow()?))?);
        results = results.min(batch(|| Ok(lab.run_results_only(&scenario).map(drop)?))?);
        full = full.min(batch(|| Ok(lab.run(&scenario).map(drop)?))?);
    }
    println!("bare                    {unwatched:>10.1?}");
    let ratio = |watched: Duration| watched.as_secs_f64() / unwatched.as_secs_f64();
    println!("results of every step   {results:>10.1?}  {:.2}x", ratio(results));
    println!("world after every step  {full:>10.1?}  {:.2}x", ratio(full));
    Ok(())
}

/// The time of one run in a batch.
fn batch(
    mut run: impl FnMut() -> Result<(), Box<dyn std::error::Error>>,
) -> Result<Duration, Box<dyn std::error::Error>> {
    let start = Instant::now();
    for _ in 0..RUNS {
        run()?;
    }
    Ok(start.elapsed() / RUNS)
}
