//! Asks every duty of many programs, and writes a page about it: `table LIST [BOUND]`, where each line of LIST is a name, a version, a profile and
//! the command's words, with tabs in between, and a duty is given up after so many seconds, 60 if it is not said.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use pidlab_certify::{AskError, DUTIES, Profile, Report, Subject, Verdict};

fn main() -> ExitCode {
    if let Some(code) = pidlab_certify::enter_if_part() {
        return code;
    }
    let list = env::args().nth(1).ok_or_else(|| "which list?".to_owned());
    let bound = env::args().nth(2).map_or(Ok(60), |bound| bound.parse().map_err(|error| format!("{bound}: {error}")));
    match list.and_then(|list| page(&list, Duration::from_secs(bound?))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// One line of the list.
struct Row<'a> {
    name: &'a str,
    version: &'a str,
    profile: Profile,
    words: Vec<&'a str>,
}

impl Row<'_> {
    fn read(line: &str) -> Option<Row<'_>> {
        let mut fields = line.split('\t');
        let (name, version) = (fields.next()?, fields.next()?);
        let profile = match fields.next()? {
            "container" => Profile::Container,
            "supervisor" => Profile::Supervisor,
            _ => Profile::Pause,
        };
        Some(Row { name, version, profile, words: fields.collect() })
    }

    fn ask(&self, bound: Duration) -> Result<BTreeMap<String, Report>, AskError> {
        let subject = Subject::new(self.words.iter().copied()).with_bound(bound);
        subject.duties(self.profile).map(|duty| Ok((duty.name.to_owned(), subject.ask(duty)?))).collect()
    }
}

fn page(list: &str, bound: Duration) -> Result<(), String> {
    let text = fs::read_to_string(list).map_err(|error| format!("{list}: {error}"))?;
    println!(
        "| PID 1 | version | as | done | not done | TERM is heard by | at the command's end the others get | without being PID 1 | ends by | wakes |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for row in text.lines().filter_map(Row::read) {
        let reports = row.ask(bound).map_err(|error| format!("{}: {error}", row.name))?;
        let count = |verdict: Verdict| reports.values().filter(|report| report.verdict == verdict).count();
        // In the order of the table of duties.
        let named = |verdict: Verdict| {
            let such = DUTIES.iter().filter(|duty| reports.get(duty.name).is_some_and(|it| it.verdict == verdict));
            such.map(|duty| duty.name).collect::<Vec<_>>().join(", ")
        };
        let told = |duty: &str| reports.get(duty).filter(|it| it.verdict == Verdict::Told).map_or("", |it| &*it.seen);
        let mut missing = named(Verdict::Fails);
        for (verdict, word) in [(Verdict::NotDecided, "not decided"), (Verdict::NotAsked, "not asked")] {
            let names = named(verdict);
            if !names.is_empty() {
                missing += &format!("; {word}: {names}");
            }
        }
        let all = reports.len() - count(Verdict::Told);
        println!(
            "| {} | {} | {} | {} of {all} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.version,
            word(row.profile),
            count(Verdict::Holds),
            missing.trim_start_matches("; "),
            told("who-hears"),
            told("told-at-the-end"),
            told("adopts"),
            told("enders"),
            told("idle").trim_end_matches(" by the clock"),
        );
    }
    println!("\n```sh");
    for row in text.lines().filter_map(Row::read) {
        let quoted: Vec<String> = row.words.iter().map(|word| quoted(word)).collect();
        println!("pidlab init --profile {} -- {}", word(row.profile), quoted.join(" "));
    }
    println!("```");
    Ok(())
}

fn word(profile: Profile) -> &'static str {
    match profile {
        Profile::Container => "container",
        Profile::Supervisor => "supervisor",
        _ => "pause",
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./{}=:".contains(letter);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
