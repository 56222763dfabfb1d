//! The command line as a user meets it: exit codes, messages, and both formats. The kernel side has its own tests.

mod tool;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use pidlab::sim::Misconception;
use tool::{Folder, GOOD, ended, pidlab};

#[test]
fn the_library_is_inside_the_program() {
    let folder = Folder::new("library");
    let output = pidlab(&folder.0, &["check", "--on", "model", "--quiet"]);
    assert_eq!(output.code, Some(0), "{}{}", output.out, output.err);
    assert!(output.out.contains(", DIFFERS 0, CLAIM FAILED 0, NOT DECIDED 0, SKIPPED 0,"), "{}", output.out);
}

#[test]
fn explain_without_a_word_lists_all_that_it_can_explain() {
    let folder = Folder::new("index");
    let output = pidlab(&folder.0, &["explain"]);
    assert_eq!(output.code, Some(0));
    for word in ["clone,", "zombie", "returned", "CLONE_NEWPID", "ESRCH", "pid_max-per-namespace"] {
        assert!(output.out.contains(word), "{word}: {}", output.out);
    }
    let json = pidlab(&folder.0, &["explain", "--format", "json"]);
    assert!(json.out.lines().count() > 100, "{}", json.out);
    assert_eq!(pidlab(&folder.0, &["explain", "claims"]).code, Some(0), "more than one of a thing is that thing");
}

#[test]
fn bad_input_ends_with_2_and_says_where() {
    let folder = Folder::new("bad");
    folder.file("typo.toml", GOOD.replace("\"getppid\"", "\"getpid\", pid = 3"));
    let output = pidlab(&folder.0, &["check", "typo.toml"]);
    assert_eq!(output.code, Some(2));
    assert!(output.out.contains("typo.toml:8:"), "{}", output.out);
    for arguments in
        [&["check", "nowhere.toml"][..], &["run"], &["frobnicate"], &["check", "--jobs", "0"], &["run", "."]]
    {
        let output = pidlab(&folder.0.join("."), arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}: {}", output.err);
        assert!(!output.err.is_empty(), "{arguments:?} says nothing");
    }
}

#[test]
fn a_step_for_a_dead_process_is_a_mistake_with_its_line() {
    let folder = Folder::new("dead");
    let dead = GOOD.replace("{ by = \"leaf\", call = \"getppid\"", "{ by = \"mid\", call = \"getppid\"");
    folder.file("dead.toml", &dead);
    let output = pidlab(&folder.0, &["run", "--on", "model", "dead.toml"]);
    assert_eq!(output.code, Some(2));
    assert!(output.err.contains("dead.toml:8:"), "{}", output.err);
    assert!(output.err.contains("mid"), "{}", output.err);
}

#[test]
fn json_lines_are_a_header_then_one_line_a_step() {
    let folder = Folder::new("json");
    folder.file("orphan.toml", GOOD);
    let output = pidlab(&folder.0, &["run", "--on", "model", "--format", "json", "orphan.toml"]);
    assert_eq!(output.code, Some(0));
    let lines: Vec<serde_json::Value> =
        output.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert_eq!(lines.len(), 1 + 6);
    assert_eq!(lines[0]["on"], "model");
    assert_eq!(lines[0]["kernel"], serde_json::Value::Null);
    assert_eq!(lines[1]["step"], 0);
    assert!(lines[1].get("by").is_none());
    let exit = &lines[5];
    assert_eq!(exit["step"], 4);
    assert_eq!(exit["by"], "mid");
    assert_eq!(exit["call"], "exit");
    assert_eq!(exit["result"], serde_json::json!({"none": true}));
    let expected = serde_json::json!([
        {"name":"host","state":"running","pids":[1],"namespaces":[0],"parent":null,"ppid":0,"pgid":1,"sid":1},
        {"name":"init","state":"running","pids":[2,1],"namespaces":[0,1],"parent":"host","ppid":0,"pgid":0,"sid":0},
        {"name":"mid","state":"zombie","pids":[3,2],"namespaces":[0,1],"parent":"init","ppid":1,"pgid":0,"sid":0},
        {"name":"leaf","state":"running","pids":[4,3],"namespaces":[0,1],"parent":"init","ppid":1,"pgid":0,"sid":0},
    ]);
    assert_eq!(exit["processes"], expected);
    let because = exit["because"].as_array().expect("the model gives reasons");
    assert!(because.contains(&serde_json::json!({"rule":"reap.ns-is-fathers","about":"leaf"})), "{because:?}");
    assert_eq!(lines[6]["result"], serde_json::json!({"ok": 1}));
}

#[test]
fn explain_tells_a_rule_and_suggests_the_nearest_for_a_typo() {
    let folder = Folder::new("explain");
    let output = pidlab(&folder.0, &["explain", "reap.ns-is-fathers"]);
    assert_eq!(output.code, Some(0));
    let text = output.out;
    assert!(text.starts_with("reap.ns-is-fathers\n"), "{text}");
    assert!(text.contains("kernel "), "{text}");
    assert!(text.contains("shown by orphans/"), "{text}");
    let output = pidlab(&folder.0, &["explain", "reap.ns-is-fahters"]);
    assert_eq!(output.code, Some(2));
    assert!(output.err.contains("did you mean `reap.ns-is-fathers`?"), "{}", output.err);
}

#[test]
fn rules_lists_the_whole_catalogue_in_both_formats() {
    let folder = Folder::new("rules-list");
    let text = pidlab(&folder.0, &["rules"]).out;
    let json = pidlab(&folder.0, &["rules", "--format", "json"]).out;
    assert_eq!(json.lines().count(), pidlab::sim::rule::CATALOGUE.len());
    for (rule, line) in pidlab::sim::rule::CATALOGUE.iter().zip(json.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(line["id"], rule.id);
        assert!(text.contains(rule.id), "{} is missing", rule.id);
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "a line is wider than 80 columns");
}

#[test]
fn fuzz_on_the_model_is_the_same_for_the_same_seed() {
    let folder = Folder::new("fuzz");
    let arguments = ["fuzz", "--on", "model", "--seed", "5", "--steps", "500"];
    let first = pidlab(&folder.0, &arguments);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.starts_with("seed 5: "), "{}", first.out);
    assert!(first.out.ends_with("differences 0, not decided 0\n"), "{}", first.out);
    assert_eq!(first.out, pidlab(&folder.0, &arguments).out);
}

#[test]
fn coverage_counts_what_decides_and_what_describes_apart() {
    let folder = Folder::new("coverage");
    let arguments = ["rules", "--coverage", "--on", "model", "--steps", "1000"];
    let text = pidlab(&folder.0, &arguments).out;
    let rules = pidlab::sim::rule::CATALOGUE;
    let describes = rules.iter().filter(|rule| rule.kind == pidlab::sim::rule::Kind::Describes).count();
    let decides = rules.len() - describes;
    assert!(text.contains(&format!("rules that decide {decides}: shown by scenarios {decides},")), "{text}");
    assert!(text.contains(&format!("rules that describe what others decide {describes}: shown")), "{text}");
    let json = pidlab(&folder.0, &[&arguments[..], &["--format", "json"]].concat()).out;
    for (rule, line) in rules.iter().zip(json.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(line["id"], rule.id);
        let kind = if rule.kind == pidlab::sim::rule::Kind::Decides { "decides" } else { "describes" };
        assert_eq!(line["kind"], kind);
    }
    assert_eq!(json.lines().count(), rules.len());
}

#[test]
fn list_names_what_show_prints() {
    let folder = Folder::new("list");
    let text = pidlab(&folder.0, &["list"]).out;
    let json = pidlab(&folder.0, &["list", "--format", "json"]).out;
    let files: Vec<_> = pidlab::scenario::library::files().collect();
    assert_eq!(json.lines().count(), files.len());
    for (file, line) in files.iter().zip(json.lines()) {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert_eq!(line["name"], file.name);
        assert!(text.lines().any(|line| line == file.name), "{} is missing", file.name);
    }
    let one = pidlab(&folder.0, &["show", "orphans/adopted-by-own-init"]);
    let file = files.iter().find(|file| file.name == "orphans/adopted-by-own-init").expect("it is in the library");
    assert_eq!((one.code, &one.out[..]), (Some(0), file.text));
    let program = pidlab(&folder.0, &["show", "--c", "orphans/adopted-by-own-init"]);
    assert_eq!(program.code, Some(0), "{}", program.err);
    assert!(program.out.starts_with("/* ") && program.out.contains("int main("), "{}", program.out);
    let none = pidlab(&folder.0, &["show", "--c", "views/a-procfs-of-their-own"]);
    assert_eq!((none.code, &none.out[..]), (Some(2), ""));
    assert!(none.err.contains("has no C form here"), "{}", none.err);
    let chapter = pidlab(&folder.0, &["list", "orphans"]).out;
    let in_chapter = files.iter().filter(|file| file.name.starts_with("orphans/")).count();
    assert_eq!(chapter.lines().filter(|line| line.starts_with("orphans/")).count(), in_chapter);
    assert!(!chapter.contains("zombies/"), "{chapter}");
}

#[test]
fn a_name_that_is_not_in_the_library_is_bad_usage_with_a_suggestion() {
    let folder = Folder::new("no-name");
    for (arguments, help) in [
        (["list", "orphan"], "did you mean the chapter `orphans`?"),
        (["show", "orphans/adopted-by-own-ini"], "did you mean the scenario `orphans/adopted-by-own-init`?"),
        (["show", "orphans"], "`orphans` is "),
        (["list", "frobnicate"], "the chapters are creation, "),
    ] {
        let output = pidlab(&folder.0, &arguments);
        assert_eq!(output.code, Some(2), "{arguments:?}");
        assert!(output.err.contains(help), "{arguments:?}: {}", output.err);
    }
}

#[test]
fn a_new_scenario_is_a_true_claim_and_overwrites_nothing() {
    let folder = Folder::new("new");
    assert_eq!(pidlab(&folder.0, &["new", "mine.toml"]).code, Some(0));
    let output = pidlab(&folder.0, &["check", "--on", "model", "mine.toml"]);
    assert_eq!(output.code, Some(0), "{}{}", output.out, output.err);
    let text = fs::read_to_string(folder.0.join("mine.toml")).expect("it was written");
    assert!(text.starts_with("#:schema scenario.schema.json\n"), "{text}");
    assert_eq!(text, include_str!("mine.toml"), "the README's example has another one");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    folder.file("mine.toml", "mine");
    let again = pidlab(&folder.0, &["new", "mine.toml"]);
    assert_eq!(again.code, Some(2), "{}", again.out);
    assert!(again.err.contains("mine.toml: it is there already"), "{}", again.err);
    assert_eq!(fs::read_to_string(folder.0.join("mine.toml")).expect("it is there"), "mine");
    let schema = pidlab(&folder.0, &["show", "--schema"]).out;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    assert_eq!(schema, pidlab::scenario::schema::schema());
}

#[test]
fn explain_knows_calls_words_facts_flags_and_errors() {
    let folder = Folder::new("explain-all");
    for (words, parts) in [
        (&["clone"][..], &["clone (call)", "CLONE_NEWPID: ", "EEXIST", "clone.newpid-init"][..]),
        (&["zombie"], &["zombie (state)", "exit.zombie-is-addressable"]),
        (&["Process", "Group"], &["process group (word)", "setpgid"]),
        (&["ppid"], &["ppid (column)"]),
        (&["zap"], &["namespace teardown (word)", "zap.kills-all"]),
        (&["pid-translation"], &["pid-translation (fact)", "[view.nsio-none]", "versions/no-translation"]),
        (&["wnohang"], &["WNOHANG (argument)", "options of wait, options of waitid"]),
        (&["ECHILD"], &["ECHILD (error)", "waitid "]),
        (&["reap."], &["reap.ns-is-fathers (rule)", "reap.subreaper (rule)"]),
        (&["orph"], &["orphan (word)", "adopted at once"]),
    ] {
        let output = pidlab(&folder.0, &[&["explain"], words].concat());
        assert_eq!(output.code, Some(0), "{words:?}: {}", output.err);
        for part in parts {
            assert!(output.out.contains(part), "{words:?} does not say {part}:\n{}", output.out);
        }
    }
    let typo = pidlab(&folder.0, &["explain", "zombi3"]);
    assert_eq!(typo.code, Some(2));
    assert!(typo.err.contains("did you mean `zombie`?"), "{}", typo.err);
    let json = pidlab(&folder.0, &["explain", "kill", "--format", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(json.lines().next().unwrap_or_default()).expect("it is JSON");
    assert_eq!(
        (&json["topic"], &json["name"], &json["arguments"][1]["name"]),
        (&"call".into(), &"kill".into(), &"group".into())
    );
    assert!(json["errors"]["ESRCH"].is_string() && json["rules"].is_array(), "{json}");
}

/// What is said, what is so, the rule, and a scenario that the believer fails and the model does not.
#[test]
fn explain_knows_misconceptions_and_what_refutes_each() {
    let folder = Folder::new("explain-beliefs");
    for belief in Misconception::ALL {
        let output = pidlab(&folder.0, &["explain", belief.word()]);
        assert_eq!(output.code, Some(0), "{}: {}", belief.word(), output.err);
        assert!(output.out.lines().all(|line| line.chars().count() <= 80), "{}", output.out);
        let text = output.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let head = format!("{} (misconception) \"{}.\" {}.", belief.word(), belief.claim(), belief.truth());
        assert!(text.starts_with(&head), "{text}");
        for part in [&format!("[{}]", belief.rule().id), "refuted by ", &format!("--misconception {}", belief.word())] {
            assert!(text.contains(part), "no {part}: {text}");
        }
    }
    let near = pidlab(&folder.0, &["explain", "kill-removes-zombie5"]).err;
    assert!(near.contains("did you mean `kill-removes-zombies`?"), "{near}");
    // More of a thing is still the thing, though a misconception begins so.
    let orphans = pidlab(&folder.0, &["explain", "orphans"]).out;
    assert!(
        orphans.starts_with("orphan (") && orphans.contains("other words that begin so: orphans-go-to-grandparent"),
        "{orphans}"
    );
    let json = pidlab(&folder.0, &["explain", "the-dead-are-gone", "--format", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let belief = Misconception::TheDeadAreGone;
    assert_eq!(
        (&json["topic"], &json["claim"], &json["truth"], &json["rule"]),
        (&"misconception".into(), &belief.claim().into(), &belief.truth().into(), &belief.rule().id.into())
    );
    let scenario = json["refuted_by"]["scenario"].as_str().expect("a scenario refutes it");
    let check = |more: &[&str]| pidlab(&folder.0, &[&["check", "--on", "model", scenario], more].concat()).code;
    assert_eq!((check(&[]), check(&["--misconception", belief.word()])), (Some(0), Some(1)), "{scenario}");
}

/// Each call, word and fact is explained, and nothing that is told is wider than a page, but a row of a scenario.
#[test]
fn everything_can_be_explained() {
    let folder = Folder::new("explain-each");
    let calls = pidlab::scenario::words::calls().iter().map(|call| call.name);
    let words = pidlab::glossary::ENTRIES.iter().map(|entry| entry.word);
    let facts = pidlab::scenario::Fact::ALL.iter().map(|fact| fact.word());
    for name in words.chain(facts).chain(calls.take(3)) {
        let output = pidlab(&folder.0, &["explain", name]);
        assert_eq!(output.code, Some(0), "{name}: {}", output.err);
        let text = output.out;
        assert!(text.to_lowercase().contains(&format!("{} (", name.to_lowercase())), "{name}: {text}");
        let wide = text.lines().find(|line| line.chars().count() > 80 && !line.trim_start().starts_with('{'));
        assert_eq!(wide, None, "{name}");
    }
}

#[test]
fn a_found_difference_says_how_to_see_it_again() {
    let folder = Folder::new("found");
    // A seed whose difference has a C form: not every call has one.
    let arguments = ["fuzz", "--misconception", "init-dies-from-inside", "--seed", "1"];
    let output = pidlab(&folder.0, &[&arguments[..], &["--format", "json"]].concat());
    if output.code == Some(4) {
        assert!(output.err.contains("remedy: "), "{}", output.err);
        return;
    }
    assert_eq!(output.code, Some(1), "{}", output.err);
    let first = output.out;
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap_or_default()).expect("it is JSON");
    let difference = &first["difference"];
    assert!(difference["report"].as_str().is_some_and(|report| report.contains("sig.")), "{difference}");
    assert!(difference["program"].as_str().is_some_and(|program| program.contains("int main(")), "{difference}");
    let replay = difference["replay"].as_str().expect("a line to type");
    assert!(replay.contains(" --seed 1 ") && replay.contains("--misconception init-dies-from-inside"), "{replay}");
    let found = folder.0.join("found.toml");
    let text = pidlab(&folder.0, &[&arguments[..], &["--save", "found.toml"]].concat()).out;
    assert!(text.lines().any(|line| line.starts_with("replay: ") && line.ends_with("found.toml   # seed 1")), "{text}");
    assert!(found.exists());
    assert!(text.lines().any(|line| line.starts_with("without pidlab: pidlab show --c FILE")), "{text}");
    assert_eq!(pidlab(&folder.0, &["show", "--c", "found.toml"]).out.lines().next(), Some("/* A random scenario"));
    let again = pidlab(&folder.0, &["run", "--misconception", "init-dies-from-inside", "found.toml"]);
    assert_eq!(again.code, Some(1), "{}", again.out);
}

/// What is found is kept, each once, and runs first the next time, until it is mended.
#[test]
fn a_corpus_keeps_what_was_found_and_asks_it_first() {
    let folder = Folder::new("corpus");
    let arguments = ["fuzz", "--misconception", "init-dies-from-inside", "--seed", "2", "--corpus", "found"];
    let going = pidlab(&folder.0, &[&arguments[..], &["--steps", "3000", "--keep-going", "--format", "json"]].concat());
    if going.code == Some(4) {
        assert!(going.err.contains("remedy: "), "{}", going.err);
        return;
    }
    assert_eq!(going.code, Some(1), "{}", going.err);
    let lines: Vec<serde_json::Value> =
        going.out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let (summary, found) = lines.split_last().expect("there is a summary");
    assert!(found.len() > 1, "{}", going.out);
    assert_eq!(summary["summary"]["differences"], found.len());
    let files: BTreeSet<&str> = found.iter().filter_map(|one| one["difference"]["file"].as_str()).collect();
    assert_eq!(files.len(), found.len());
    for file in &files {
        let run = pidlab(&folder.0, &["run", "--own-memory", "--misconception", "init-dies-from-inside", file]);
        assert_eq!(run.code, Some(1), "{file}: {}", run.out);
    }

    let again = pidlab(&folder.0, &[&arguments[..], &["--steps", "1", "--keep-going"]].concat());
    assert_eq!(again.code, Some(1), "{}", again.err);
    let told = again.out.lines().filter(|line| line.contains(", of the corpus, found")).count();
    assert_eq!(told, files.len(), "{}", again.out);
    assert!(!again.out.contains("shrank to the same steps"), "each ran twice, and is one: {}", again.out);
    assert!(
        !again.out.contains("--own-memory"),
        "each differed at once, among processes that share theirs: {}",
        again.out
    );
    assert_eq!(fs::read_dir(folder.0.join("found")).expect("it is there").count(), files.len());
    assert!(again.out.lines().any(|line| line == format!("of the corpus {}, which come first", files.len())));

    let mended = pidlab(&folder.0, &["fuzz", "--seed", "2", "--steps", "1", "--corpus", "found"]);
    assert_eq!(mended.code, Some(0), "{}{}", mended.out, mended.err);
    folder.file("found/none.toml", "title = 3");
    let bad = pidlab(&folder.0, &["fuzz", "--on", "model", "--steps", "1", "--corpus", "found"]);
    assert_eq!((bad.code, bad.err.contains("none.toml:1:")), (Some(2), true), "{}", bad.err);
    let none = pidlab(&folder.0, &["fuzz", "--on", "model", "--steps", "1", "--corpus", "found/none.toml/x"]);
    assert_eq!((none.code, none.err.is_empty()), (Some(2), false));
}

#[test]
fn fuzz_counts_in_json_too() {
    let folder = Folder::new("fuzz-json");
    let arguments = ["fuzz", "--on", "model", "--seed", "9", "--steps", "300", "--format", "json", "--rules"];
    let output = pidlab(&folder.0, &arguments);
    assert_eq!(output.code, Some(0), "{}", output.err);
    let line: serde_json::Value = serde_json::from_str(&output.out).expect("one JSON object");
    let summary = &line["summary"];
    assert_eq!((&summary["seed"], &summary["differences"]), (&9.into(), &0.into()));
    assert!(summary["steps"].as_u64() >= Some(300), "{summary}");
    let fired = summary["fired"].as_object().expect("each rule has its count");
    assert_eq!(fired.len(), pidlab::sim::rule::CATALOGUE.len());
    assert_eq!(fired.values().filter(|count| count.as_u64() > Some(0)).count() as u64, summary["rules_fired"]);
}

#[test]
fn fuzz_lists_the_rules_only_when_asked_and_ends_in_time() {
    let folder = Folder::new("fuzz-rules");
    let arguments = ["fuzz", "--on", "model", "--seed", "5", "--steps", "500"];
    let short = pidlab(&folder.0, &arguments).out;
    let long = pidlab(&folder.0, &[&arguments[..], &["--rules"]].concat()).out;
    assert!(!short.contains("rules not fired") && long.contains("rules not fired"), "{short}\n{long}");
    // A second is over before so many steps are.
    let output = pidlab(&folder.0, &["fuzz", "--on", "model", "--time", "1", "--steps", "1000000000"]);
    assert_eq!(output.code, Some(0), "{}", output.err);
}

#[test]
fn the_old_name_of_a_misconception_is_understood_and_hidden() {
    let folder = Folder::new("misconception");
    let told = |option: &str| {
        let refuted = "death/dying-and-still-adopting";
        let output = pidlab(&folder.0, &["check", "--on", "model", option, "orphans-go-to-grandparent", refuted]);
        (output.code, output.out)
    };
    assert_eq!(told("--misconception").0, Some(1));
    assert_eq!(told("--misconception"), told("--believe"));
    assert!(!pidlab(&folder.0, &["check", "--help"]).out.contains("--believe"));
}

#[test]
fn a_shell_takes_the_completions() {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = pidlab(&folder.0, &["completions", shell]).out;
        for command in ["explain", "facts", "completions"] {
            assert!(script.contains(command), "{shell} does not complete {command}");
        }
        let path = folder.file(shell, &script);
        // Only a shell that is here can say more.
        if let Ok(parsed) = Command::new(shell).arg("-n").arg(&path).output() {
            let parsed = ended(parsed);
            assert_eq!(parsed.code, Some(0), "{shell}: {}", parsed.err);
        }
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = Folder::new("man");
    assert_eq!(pidlab(&folder.0, &["man", "."]).code, Some(0));
    let own = fs::read_to_string(folder.0.join("pidlab.1")).expect("the page of pidlab itself is there");
    assert_eq!(own, pidlab(&folder.0, &["man"]).out);
    let commands = "check run list show new explain rules facts fuzz explore kernels matrix hearsay why judge record merge completions man";
    for command in commands.split(' ') {
        let path = folder.0.join(format!("pidlab-{command}.1"));
        let page = fs::read_to_string(&path).expect("each command has a page");
        assert!(page.contains(".SH SYNOPSIS"), "{command}: {page}");
        // groff is not everywhere; where it is, it has nothing to say.
        if let Ok(set) = Command::new("groff").args(["-man", "-ww", "-z"]).arg(&path).output() {
            let set = ended(set);
            assert!(set.code == Some(0) && set.err.is_empty(), "{command}: {}", set.err);
        }
    }
    assert_eq!(pidlab(&folder.0, &["man", "nowhere"]).code, Some(2));
}

#[test]
fn facts_are_told_or_the_reason_why_not() {
    let folder = Folder::new("facts");
    let output = pidlab(&folder.0, &["facts", "--format", "json"]);
    if output.code == Some(4) {
        assert!(output.err.contains("remedy: "), "{}", output.err);
        return;
    }
    assert_eq!(output.code, Some(0), "{}", output.err);
    let lines: Vec<serde_json::Value> =
        output.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(lines[0]["kernel"].is_string(), "{}", lines[0]);
    assert!(["procfs", "bpf"].map(|way| lines[0]["look"] == way).contains(&true), "{}", lines[0]);
    let facts = pidlab::scenario::Fact::ALL;
    assert_eq!(lines.len(), 1 + facts.len() + 2);
    for (fact, line) in facts.iter().zip(&lines[1..]) {
        assert_eq!(line["fact"], fact.word());
        assert!(line["holds"].is_boolean() && line["meaning"] == fact.meaning(), "{line}");
    }
    let text = pidlab(&folder.0, &["facts"]).out;
    assert!(facts.iter().all(|fact| text.contains(fact.word())), "{text}");
}
