//! `pidlab facts`: what this kernel is like.

use std::io::{self, Write};

use clap::Args;
use pidlab_realkernel::Kernel;
use pidlab_scenario::{Fact, LEAST_PID_MAX};
use serde::Serialize;

use super::{End, Format, Looking, Out};
use crate::kernel::On;

#[derive(Args)]
#[command(after_help = "\
A fact is found out by trying it, in namespaces of its own, and never by the
kernel's version. Where the kernel side cannot run, the exit code is 4.

Examples:
  pidlab facts
  pidlab explain pid-translation    one fact, and the rules on either side
  pidlab facts --format json")]
pub(super) struct Arguments {
    #[command(flatten)]
    looking: Looking,
    /// How the facts are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What a fact is about.
pub(super) const fn about(fact: Fact) -> &'static str {
    if fact.is_of_place() {
        "place"
    } else if fact.is_of_a_vendor() {
        "vendor"
    } else {
        "kernel"
    }
}

#[derive(Serialize)]
struct FactLine {
    fact: &'static str,
    holds: bool,
    about: &'static str,
    meaning: &'static str,
}

#[derive(Serialize)]
struct NumberLine {
    number: &'static str,
    value: u32,
    meaning: String,
}

fn numbers(kernel: &Kernel) -> [NumberLine; 2] {
    [
        NumberLine {
            number: "levels-above",
            value: kernel.facts.levels_above(),
            meaning:
                "How many ancestors a scenario's outermost PID namespace has; they count for the limit of 32 levels."
                    .to_owned(),
        },
        NumberLine {
            number: "least-pid_max",
            value: kernel.facts.least_pid_max(),
            meaning: format!(
                "The least that may be written to pid_max: {LEAST_PID_MAX}, or 8 for each possible CPU if that is more."
            ),
        },
    ]
}

pub(super) fn facts(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    let labs = super::open_labs(On::Kernel, 1, arguments.looking.options());
    let Some(kernel) = labs.as_ref().ok().and_then(|labs| labs.kernel()) else { return Ok(End::NoKernel) };
    if arguments.format == Format::Json {
        let header = serde_json::json!({
            "kernel": kernel.release, "user_namespace": kernel.user_namespace, "look": kernel.look.word(),
            "real_time": kernel.real_time,
        });
        writeln!(out, "{header}")?;
        for (fact, holds) in kernel.facts.iter() {
            let line = FactLine { fact: fact.word(), holds, about: about(fact), meaning: fact.meaning() };
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
        }
        for line in numbers(kernel) {
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
        }
        return Ok(End::Agree);
    }
    let user = match (kernel.user_namespace, kernel.used_up) {
        (false, _) => ", as root",
        (true, false) => ", in a user namespace of its own",
        (true, true) => {
            ", in a user namespace of its own, for root has used up its PID namespaces (user.max_pid_namespaces)"
        }
    };
    let priority = if kernel.real_time { ", and can have real-time priorities" } else { "" };
    writeln!(out, "Linux {}{user}; processes are looked at {}{priority}", kernel.release, kernel.look.in_words())?;
    for (what, heading) in [
        ("kernel", "What differs between kernels"),
        ("place", "What is about this machine"),
        ("vendor", "What only a vendor's kernel has"),
    ] {
        writeln!(out, "\n{heading}")?;
        for (fact, holds) in kernel.facts.iter().filter(|(fact, _)| about(*fact) == what) {
            writeln!(out, "  {}  {fact}", if holds { "yes" } else { "no " })?;
            paragraph(out, fact.meaning())?;
        }
    }
    writeln!(out, "\nNumbers")?;
    for NumberLine { number, value, meaning } in numbers(kernel) {
        writeln!(out, "  {value:>3}  {number}")?;
        paragraph(out, &meaning)?;
    }
    Ok(End::Agree)
}

fn paragraph(out: &mut Out, text: &str) -> io::Result<()> {
    let page = crate::words::page().initial_indent("       ").subsequent_indent("       ");
    writeln!(out, "{}", textwrap::fill(text, page))
}
