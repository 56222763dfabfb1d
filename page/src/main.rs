//! Builds the playground: compiles the model to WebAssembly, and writes it into a page.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

const HELP: &str = "\
Builds the playground: one HTML file, with the model inside.

Usage: cargo run --package pidlab-page -- [--out FILE] [--wasm FILE]

  --out FILE    where the page is written [default: target/pidlab.html]
  --wasm FILE   also write the WebAssembly alone

It needs the target wasm32-unknown-unknown: `rustup target add wasm32-unknown-unknown`.";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            ExitCode::from(2)
        }
    }
}

fn build() -> Result<(), String> {
    let (mut out, mut alone) = (PathBuf::from("target/pidlab.html"), None);
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().map(PathBuf::from).ok_or(format!("`{word}` needs a file"));
        match word.as_str() {
            "--out" => out = value()?,
            "--wasm" => alone = Some(value()?),
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            other => return Err(format!("`{other}` is no option\n\n{HELP}")),
        }
    }
    let wasm = compiled()?;
    let bytes = fs::read(&wasm).map_err(|error| format!("{} cannot be read: {error}", wasm.display()))?;
    if let Some(alone) = alone {
        write(&alone, &bytes)?;
    }
    let page = pidlab_page::page::playground(&bytes);
    write(&out, page.as_bytes())?;
    println!(
        "{}: {} KB, of which the model is {} KB before it is packed",
        out.display(),
        page.len() / 1024,
        bytes.len() / 1024
    );
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    }
    fs::write(file, bytes).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

/// Compiles the model, and says where it is.
fn compiled() -> Result<PathBuf, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/wasm/Cargo.toml");
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--locked", "--profile", "page", "--target", "wasm32-unknown-unknown"])
        .args(["--message-format", "json-render-diagnostics", "--manifest-path", manifest])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(
            "the model was not compiled; is the target there? `rustup target add wasm32-unknown-unknown`".to_owned()
        );
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let files = told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let named = files.flat_map(|line| line["filenames"].as_array().cloned().unwrap_or_default());
    let mut wasm = named
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .filter(|file| file.extension().is_some_and(|end| end == "wasm"));
    wasm.next_back().ok_or("cargo made no WebAssembly".to_owned())
}
