//! The smallest use: `cargo run -p pidlab-why --example stuck [PID] [PROC]` tells what is stuck on this machine.

use std::time::Duration;

use pidlab_why::{Procfs, text};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let pid = arguments.next().and_then(|pid| pid.parse().ok());
    let procfs = arguments.next().map_or_else(Procfs::default, Procfs::at);
    match procfs.look(pid, Duration::from_millis(100))? {
        Some(report) => print!("{}", text(&report, 80)),
        None => println!("there is no such process"),
    }
    Ok(())
}
