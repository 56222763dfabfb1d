//! `pidlab kernels`: what can be booted here, and how others come.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use pidlab_kernels::fetch::{self, DEFAULT, OFFERS};
use pidlab_kernels::{Kernel, Kind};
use serde_json::json;

use super::guests::{self, Known};
use super::{End, Format, Out};

#[derive(Args)]
#[command(after_help = "\
A kernel is booted with this program in it: user-mode Linux as a program, an
image in QEMU, which needs no KVM and no root. What it is like is known once it
was asked, with `--probe` or by `pidlab matrix`.

Examples:
  pidlab kernels fetch                  the oldest, the newest, and what is quick
  pidlab kernels fetch qemu-6.12        one of them
  pidlab kernels --probe                boot each, and find out what it is like
  pidlab check --kernel uml-6.1         the library on one of them
  pidlab check --kernel arch/x86/boot/bzImage    on one that you have built")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Boot those whose facts are not known yet.
    #[arg(long)]
    probe: bool,
    /// How the list is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Subcommand)]
enum Command {
    /// Bring Debian's kernels into a folder of one's own; nothing of the system changes.
    Fetch(FetchArguments),
}

#[derive(Args)]
struct FetchArguments {
    /// Which [default: the oldest and the newest, and what is quick].
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// All of them.
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

pub(super) fn kernels(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    if let Some(Command::Fetch(wanted)) = &arguments.command {
        return fetch(out, wanted);
    }
    let all = pidlab_kernels::all();
    let mut end = End::Agree;
    if arguments.format == Format::Text {
        writeln!(out, "native          this machine's own: without --kernel")?;
    }
    for kernel in &all {
        let known = match (Known::of(kernel), arguments.probe) {
            (None, true) => guests::probe(kernel)?.unwrap_or_else(|ended| {
                end = ended;
                None
            }),
            (known, _) => known,
        };
        match arguments.format {
            Format::Text => text(out, kernel, known.as_ref())?,
            Format::Json => {
                let line = json!({
                    "name": kernel.name, "kind": kernel.kind, "image": kernel.image, "from": kernel.from,
                    "release": known.as_ref().map(|known| &known.release), "facts": known.as_ref().map(|known| &known.facts),
                });
                writeln!(out, "{line}")?;
            }
        }
        out.flush()?;
    }
    if arguments.format == Format::Text {
        let there = |name: &str| all.iter().any(|kernel| kernel.name == name);
        let others: Vec<&str> = OFFERS.iter().map(|offer| offer.name).filter(|name| !there(name)).collect();
        if !others.is_empty() {
            let text = format!("pidlab kernels fetch {}", others.join(" "));
            writeln!(out, "\nthere is more to be had:\n{}", textwrap::fill(&text, crate::words::page()))?;
        }
        gvisor(out)?;
        needed(out, &all)?;
    }
    Ok(end)
}

fn text(out: &mut Out, kernel: &Kernel, known: Option<&Known>) -> io::Result<()> {
    let from = kernel.from.clone().unwrap_or_else(|| kernel.image.display().to_string());
    writeln!(out, "{:<15} {}, {from}", kernel.name, in_what(kernel.kind))?;
    match known {
        Some(known) => {
            let lacks: Vec<&str> =
                known.facts.iter().filter(|(_, holds)| !**holds).map(|(name, _)| name.as_str()).collect();
            let page = crate::words::page().initial_indent("                ").subsequent_indent("                ");
            let text = format!("Linux {}; without {}", known.release, lacks.join(", "));
            writeln!(out, "{}", textwrap::fill(&text, page))
        }
        None => Ok(()),
    }
}

const fn in_what(kind: Kind) -> &'static str {
    match kind {
        Kind::Qemu => "in QEMU",
        Kind::Uml => "user-mode Linux",
    }
}

/// What is no kernel that could be booted, and is asked in another way.
fn gvisor(out: &mut Out) -> io::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("runsc")).find(|program| program.is_file());
    match found {
        Some(program) => {
            let program = program.display();
            writeln!(
                out,
                "\ngVisor, by hearsay:\npidlab hearsay --under '{program} --ignore-cgroups --network=none do'"
            )
        }
        None => Ok(()),
    }
}

/// What is missing for some of them.
fn needed(out: &mut Out, all: &[Kernel]) -> io::Result<()> {
    let images = all.iter().any(|kernel| kernel.kind == Kind::Qemu);
    if images && std::process::Command::new("qemu-system-x86_64").arg("--version").output().is_err() {
        writeln!(
            out,
            "\nthere is no qemu-system-x86_64: it is in the package qemu-system-x86 or qemu-system-x86-core"
        )?;
    }
    Ok(())
}

fn fetch(out: &mut Out, wanted: &FetchArguments) -> io::Result<End> {
    let names: Vec<&str> = match (wanted.all, wanted.names.is_empty()) {
        (true, _) => OFFERS.iter().map(|offer| offer.name).collect(),
        (false, true) => DEFAULT.to_vec(),
        (false, false) => wanted.names.iter().map(String::as_str).collect(),
    };
    let mut end = End::Agree;
    for name in names {
        let Some(offer) = OFFERS.iter().find(|offer| offer.name == name) else {
            let there: Vec<&str> = OFFERS.iter().map(|offer| offer.name).collect();
            eprintln!("error: there is no kernel `{name}` to be fetched: there are {}", there.join(", "));
            return Ok(End::BadInput);
        };
        match fetch::fetch(offer) {
            Ok(from) => writeln!(out, "{name:<15} {from}")?,
            Err(why) => {
                eprintln!("error: {name}: {why}");
                end = End::NoKernel;
            }
        }
        out.flush()?;
    }
    Ok(end)
}
