//! The model that a page has inside, compiled to WebAssembly, gives the same lines as the native one.
//!
//! It is run by an interpreter, so no browser and no program beside cargo is needed; the target wasm32-unknown-unknown has to be installed.
//! `PIDLAB_WASM_STEPS` says how many random steps are compared; for many of them there is `page/browser-tests/same.test.js`, which is faster.

use std::path::PathBuf;
use std::process::Command;

use pidlab_page::{KERNELS, api};
use pidlab_scenario::library;
use pidlab_scenario::random::{self, RandomConfig, Theme};
use pidlab_sim::Model;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;
use wasmi::{Engine, Instance, Linker, Memory, Module, Store};

/// The model as a page has it.
struct Page {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Page {
    fn new(wasm: &[u8]) -> Page {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm).expect("it is WebAssembly");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("it needs nothing");
        let memory = instance.get_memory(&store, "memory").expect("it gives its memory out");
        Page { store, instance, memory }
    }

    fn answer(&mut self, request: &str) -> String {
        let room = self.instance.get_typed_func::<u32, u32>(&self.store, "room").expect("it has room");
        let answer = self.instance.get_typed_func::<(), u32>(&self.store, "answer").expect("it answers");
        let answered = self.instance.get_typed_func::<(), u32>(&self.store, "answered").expect("it says where");
        let length = u32::try_from(request.len()).expect("a request is short");
        let place = room.call(&mut self.store, length).expect("there is room");
        self.memory.write(&mut self.store, place as usize, request.as_bytes()).expect("the room is its");
        let length = answer.call(&mut self.store, ()).expect("it does not trap");
        let place = answered.call(&mut self.store, ()).expect("it does not trap");
        let mut bytes = vec![0; length as usize];
        self.memory.read(&self.store, place as usize, &mut bytes).expect("the answer is its");
        String::from_utf8(bytes).expect("an answer is text")
    }
}

/// The compiled model; nothing where the target is not installed and nobody insists.
fn compiled() -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_pidlab-page"))
        .env("CARGO", env!("CARGO"))
        .arg("--out")
        .arg(folder.join("page.html"))
        .arg("--wasm")
        .arg(folder.join("model.wasm"))
        .output()
        .expect("the program was built for this test");
    if output.status.success() {
        return Some(std::fs::read(folder.join("model.wasm")).expect("it was written"));
    }
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(std::env::var_os("PIDLAB_REQUIRE_WASM").is_none(), "{why}");
    println!("skipped: the model cannot be compiled to WebAssembly here: {why}");
    None
}

fn compare(page: &mut Page, request: &str, place: &str) {
    let (there, here) = (page.answer(request), api::answer(request));
    assert!(there == here, "{place}\n in WebAssembly: {there}\n here: {here}");
}

#[test]
fn the_page_has_the_same_model() {
    let Some(wasm) = compiled() else { return };
    let mut page = Page::new(&wasm);
    let mut files = 0;
    for file in library::files() {
        // Films take an interpreter long, and are made of the lines: some will do.
        let asked = if files % 40 == 0 { &["lines", "play"][..] } else { &["lines"] };
        for ask in asked {
            let request = json!({ "ask": ask, "name": file.name, "text": file.text }).to_string();
            compare(&mut page, &request, &file.name);
        }
        files += 1;
    }
    let wanted = std::env::var("PIDLAB_WASM_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(1_000);
    let (mut steps, mut scenarios, mut runner) = (0, 0, TestRunner::deterministic());
    while steps < wanted {
        let theme = Theme::of(scenarios);
        let choices = random::choices(40).new_tree(&mut runner).expect("any choice will do").current();
        let kernel = &KERNELS[usize::try_from(scenarios).unwrap_or(0) % KERNELS.len()];
        let mut guide = Model::new(kernel.facts());
        let scenario = random::scenario(&choices, &mut guide, &RandomConfig::about(theme));
        let request = json!({ "ask": "lines", "name": "random", "text": scenario.to_toml(), "kernel": kernel.name });
        compare(&mut page, &request.to_string(), &format!("random {scenarios} on {}", kernel.name));
        steps += scenario.steps.len();
        scenarios += 1;
    }
    println!("{files} scenarios of the library, {scenarios} random ones with {steps} steps: the same");
}
