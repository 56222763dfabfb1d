//! Requests to the model in a page, each with the hash of the answer that the native model gives: `same.test.js` in `page/browser-tests` holds
//! the one in WebAssembly against them.
//!
//! `cargo run --release --package pidlab-page --example requests -- 100000` prints the library, and random scenarios of so many steps in all, on the
//! kernels of the page in turn.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};

use pidlab_page::{KERNELS, api};
use pidlab_scenario::library;
use pidlab_scenario::random::{self, RandomConfig, Theme};
use pidlab_sim::Model;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;
use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let wanted = std::env::args().nth(1).and_then(|steps| steps.parse().ok()).unwrap_or(10_000);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut print = |request: serde_json::Value| {
        let request = request.to_string();
        let answer = format!("{:x}", Sha256::digest(api::answer(&request)));
        writeln!(out, "{}", json!({ "request": request, "answer": answer }))
    };
    for file in library::files() {
        for ask in ["lines", "play"] {
            print(json!({ "ask": ask, "name": file.name, "text": file.text }))?;
        }
    }
    let (mut steps, mut runner) = (0, TestRunner::deterministic());
    for (index, kernel) in (0..).zip(KERNELS.iter().cycle()) {
        if steps >= wanted {
            break;
        }
        let choices = random::choices(40).new_tree(&mut runner).expect("any choice will do").current();
        let mut guide = Model::new(kernel.facts());
        let scenario = random::scenario(&choices, &mut guide, &RandomConfig::about(Theme::of(index)));
        print(json!({ "ask": "lines", "name": "random", "text": scenario.to_toml(), "kernel": kernel.name }))?;
        steps += scenario.steps.len();
    }
    Ok(())
}
