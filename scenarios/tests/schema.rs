//! The committed JSON Schema is the one that the table of calls makes, and validators find with it what is wrong.
#![forbid(unsafe_code)]

use std::fs;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/scenario.schema.json");

/// With `PIDLAB_WRITE=1` the file is written in place of compared.
#[test]
fn the_schema_is_fresh() {
    let made = serde_json::to_string_pretty(&pidlab_scenario::schema::schema()).expect("a schema is JSON") + "\n";
    if std::env::var_os("PIDLAB_WRITE").is_some() {
        fs::write(PATH, &made).expect("the source tree is writable when it is asked to be written");
    }
    let committed = fs::read_to_string(PATH).expect("the schema is committed");
    assert!(committed == made, "the committed schema is old: run this test once with PIDLAB_WRITE=1");
}

/// What two validators of others say of a file, each error by the place that it is about.
fn said(file: &str) -> [Vec<(String, String)>; 2] {
    let text = fs::read_to_string(format!("{}/tests/bad/{file}.toml", env!("CARGO_MANIFEST_DIR")))
        .expect("a file of the tests");
    let value: serde_json::Value = toml::from_str(&text).expect("it is TOML");
    let schema = pidlab_scenario::schema::schema();
    let one = jsonschema::validator_for(&schema).expect("the schema is one");
    let first = one.iter_errors(&value).map(|error| (error.instance_path().to_string(), error.to_string())).collect();
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("scenario.json", schema).expect("the schema is one");
    let index = compiler.compile("scenario.json", &mut schemas).expect("the schema is one");
    let mut second = Vec::new();
    if let Err(error) = schemas.validate(&value, index) {
        leaves(&error, &mut second);
    }
    [first, second]
}

fn leaves(error: &boon::ValidationError<'_, '_>, into: &mut Vec<(String, String)>) {
    if error.causes.is_empty() {
        into.push((error.instance_location.to_string(), error.kind.to_string()));
    }
    error.causes.iter().for_each(|cause| leaves(cause, into));
}

/// Mistakes, by the file that has one: what an editor underlines, and words of what it says there.
const MISTAKES: [(&str, &str, [&str; 2]); 26] = [
    ("argument-of-another-call", "/steps/0", ["'pid' was unexpected", "'pid' not allowed"]),
    ("blocks-false", "/steps/1/blocks", ["true was expected", "must be true"]),
    ("call-is-a-number", "/steps/0/call", ["57 is not one of", "'fork'"]),
    ("child-called-any", "/steps/0/child", ["not allowed for \"any\"", "not failed"]),
    ("clone-flags-of-numbers", "/steps/0/flags/0", ["not one of \"CLONE_VM\"", "'CLONE_NEWPID'"]),
    ("exit-that-returns", "/steps/0", ["'returns' was unexpected", "'returns' not allowed"]),
    ("fails-and-returns", "/steps/0/fails", ["alse schema", "false schema"]),
    ("flag-without-its-prefix", "/steps/0/flags/0", ["\"NEWPID\" is not one of", "'CLONE_NEWPID'"]),
    ("flags-is-a-text", "/steps/0/flags", ["not of type \"array\"", "want array"]),
    ("kill-nobody", "/steps/1", ["anyOf", "missing properties 'pid'"]),
    ("kill-two-targets", "/steps/1/group", ["alse schema", "false schema"]),
    ("malformed-name", "/steps/0/child", ["\"my child\"", "'my child'"]),
    ("no-call", "/steps/0", ["\"call\" is a required", "missing properties 'call'"]),
    ("no-child", "/steps/0", ["\"child\" is a required", "missing properties 'child'"]),
    ("no-title", "", ["\"title\" is a required", "missing properties 'title'"]),
    ("pid-out-of-range", "/steps/1/pid", ["3000000000", "2147483647"]),
    ("set-tid-empty", "/steps/0/set_tid", ["less than 1 item", "minimum 1 items"]),
    ("signal-out-of-range", "/steps/1/signal", ["65", "<=64"]),
    ("status-in-quotes", "/steps/0/status", ["not of type \"integer\"", "want integer"]),
    ("step-is-a-text", "/steps/0", ["not of type \"object\"", "want object"]),
    ("unknown-call", "/steps/0/call", ["\"forkk\" is not one of \"fork\"", "'fork'"]),
    ("unknown-errno", "/steps/0/fails", ["\"ECHLID\"", "'ECHILD'"]),
    ("unknown-fact", "/needs/0", ["\"pid-max-per-namespace\"", "'pid_max-per-namespace'"]),
    ("unknown-flag", "/steps/0/flags/0", ["\"CLONE_NEWPIDS\" is not one of", "'CLONE_NEWPID'"]),
    ("unknown-key", "", ["'rule' was unexpected", "'rule' not allowed"]),
    ("unknown-option", "/steps/1/options/0", ["\"NOHANG\"", "'WNOHANG'"]),
];

/// Two validators point at the mistake and nowhere else.
#[test]
fn an_editor_is_told_what_is_wrong() {
    for (file, place, words) in MISTAKES {
        for (errors, words) in said(file).iter().zip(words) {
            assert!(errors.iter().all(|(at, _)| at == place), "{file}: not at {place}: {errors:?}");
            assert!(errors.iter().any(|(_, text)| text.contains(words)), "{file}: not `{words}`: {errors:?}");
            assert!(errors.len() <= 4, "{file}: {errors:?}");
        }
    }
}

/// Every file of the library is what the schema says.
#[test]
fn the_library_is_valid() {
    let schema = jsonschema::validator_for(&pidlab_scenario::schema::schema()).expect("the schema is one");
    let files: Vec<_> = pidlab_scenario::library::files().collect();
    for file in &files {
        let value: serde_json::Value = toml::from_str(file.text).expect("it is TOML");
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", file.name);
    }
    assert!(files.len() > 300, "only {} files", files.len());
}
