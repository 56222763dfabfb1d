//! `pidlab merge`: the results of the parts of a check, of random scenarios, or of an exploration, as one.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{End, Out};

#[derive(Args)]
#[command(after_help = "\
What is merged is what `--format json` wrote. The exit code is that of the whole.

Examples:
  pidlab check --shard 1/2 --format json > 1.json     on one machine
  pidlab check --shard 2/2 --format json > 2.json     on another one
  pidlab merge 1.json 2.json                          where both are")]
pub(super) struct Arguments {
    /// Files with the results of a part each.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What has been read so far.
#[derive(Default)]
struct Merged {
    names: BTreeSet<String>,
    rules: BTreeSet<String>,
    summary: Option<Map<String, Value>>,
}

pub(super) fn merge(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let mut merged = Merged::default();
    for path in &arguments.files {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("error: {}: {error}", path.display());
                return Ok(End::BadInput);
            }
        };
        if let Err(why) = merged.file(out, &text)? {
            eprintln!("error: {}: {why}", path.display());
            return Ok(End::BadInput);
        }
    }
    let Some(mut summary) = merged.summary else { return Ok(End::BadInput) };
    if summary.contains_key("rules_shown") {
        summary.insert("rules_shown".to_owned(), json!(merged.rules.len()));
    }
    let end = end(&summary);
    writeln!(out, "{}", json!({ "summary": summary }))?;
    Ok(end)
}

impl Merged {
    /// Takes one part in: its lines as they are, its summary added.
    fn file(&mut self, out: &mut Out, text: &str) -> io::Result<Result<(), String>> {
        let mut whole = false;
        for (number, line) in (1..).zip(text.lines()) {
            let value: Value = match serde_json::from_str(line) {
                Ok(value) => value,
                Err(error) => return Ok(Err(format!("line {number} is no result: {error}"))),
            };
            if let Some(summary) = value["summary"].as_object() {
                if let Err(why) = self.add(summary) {
                    return Ok(Err(why));
                }
                whole = true;
                continue;
            }
            let twice = |name: &&str| !self.names.insert((*name).to_owned());
            if let Some(name) = value["scenario"].as_str().filter(twice) {
                return Ok(Err(format!("`{name}` is in two parts")));
            }
            let rules = value["rules"].as_array().into_iter().flatten();
            self.rules.extend(rules.filter_map(Value::as_str).map(str::to_owned));
            writeln!(out, "{line}")?;
        }
        // A part that was cut off has no summary.
        Ok(if whole { Ok(()) } else { Err("there is no summary: it is not whole".to_owned()) })
    }

    fn add(&mut self, summary: &Map<String, Value>) -> Result<(), String> {
        let Some(known) = &mut self.summary else {
            self.summary = Some(summary.clone());
            return Ok(());
        };
        for (name, value) in summary {
            let Some(before) = known.get_mut(name) else { return Err(format!("only this part has a `{name}`")) };
            match name.as_str() {
                "rules" | "rules_shown" => {}
                // These are about the machine, and not counted.
                "seed" | "kernel" | "facts" | "on" | "space" if before != value => {
                    return Err(format!("`{name}` is another than before: {value}, and {before}"));
                }
                "seed" | "kernel" | "facts" | "on" | "space" => {}
                "rules_fired" => *before = json!(before.as_u64().max(value.as_u64())),
                _ => add(before, value),
            }
        }
        Ok(())
    }
}

/// Numbers are added, and so are those below names.
fn add(to: &mut Value, value: &Value) {
    match value {
        Value::Object(counts) => {
            for (name, count) in counts {
                add(&mut to[name], count);
            }
        }
        _ => *to = json!(to.as_u64().unwrap_or_default() + value.as_u64().unwrap_or_default()),
    }
}

/// How all of it ends, in the order in which a check says so.
fn end(summary: &Map<String, Value>) -> End {
    let any =
        |names: &[&str]| names.iter().any(|name| summary.get(*name).and_then(Value::as_u64).unwrap_or_default() > 0);
    if any(&["invalid"]) {
        End::BadInput
    } else if any(&["differs", "claim_failed", "differences"]) {
        End::Differ
    } else if any(&["not_decided"]) {
        End::NotDecided
    } else if any(&["no_result"])
        || summary.get("skipped").is_some_and(|count| *count != 0 && *count == summary["scenarios"])
    {
        End::NoKernel
    } else {
        End::Agree
    }
}
