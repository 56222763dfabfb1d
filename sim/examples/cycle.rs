//! fork, exit and wait of one process, over and over, beside a thousand others: for counting instructions, which no neighbour disturbs.
//!
//! ```text
//! cargo build --release --package pidlab-sim --example cycle
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/cycle DEPTH ROUNDS
//! ```
//!
//! Two counts with different numbers of rounds; their difference, divided by that of the rounds.

use pidlab_scenario::{CloneFlags, Errno, WaitOptions};
use pidlab_sim::{CloneArgs, World};

fn main() -> Result<(), Errno> {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u32>().expect("a number"));
    let (depth, rounds) = (arguments.next().unwrap_or(0), arguments.next().unwrap_or(100_000));
    let new_namespace = CloneArgs::new(CloneFlags::CLONE_NEWPID);
    let mut world = World::new();
    let mut at = world.host();
    for _ in 0..depth {
        at = world.clone3(at, &new_namespace)?;
    }
    for _ in 0..1000 {
        world.fork(at)?;
    }
    let parent = world.fork(at)?;
    for _ in 0..rounds {
        let child = world.fork(parent)?;
        world.exit(child, 0);
        world.wait4(parent, -1, WaitOptions::empty())?;
    }
    Ok(())
}
