//! Duties of a user's own: scenarios, which have to be true of Linux before a program is held against them.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use pidlab_certify::OwnDuty;
use pidlab_scenario::Facts;
use pidlab_sim::Model;

use super::super::{End, complain, failed};
use super::{Arguments, Named, Question};
use crate::compare;
use crate::input::{self, Source};

/// What stands in the way of asking a duty of a user's own, if one is asked.
pub(super) fn wrong(arguments: &Arguments) -> Option<&'static str> {
    let is_own = arguments.duties.iter().any(|duty| matches!(duty, Named::File(_)));
    match () {
        () if !is_own => None,
        () if arguments.attach.is_some() => Some(
            "a duty of your own is asked of a program that is started for it, and not of a container that others use",
        ),
        () if !arguments.command.iter().any(|word| word.to_string_lossy().contains("{}")) => Some(
            "no `{}` is among the words, which is where the command of the duty goes: pidlab init --duty FILE -- ./my-init {}",
        ),
        () => None,
    }
}

/// The duties that are named; what is wrong with a file is told on standard error.
pub(super) fn questions(named: &[Named]) -> Result<Vec<Question>, End> {
    let (mut questions, mut names, mut is_wrong) = (Vec::new(), BTreeSet::new(), false);
    for named in named {
        let path = match named {
            Named::BuiltIn(duty) => {
                names.insert(duty.name.to_owned());
                questions.push(Question::BuiltIn(duty));
                continue;
            }
            Named::File(path) => path,
        };
        let read = match path.as_os_str() == "-" {
            true => input::of_standard_input(),
            false => input::of_file(path),
        };
        match read {
            Err(invalid) => {
                complain(&invalid);
                is_wrong = true;
            }
            Ok(source) => match own(&source) {
                Some(duty) => {
                    let duty = with_a_name_of_its_own(duty, &names);
                    names.insert(duty.name().to_owned());
                    questions.push(Question::Own(Arc::new(duty)));
                }
                None => is_wrong = true,
            },
        }
    }
    if is_wrong { Err(End::BadInput) } else { Ok(questions) }
}

/// Logs and test cases are told apart by it.
fn with_a_name_of_its_own(duty: OwnDuty, names: &BTreeSet<String>) -> OwnDuty {
    let numbered = (2..).map(|number| format!("{}-{number}", duty.name()));
    let free = std::iter::once(duty.name().to_owned()).chain(numbered).find(|name| !names.contains(name));
    match free {
        Some(name) => duty.named(name),
        None => duty,
    }
}

/// The duty in a file. What is wrong with it is told on standard error.
fn own(source: &Source) -> Option<OwnDuty> {
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    let duty = match OwnDuty::of(&source.scenario, &source.path, &source.text) {
        Ok(duty) => duty,
        Err(diagnostics) => {
            eprintln!("{}", diagnostics.render(colour));
            return None;
        }
    };
    // No program can do what Linux does not.
    let verdict = compare::with_model(&mut Model::new(Facts::newest()), &source.scenario, None);
    if verdict.agrees() {
        return Some(duty);
    }
    if let Some(refused) = &verdict.mistake {
        eprintln!("{}", failed::refused(source, &verdict, refused).render(colour));
    }
    for problem in &verdict.problems {
        eprintln!("{}", failed::problem(source, problem).trim_end());
    }
    eprintln!("no program is held against what is not so on Linux: `pidlab run` says how it comes out");
    None
}
