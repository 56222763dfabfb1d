//! `pidlab list`, `pidlab show` and `pidlab new`: which scenarios there are, what one looks like, and a first one of one's own.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use pidlab_scenario::{Facts, one_line, schema};
use pidlab_sim::Model;
use serde::Serialize;

use super::{End, Format, Out};
use crate::input::Source;
use crate::select::{self, Words, chapter as chapter_of};
use crate::{standalone, words};

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab list                    all of them
  pidlab list orphans zombies    two chapters
  pidlab list --format json      with the rules that each shows")]
pub(super) struct ListArguments {
    #[command(flatten)]
    words: Words,
    /// How the list is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab show orphans/adopted-by-own-init
  pidlab show orphans/adopted-by-own-init > mine.toml    to change it and run it
  pidlab show --c mine.toml > mine.c                     where there is no pidlab
  pidlab show --schema > scenario.schema.json            for editors")]
pub(super) struct ShowArguments {
    /// The scenario's name, as `pidlab list` has it.
    #[arg(required_unless_present = "schema")]
    name: Option<String>,
    /// Print it as a C program that takes its steps and tells what comes of them; the name may be that of a file.
    #[arg(long, requires = "name")]
    c: bool,
    /// Print the JSON Schema of scenario files instead.
    #[arg(long, conflicts_with = "name")]
    schema: bool,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab new mine.toml && pidlab run mine.toml")]
pub(super) struct NewArguments {
    /// The file to write; it must not be there yet.
    file: PathBuf,
}

/// A scenario in JSON.
#[derive(Serialize)]
struct ScenarioLine<'a> {
    name: &'a str,
    title: &'a str,
    steps: usize,
    rules: &'a [String],
    needs: Vec<String>,
}

pub(super) fn list(out: &mut Out, arguments: &ListArguments) -> io::Result<End> {
    let entries = match super::selected(arguments.words.select()) {
        Ok(selection) => selection.entries,
        Err(end) => return Ok(end),
    };
    let (mut chapter, mut end) = (String::new(), End::Agree);
    for entry in &entries {
        let scenario = match entry {
            Ok(source) => &source.scenario,
            Err(invalid) => {
                eprintln!("{}", invalid.message(true).trim_end());
                end = End::BadInput;
                continue;
            }
        };
        if arguments.format == Format::Json {
            let line = ScenarioLine {
                name: &scenario.name,
                title: &scenario.title,
                steps: scenario.steps.len(),
                rules: &scenario.rules,
                needs: scenario.needs.iter().map(ToString::to_string).collect(),
            };
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
            continue;
        }
        let own = chapter_of(&scenario.name);
        if own != chapter {
            if !chapter.is_empty() {
                writeln!(out)?;
            }
            own.clone_into(&mut chapter);
        }
        let page = words::page().subsequent_indent("    ");
        writeln!(out, "{}", one_line(&scenario.name))?;
        writeln!(out, "{}", textwrap::fill(&one_line(&scenario.title), page.initial_indent("    ")))?;
    }
    Ok(end)
}

pub(super) fn show(out: &mut Out, arguments: &ShowArguments) -> io::Result<End> {
    let Some(name) = &arguments.name else {
        writeln!(out, "{:#}", schema::schema())?;
        return Ok(End::Agree);
    };
    let entries = match super::selected(select::words(&[name])) {
        Ok(selection) => selection.entries,
        Err(end) => return Ok(end),
    };
    match &entries[..] {
        [Ok(source)] if arguments.c => return c_program(out, source),
        [Ok(source)] => write!(out, "{}", source.text)?,
        [Err(invalid)] => {
            eprintln!("{}", invalid.message(true).trim_end());
            return Ok(End::BadInput);
        }
        several => {
            eprintln!("error: `{name}` is {} scenarios", several.len());
            eprintln!("help: `pidlab list {name}` has their names");
            return Ok(End::BadInput);
        }
    }
    Ok(End::Agree)
}

/// The scenario as a C program, for a kernel such as it needs.
fn c_program(out: &mut Out, source: &Source) -> io::Result<End> {
    let scenario = &source.scenario;
    let mut model = Model::new(Facts::newest().with_all(&scenario.needs));
    let needs = match scenario.needs.is_empty() {
        true => String::new(),
        false => format!(" {}", words::needs(&scenario.needs)),
    };
    let told = format!("What to look for on kernels{needs}:\n{}", standalone::expected(&mut model, scenario));
    match standalone::program(&mut model, scenario, &told) {
        Ok(program) => write!(out, "{program}")?,
        Err(why) => {
            eprintln!("error: {}: {why}", source.path);
            return Ok(End::BadInput);
        }
    }
    Ok(End::Agree)
}

/// What a first scenario looks like.
const TEMPLATE: &str = include_str!("new.toml");

pub(super) fn new(out: &mut Out, arguments: &NewArguments) -> io::Result<End> {
    let file = &arguments.file;
    if let Err(error) = write_new(file) {
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                eprintln!("error: {}: it is there already, and stays as it is", file.display())
            }
            _ => eprintln!("error: {}: {error}", file.display()),
        }
        return Ok(End::BadInput);
    }
    let name = file.display();
    writeln!(out, "{name} is a scenario. `pidlab run {name}` runs it, step by step.")?;
    writeln!(out, "For completion in editors: pidlab show --schema > {}", beside(file).display())?;
    Ok(End::Agree)
}

fn write_new(file: &Path) -> io::Result<()> {
    File::create_new(file)?.write_all(TEMPLATE.as_bytes())
}

/// Where the template says that the schema is.
fn beside(file: &Path) -> PathBuf {
    file.with_file_name("scenario.schema.json")
}
