//! Nothing of the surroundings is ever reported as a difference of the kernel: `pidlab check` is run in 111 places and more, in which a
//! sandbox, a limit or an administrator has taken something away.
//!
//! In each it ends with 0 or 4, and where it skips, it names the cause and a remedy. Which of the two it must be is written at the place
//! (`places`), so that neither a skip too many nor one too few passes. What cannot be scripted is listed there, too.
//!
//! Where a place cannot be made (no root, no cgroup of one's own) its test is listed as ignored, and the reason printed. With
//! `PIDLAB_REQUIRE_KERNEL=1` what root can make everywhere must be made.

#![forbid(unsafe_code)]

mod going;
mod places;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use std::{env, fs, io};

use libtest_mimic::{Arguments, Failed, Trial};
use pidlab_realkernel::{Lab, LabOptions};

use going::{Lacks, Way};
use places::{Ends, Place};

/// Names the place in a program that is started again to go there.
const VARIABLE: &str = "PIDLAB_TEST_SURROUNDINGS";

/// Scenarios that need most: users, reboot, threads, limits, namespaces, looks, every way of sending a signal.
const SELECTION: &[&str] = &[
    "exec/still-the-init",
    "exec/whichever-thread",
    "joining/",
    "limits/thirty-levels-down",
    "limits/wrap-to-300",
    "reboot/",
    "signals/a-forged-sender",
    "signals/abort-lets-the-handler-speak",
    "signals/real-time-signals-queue",
    "threads/both-numbers-of-tgkill-count",
    "threads/one-for-all",
    "threads/the-last-thread-of-init",
    "users/",
    "vfork/",
    "views/",
];

/// In so many seconds a place is left, whatever happens there.
const PATIENCE: &str = "100";

fn main() -> ExitCode {
    let places = places::all();
    if let Ok(name) = env::var(VARIABLE) {
        return there(&places, &name);
    }
    let arguments = Arguments::from_args();
    let required = pidlab_realkernel::must_not_skip();
    let used_up = Lab::open(LabOptions::default()).is_ok_and(|lab| lab.kernel().used_up);
    let program = match Program::copy() {
        Ok(program) => Arc::new(program),
        Err(error) => {
            eprintln!("the program cannot be copied to where every user may run it: {error}");
            return ExitCode::FAILURE;
        }
    };
    for what in places::NOT_SCRIPTED {
        eprintln!("not scripted: {what}");
    }
    let trials = places.into_iter().map(|place| {
        let lacks = place.way.lacks().or_else(|| used_up.then_some(Lacks::Namespaces));
        if let Some(why) = &lacks {
            eprintln!("skipped: {}: {why}", place.name);
        }
        let ignored = lacks.is_some_and(|why| !required || why.is_of_the_machine());
        let program = Arc::clone(&program);
        Trial::test(place.name.clone(), move || visit(&place, &program)).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The program under test, where any user may run it. It is removed again.
struct Program(PathBuf);

impl Program {
    fn copy() -> io::Result<Program> {
        let folder = env::temp_dir().join(format!("pidlab-surroundings-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let program = Program(folder);
        fs::copy(env!("CARGO_BIN_EXE_pidlab"), program.path())?;
        fs::write(program.crowd(), crowd())?;
        Ok(program)
    }

    fn path(&self) -> PathBuf {
        self.0.join("pidlab")
    }

    /// A scenario of more processes than some places allow: the limit is met in the middle of it, when all that is asked beforehand was
    /// answered.
    fn crowd(&self) -> PathBuf {
        self.0.join("crowd.toml")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What cannot be removed is left in the folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One process, and so many children.
fn crowd() -> String {
    const CHILDREN: usize = 45;
    let step =
        |child| format!("  {{ by = \"host\", call = \"fork\", child = \"child{child}\", returns = {} }},\n", child + 1);
    format!("title = \"A crowd\"\nsteps = [\n{}]\n", (1..=CHILDREN).map(step).collect::<String>())
}

/// Goes to a place in a program of its own, and judges how the check ended there.
fn visit(place: &Place, program: &Program) -> Result<(), Failed> {
    let output = match &place.way {
        Way::Shell(before) => run(&mut Command::new("timeout"), before, program, place.whole)?,
        Way::Cgroup(most) => {
            let cgroup = going::Cgroup::new(&place.name, *most)?;
            let itself = env::current_exe()?;
            let mut command = Command::new("timeout");
            command.env(VARIABLE, &place.name).env("PIDLAB_TEST_CGROUP", &cgroup.0);
            run(&mut command, &[itself.display().to_string()], program, place.whole)?
        }
        _ => {
            let itself = env::current_exe()?;
            let mut command = Command::new("timeout");
            command.env(VARIABLE, &place.name);
            run(&mut command, &[itself.display().to_string()], program, place.whole)?
        }
    };
    judge(place, &output).map_err(|why| {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("ok ")).take(60).collect();
        format!("{why}\n{}", lines.join("\n")).into()
    })
}

fn run(command: &mut Command, before: &[String], program: &Program, whole: bool) -> io::Result<Output> {
    command.args(["-k", "5", PATIENCE]).args(before).arg(program.path()).args(["check", "--quiet", "--jobs", "1"]);
    if !whole {
        command.args(selected()).arg(program.crowd());
    }
    command.output()
}

/// The names of the scenarios that run in each place.
fn selected() -> Vec<String> {
    let is_selected = |name: &str| {
        SELECTION.iter().any(|wanted| name == *wanted || wanted.ends_with('/') && name.starts_with(wanted))
    };
    pidlab::scenario::library::files().map(|file| file.name).filter(|name| is_selected(name)).collect()
}

fn judge(place: &Place, output: &Output) -> Result<(), String> {
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    let code = output.status.code();
    let skips = |cause: &str| match code {
        Some(4) if !said.contains(cause) => Err(format!("skipped without naming its cause, `{cause}`")),
        Some(4) if !said.contains("remedy: ") => Err("skipped without a remedy".to_owned()),
        Some(4) => Ok(()),
        _ => Err(format!("ended with {}, and must skip (4)", output.status)),
    };
    for text in ["panicked", "failed to fill whole buffer", "Stat {", "Os {"] {
        if said.contains(text) {
            return Err(format!("`{text}` is no message"));
        }
    }
    match place.ends {
        Ends::Runs if code == Some(0) => Ok(()),
        Ends::Runs => Err(format!("ended with {}, and must run (0)", output.status)),
        Ends::Skips(cause) => skips(cause),
        Ends::Either(_) if code == Some(0) => Ok(()),
        Ends::Either(cause) => skips(cause),
    }
}

/// In the program that was started again: goes there, and becomes the program under test.
fn there(places: &[Place], name: &str) -> ExitCode {
    let Some(place) = places.iter().find(|place| place.name == name) else { return ExitCode::FAILURE };
    let mut arguments = env::args_os().skip(1);
    let Some(program) = arguments.next() else { return ExitCode::FAILURE };
    let mut command = Command::new(program);
    command.args(arguments).env_remove(VARIABLE);
    let error = place.way.go_and_become(&mut command);
    eprintln!("the place cannot be made: {error}");
    ExitCode::FAILURE
}
