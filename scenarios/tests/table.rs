//! The table of calls says what the parser takes: the JSON Schema and the documentation stand on it.
#![forbid(unsafe_code)]

use pidlab_scenario::Scenario;
use pidlab_scenario::words::{Argument, CallWords, Kind, calls};

/// Values that an argument of this kind takes, and some that it does not.
fn samples(kind: Kind) -> (Vec<String>, Vec<&'static str>) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match kind {
        Kind::NewProcess => (texts(&["\"b\"", "\"B-2_x\""]), vec!["1", "\"any\"", "\"2b\""]),
        Kind::Process => (texts(&["\"a\"", "\"host\""]), vec!["1", "\"nobody\""]),
        Kind::Target => (texts(&["\"a\"", "0", "-1", "2147483647"]), vec!["\"any\"", "\"own\"", "true", "2147483648"]),
        Kind::WaitPid => (texts(&["\"any\"", "\"a\"", "7"]), vec!["\"own\"", "[1]"]),
        Kind::WaitGroup => (texts(&["\"own\"", "\"a\"", "7"]), vec!["\"any\"", "[1]"]),
        Kind::CloneFlags => {
            (texts(&["[]", "[\"CLONE_NEWPID\", \"CLONE_VM\"]"]), vec!["\"CLONE_VM\"", "[\"CLONE\"]", "[1]"])
        }
        Kind::PidfdFlags(all) => {
            let names: Vec<String> = all.iter_names().map(|(name, _)| format!("[\"{name}\"]")).collect();
            (names, vec!["\"PIDFD_THREAD\"", "[\"PIDFD\"]", "[1]"])
        }
        Kind::NamespaceTypes => {
            (texts(&["[]", "[\"CLONE_NEWPID\", \"CLONE_NEWUSER\"]"]), vec!["\"CLONE_NEWPID\"", "[\"CLONE_VM\"]", "[1]"])
        }
        Kind::WaitOptions => (texts(&["[]", "[\"WNOHANG\", \"WUNTRACED\"]"]), vec!["[\"WEXITED\"]", "\"WNOHANG\""]),
        Kind::WaitidOptions => (texts(&["[]", "[\"WEXITED\", \"WNOWAIT\"]"]), vec!["[\"EXITED\"]", "1"]),
        Kind::Signal => (texts(&["\"SIGTERM\"", "1", "64", "\"SIGRTMIN+2\""]), vec!["0", "65", "\"TERM\""]),
        Kind::SignalOrZero => (texts(&["\"SIGTERM\"", "0", "64"]), vec!["-1", "65", "\"\""]),
        Kind::Signals => {
            (texts(&["[\"SIGTERM\"]", "[1, \"SIGRTMIN\"]"]), vec!["[]", "\"SIGTERM\"", "[0]", "[\"TERM\"]"])
        }
        Kind::Numbers => (texts(&["[1]", "[2, -1]"]), vec!["[]", "1", "[\"1\"]", "[4294967296]"]),
        Kind::Status | Kind::Value => (texts(&["0", "-1", "2147483647"]), vec!["2147483648", "\"0\""]),
        Kind::Number => (texts(&["0", "2147483647"]), vec!["-1", "2147483648", "\"a\""]),
        Kind::Uid => (texts(&["0", "4294967294"]), vec!["-1", "4294967295"]),
        Kind::Flag => (texts(&["true", "false"]), vec!["1", "\"true\""]),
        Kind::Word(words) => (words.iter().map(|word| format!("\"{word}\"")).collect(), vec!["\"\"", "0", "\"word\""]),
    }
}

/// A step with what the call must have, then one argument more.
fn accepts(words: &CallWords, argument: &Argument, value: &str) -> bool {
    let (one_of, needed) = words.one_of.clone().unwrap_or_default();
    let stands_for_the_group = one_of.contains(&argument.name);
    let mut pairs = vec![format!("by = \"a\", call = \"{}\"", words.name), format!("{} = {value}", argument.name)];
    for other in words.arguments.iter().filter(|other| other.name != argument.name) {
        let first_of_group = needed && !stands_for_the_group && one_of.first() == Some(&other.name);
        if other.required || first_of_group {
            pairs.push(format!("{} = {}", other.name, samples(other.kind).0[0]));
        }
    }
    let first = "{ by = \"host\", call = \"fork\", child = \"a\" }";
    let text = format!("title = \"A claim\"\nsteps = [ {first}, {{ {} }} ]", pairs.join(", "));
    Scenario::parse("table", "table.toml", &text).is_ok()
}

#[test]
fn every_argument_takes_the_values_of_its_kind_and_no_others() {
    for words in calls() {
        for argument in &words.arguments {
            let (good, bad) = samples(argument.kind);
            for value in good {
                assert!(accepts(words, argument, &value), "{} with {} = {value}", words.name, argument.name);
            }
            for value in bad {
                assert!(!accepts(words, argument, value), "{} with {} = {value}", words.name, argument.name);
            }
        }
    }
}

#[test]
fn an_argument_that_must_be_there_is_missed() {
    for words in calls() {
        let bare = format!("title = \"A claim\"\nsteps = [ {{ by = \"host\", call = \"{}\" }} ]", words.name);
        let needs = words.arguments.iter().any(|argument| argument.required)
            || words.one_of.as_ref().is_some_and(|(_, must)| *must);
        assert_eq!(Scenario::parse("table", "table.toml", &bare).is_err(), needs, "{}", words.name);
    }
}
