//! The lines of `fleets/` that call this program are calls that it understands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::Arguments;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, found),
            path => found.push(path),
        }
    }
}

/// The calls in a line of a shell script, or of YAML that holds one: each from the program's name to what ends a command.
fn calls(line: &str) -> Vec<Vec<String>> {
    let line = without_variables(line);
    let starts = line.match_indices("pidlab ").filter(|(at, _)| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(|c| c == ' ' || c == '`')
    });
    let command = |(at, _): (usize, &str)| {
        let end = line[at..].find(['|', ';', '&', '>', '#', '`']).map_or(line.len(), |end| at + end);
        line[at..end].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    starts.map(command).filter(|words| words.len() > 1 && is_command(&words[1])).collect()
}

/// What a shell or a CI system puts in at these places is a number, or nothing.
fn without_variables(line: &str) -> String {
    let mut line = line.replace("\"$pidlab\"", "pidlab").replace("\"$@\"", "").replace('"', "");
    line = line.replace("${{ matrix.kernel }}", "uml-6.1");
    for (start, end) in [("${{", "}}"), ("$((", "))")] {
        while let Some(at) = line.find(start) {
            let close = line[at..].find(end).expect("what opens is closed") + at + end.len();
            line.replace_range(at..close, "1");
        }
    }
    while let Some(at) = line.find('$') {
        let rest = &line[at + 1..];
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_{}".contains(c)).unwrap_or(rest.len());
        line.replace_range(at..at + 1 + name, "1");
    }
    line
}

/// Prose has the program's name in it, too; a command's first word is one of ours, or it is spelt wrong in a line that looks like a call.
fn is_command(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase()) && !["in", "on", "to", "and", "ends", "says"].contains(&word)
}

#[test]
fn every_line_of_the_fleets_is_a_call_that_is_understood() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fleets"), &mut found);
    let (mut count, mut shards, mut merges) = (0, 0, 0);
    // What is written about them is prose.
    for path in found.into_iter().filter(|path| path.extension().is_none_or(|end| end != "md")) {
        let text = fs::read_to_string(&path).expect("it is text");
        for call in text.lines().flat_map(calls) {
            let parsed = Arguments::try_parse_from(&call);
            assert!(parsed.is_ok(), "{}: {call:?}: {}", path.display(), parsed.err().expect("it is wrong"));
            count += 1;
            shards += usize::from(call.contains(&"--shard".to_owned()));
            merges += usize::from(call[1] == "merge");
        }
    }
    assert!(count >= 10 && shards >= 3 && merges >= 3, "{count} calls, {shards} with --shard, {merges} of merge");
}

#[test]
fn what_is_no_call_is_told() {
    for (line, understood) in [
        ("    - run: pidlab check --kernel ${{ matrix.kernel }} --format junit > library.xml", true),
        ("pidlab fuzz --seed 1 --shard $((INDEX + 1))/8", true),
        ("pidlab fuzz --shard 9/8 --seed 1", false),
        ("pidlab chek", false),
        ("pidlab check --formt json", false),
    ] {
        let [call] = &calls(line)[..] else { panic!("{line}") };
        assert_eq!(Arguments::try_parse_from(call).is_ok(), understood, "{line}");
    }
}
