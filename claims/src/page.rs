//! For people who read Markdown.

use std::fmt::Write as _;

use crate::case::Trial;
use crate::record::{Hearing, Kernel, Overall};
use crate::told;
use crate::trial::Tried;

const HEAD: &str = "\
# Claims on trial

Sentences that one reads about PID namespaces, in our words, each with the scenario that decides it. A test keeps this page fresh, and no verdict on it was written by
hand: a sentence is *true* on a kernel if all that it predicts comes, *false* if no trial of it holds, and *not always* if one does and another does not. Where kernels differ, the facts are named of
which one alone changes the verdict. `pidlab claims` says the same of the kernel that it runs on, and `pidlab claims --kernel NAME` of another.

A sentence is a file in `claims/library`:

```toml
sentence = \"SIGTERM terminates PID 1 of a container like any other process.\"
met = [\"a page, a manual, an issue\"]
rules = [\"sig.init-outer-dropped\"]
correction = \"What is so, in a sentence or two.\"

[[trial]]
scenario = \"init-signals/term-from-outside-is-dropped\"
predicts = [
  { step = 2, by = \"host\", call = \"kill\", then = { init = { state = \"zombie\" } } },
]
```

A prediction has what a step of a scenario may claim. In place of `scenario`, `steps` may stand here, and with them `needs`. Several trials each say in `about` what they are about. A sentence that no
scenario can decide says in `not_here` why. `pidlab claims FILE` puts a file on trial.
";

/// The page of all sentences.
pub fn claims(hearings: &[Hearing], kernels: &[Kernel]) -> String {
    let mut text = format!("{HEAD}\n{}", table(hearings, kernels));
    for hearing in hearings.iter().filter(|hearing| hearing.case.not_here.is_none()) {
        let _ = write!(text, "\n## {}\n\n{}", hearing.case.id, one(hearing, kernels));
    }
    let apart: Vec<&Hearing> = hearings.iter().filter(|hearing| hearing.case.not_here.is_some()).collect();
    if !apart.is_empty() {
        text.push_str("\n## Not decided here\n\nThese are not counted: they are about what no scenario has.\n");
    }
    for hearing in apart {
        let _ = write!(text, "\n### {}\n\n{}", hearing.case.id, one(hearing, kernels));
    }
    text
}

/// How many are what, on each kernel.
fn table(hearings: &[Hearing], kernels: &[Kernel]) -> String {
    let mut text = format!(
        "{}.\n\n| kernel | Linux | true | false | not always | not decided |\n|---|---|---|---|---|---|\n",
        told::summary(hearings.iter())
    );
    for (at, kernel) in kernels.iter().enumerate() {
        let mut counts = [0; 4];
        for hearing in hearings.iter().filter(|hearing| hearing.case.not_here.is_none()) {
            counts[hearing.record.rulings[at].verdict().map_or(3, |verdict| verdict as usize)] += 1;
        }
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "| {} | {} | {} |", kernel.name, kernel.release, counts.join(" | "));
    }
    text
}

/// One sentence, without its heading.
pub fn one(hearing: &Hearing, kernels: &[Kernel]) -> String {
    let case = &hearing.case;
    let mut text = format!("> {}\n\nMet: {}.\n\n", case.sentence, case.met.join("; "));
    if let Some(why) = &case.not_here {
        let _ = writeln!(text, "Not decided here: {why}\n\n{}", case.correction);
        return text;
    }
    let _ = writeln!(text, "**{}**{}\n", capital(&told::overall(&hearing.record.overall)), elsewhere(hearing, kernels));
    for tried in &hearing.here.trials {
        trial(&mut text, tried);
    }
    if hearing.here.trials.is_empty() {
        let _ = writeln!(text, "- on {}: {}", hearing.place, told::ruling(&hearing.here.ruling));
    }
    let _ = writeln!(text, "\n{}\n", case.correction);
    for rule in &case.rules {
        let _ = writeln!(text, "- {}: {}. `{}`", rule.id, rule.sentence, rule.kernel);
    }
    text
}

/// What it is on the kernels of the table, where that is not the same.
fn elsewhere(hearing: &Hearing, kernels: &[Kernel]) -> String {
    let groups = told::kernels(hearing, kernels);
    match (groups.is_empty(), &hearing.record.overall) {
        (false, Overall::Depends(_)) => format!(": {}. On {}:", groups.join("; "), hearing.place),
        (false, _) => format!(": {}.", groups.join("; ")),
        (true, Overall::Depends(_)) => format!(". On {}:", hearing.place),
        (true, _) => String::new(),
    }
}

fn trial(text: &mut String, tried: &Tried) {
    let trial = &tried.trial;
    let about = trial.about.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
    let by = named(trial);
    let holds = if tried.holds() { "as predicted" } else { "not as predicted" };
    let _ = writeln!(text, "- {}{by}, {holds}", capital(&about));
    if !trial.in_library {
        for number in 1..=trial.scenario.steps.len() {
            let _ = writeln!(text, "  {number}. `{}`", told::step(trial, number));
        }
    }
    for (number, held) in told::by_step(tried) {
        for held in held {
            let (predicted, came) = told::pairs(trial, held);
            let came = came.map_or("and so it came".to_owned(), |came| format!("came `{came}`"));
            let _ =
                writeln!(text, "  - step {number}, `{}`: predicted `{predicted}`, {came}", told::step(trial, number));
        }
    }
}

/// The article whose sentences have numbers, sentence by sentence.
pub fn article(hearings: &[Hearing], kernels: &[Kernel]) -> String {
    let mut sentences: Vec<&Hearing> = hearings.iter().filter(|hearing| hearing.case.article.is_some()).collect();
    sentences.sort_by_key(|hearing| hearing.case.article);
    let mut text = format!(
        "# An article, sentence by sentence\n\n\
         \"Process Namespaces\" (notes.darshanraul.me) is an introduction as there are many: clear, useful, and wrong in places where it is plausible. Here is all that it says about PID namespaces, in our\n\
         words and in its order, with what a kernel says of it. A test keeps this page fresh; the verdicts are worked out as on [the page of claims](claims.md), where each sentence has its\n\
         scenario in full.\n\n{}.\n",
        told::summary(sentences.iter().copied())
    );
    for (at, hearing) in sentences.iter().enumerate() {
        let case = &hearing.case;
        let _ = writeln!(text, "\n{}. *{}*  ", at + 1, case.sentence);
        let verdict = capital(&told::overall(&hearing.record.overall));
        let groups = told::kernels(hearing, kernels);
        let groups = if groups.is_empty() { String::new() } else { format!(" ({})", groups.join("; ")) };
        let said =
            case.not_here.as_ref().map_or_else(|| case.correction.clone(), |why| format!("{why} {}", case.correction));
        let _ = writeln!(text, "   **{verdict}**{groups}. {said}  ");
        let mut names: Vec<String> = case.trials.iter().map(named).collect();
        names.dedup();
        let decided = if names.is_empty() { String::new() } else { format!("Decided by {}; ", names.join(", ")) };
        let _ = writeln!(text, "   {decided}`pidlab claims {}`.", case.id);
    }
    text
}

/// The scenario of a trial.
fn named(trial: &Trial) -> String {
    match trial.in_library {
        true => format!("`{}`", trial.scenario.name),
        false => "a scenario of its own".to_owned(),
    }
}

/// The same with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
