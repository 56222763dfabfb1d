//! A file that is no claim is told where it is wrong, and what would be right.
#![forbid(unsafe_code)]

use pidlab_claims::Case;

const GOOD: &str = r#"sentence = "kill -9 1 ends a container from inside."
met = ["a test"]
rules = ["sig.init-immune-inside"]
correction = "It does nothing."

[[trial]]
scenario = "init-signals/kill-9-1-does-nothing"
predicts = [
  { step = 3, by = "shell", call = "kill", then = { init = { state = "zombie" } } },
]
"#;

const OWN: &str = r#"sentence = "A child of PID 1 is PID 2."
met = ["a test"]
rules = ["alloc.starts-at-1"]
correction = "So it is."

[[trial]]
needs = ["pid-translation"]
steps = [
  { by = "host", call = "clone", child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "fork",  child = "kid" },
]
predicts = [{ step = 2, by = "init", call = "fork", returns = 2 }]
"#;

/// What is put in place of what, where the message points, and words of it.
const MISTAKES: [(&str, &str, &str, &[&str]); 23] = [
    ("sentence = ", "sentense = ", "x.toml:1:1", &["unknown field `sentense`"]),
    ("correction = \"It does nothing.\"", "", "x.toml", &["missing field `correction`"]),
    ("[\"a test\"]", "[]", "x.toml:2:7", &["nobody says it", "name who says so"]),
    ("[\"a test\"]", "\"a test\"", "x.toml:2:7", &["invalid type: string"]),
    ("\"It does nothing.\"", "\" \"", "x.toml:4:14", &["one line that says something"]),
    ("\"It does nothing.\"", "\"It\\u001b[2J does nothing.\"", "x.toml:4:14", &["one line that says something"]),
    ("rules = [\"sig.init-immune-inside\"]\n", "", "x.toml:1:12", &["no rule is named"]),
    ("immune-inside", "immune-insid", "x.toml:3:10", &["no such rule", "did you mean `sig.init-immune-inside`?"]),
    (
        "1-does-nothing",
        "1-does-nothin",
        "x.toml:7:12",
        &["no such scenario", "did you mean `init-signals/kill-9-1-does-nothing`?"],
    ),
    ("scenario = \"init-signals/kill-9-1-does-nothing\"\n", "", "x.toml:6:1", &["a trial is of one scenario"]),
    ("[[trial]]", "[[trial]]\nneeds = [\"pid-translation\"]", "x.toml:7:10", &["`needs` is for steps that stand here"]),
    ("predicts = [", "predict = [", "x.toml:8:1", &["unknown field `predict`"]),
    ("step = 3", "step = 99", "x.toml:9:12", &["`step` is out of range", "from 1 to 7"]),
    ("step = 3, ", "", "x.toml:9:3", &["does not say of which step"]),
    ("step = 3", "step = 4", "x.toml:9:20", &["this is not step 4", "is `by = \"init\", call ="]),
    ("by = \"shell\", ", "", "x.toml:9:3", &["this is not step 3"]),
    ("then = {", "than = {", "x.toml:9:44", &["no claim `than`", "did you mean `then`?"]),
    ("init = {", "innit = {", "x.toml:9:53", &["no process `innit`", "did you mean `init`?"]),
    ("init = { state", "worker = { state", "x.toml:9:53", &["no process `worker`"]),
    ("\"zombie\"", "\"dead\"", "x.toml:9:70", &["no state `dead`"]),
    (", then = { init = { state = \"zombie\" } }", "", "x.toml:9:3", &["the prediction says nothing"]),
    (
        "  { step = 3, by = \"shell\", call = \"kill\", then = { init = { state = \"zombie\" } } },\n",
        "",
        "x.toml:8:12",
        &["nothing is predicted"],
    ),
    ("[[trial]]", "not_here = \"No.\"\n[[trial]]", "x.toml:1:12", &["one thing decides a sentence"]),
];

/// The same of a claim with a scenario of its own.
const OF_ITS_OWN: [(&str, &str, &str, &[&str]); 6] = [
    ("call = \"fork\",  child", "call = \"forc\",  child", "x.toml:10:25", &["no call `forc`", "did you mean `fork`?"]),
    (
        "by = \"init\", call = \"fork\",  child",
        "by = \"initt\", call = \"fork\",  child",
        "x.toml:10:10",
        &["no process `initt`"],
    ),
    ("\"pid-translation\"", "\"pid-translations\"", "x.toml:7:10", &["no such fact"]),
    ("steps = [", "scenario = \"numbers/start-at-one\"\nsteps = [", "x.toml:6:1", &["a trial is of one scenario"]),
    (
        "[[trial]]",
        "[[trial]]\nscenario = \"numbers/start-at-one\"\npredicts = [{ step = 1, by = \"host\", call = \"fork\", returns = 2 }]\n[[trial]]",
        "x.toml",
        &["which of several trials this is"],
    ),
    ("returns = 2", "returns = 2, fails = \"ESRCH\"", "x.toml:12:66", &["not two of them"]),
];

fn told(text: &str) -> String {
    Case::parse("x", "x.toml", text).map_or_else(|wrong| wrong.to_string(), |case| format!("{case:?}"))
}

#[test]
fn each_mistake_has_its_place_and_a_way_out() {
    for text in [GOOD, OWN] {
        assert!(Case::parse("x", "x.toml", text).is_ok(), "{}", told(text));
    }
    let all = MISTAKES.iter().map(|mistake| (GOOD, mistake)).chain(OF_ITS_OWN.iter().map(|mistake| (OWN, mistake)));
    let mut wrong = Vec::new();
    for (text, (from, to, place, words)) in all {
        assert!(text.contains(from), "{from}");
        let told = told(&text.replacen(from, to, 1));
        if !told.starts_with("error: ") || !told.contains(place) || !words.iter().all(|word| told.contains(word)) {
            wrong.push(format!("{to}: not {place} {words:?}:\n{told}"));
        }
        assert!(!told.contains('\u{1b}'), "what acts on a terminal is passed on");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_no_claim_at_all_is_told_so() {
    for text in ["", "\u{feff}", "sentence", "[[", "sentence = 3", "x = 1\nx = 2", "[[trial]]\n[[trial]]"] {
        assert!(told(text).starts_with("error: "), "{text}: {}", told(text));
    }
    let large = format!("{GOOD}#{}", "x".repeat(2_000_000));
    assert!(told(&large).contains("larger than"), "{}", told(&large));
}

/// However a file is cut off, it is a claim or it is told what is wrong; nothing breaks.
#[test]
fn half_a_file_breaks_nothing() {
    for text in [GOOD, OWN] {
        for end in 0..text.len() {
            let told = told(&text[..end]);
            assert!(told.starts_with("error: ") || told.starts_with("Case"), "{told}");
        }
    }
}
