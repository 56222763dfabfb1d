//! The JSON Schema of scenario files, for editors: made from the same table of calls that the parser reads.

mod claims;

use serde_json::{Map, Value, json};

use crate::argument::{Argument, CallWords, Kind};
use crate::call::calls;
use crate::expect::OUTCOMES;
use crate::limits::{MOST_LEVELS, MOST_STEPS};
use crate::names::RESERVED;
use crate::{CloneFlags, Errno, Fact, NamespaceTypes, Need, Signal};

/// The schema (draft 2020-12): one definition a call, so that an editor completes the arguments of the call at hand.
pub fn schema() -> Value {
    let names: Vec<&str> = calls().iter().map(|words| words.name).collect();
    let each: Vec<Value> = names.iter().map(|name| of_call(name)).collect();
    let mut definitions: Map<String, Value> =
        calls().iter().map(|words| (words.name.to_string(), call(words))).collect();
    definitions.insert("name".to_owned(), json!({ "type": "string", "pattern": NAME }));
    definitions
        .insert("new_name".to_owned(), json!({ "type": "string", "pattern": NAME, "not": { "enum": RESERVED } }));
    definitions.insert(
        "signal".to_owned(),
        json!({ "anyOf": [signal_names(), { "type": "integer", "minimum": 1, "maximum": 64 }] }),
    );
    definitions.extend(claims::definitions());
    let errnos: Vec<&str> = Errno::ALL.iter().map(|errno| errno.name()).collect();
    definitions.insert("errno".to_owned(), json!({ "enum": errnos }));
    let sides = |fact: &Fact| [true, false].map(|holds| Need { fact: *fact, holds }.to_string());
    let facts: Vec<String> = Fact::ALL.iter().flat_map(sides).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pidlab scenario",
        "type": "object",
        "required": ["title", "steps"],
        "additionalProperties": false,
        "properties": {
            "title": { "type": "string", "pattern": TITLE, "description": "What the scenario claims, in one line." },
            "about": { "type": "string", "description": "Why it matters, in two or three sentences. Markdown." },
            "rules": {
                "description": "The ids of the rules that the run must fire.",
                "type": "array",
                "items": { "type": "string", "pattern": "^[a-z0-9._-]+$" },
            },
            "needs": {
                "description": "Facts that a kernel must have, or with `!` must not have.",
                "type": "array",
                "items": { "enum": facts },
            },
            "steps": {
                "description": "What happens.",
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_STEPS,
                "items": {
                    "type": "object",
                    "required": ["by", "call"],
                    "properties": { "call": { "description": "The system call.", "enum": names } },
                    "allOf": each,
                },
            },
        },
        "$defs": definitions,
    })
}

/// A step that makes this call is held against the definition of the call alone: what a validator then says is about the mistake, and
/// not about the other calls that the step could have been.
fn of_call(name: &str) -> Value {
    json!({
        "if": { "type": "object", "properties": { "call": { "const": name } }, "required": ["call"] },
        "then": { "$ref": format!("#/$defs/{name}") },
    })
}

/// What the parser takes as a title: one line that is not empty.
const TITLE: &str = r"^[^\n\u000b-\u000d\u0085\u2028\u2029]*\S[^\n\u000b-\u000d\u0085\u2028\u2029]*$";

/// What the parser takes as the name of a process.
const NAME: &str = "^[A-Za-z][A-Za-z0-9_-]{0,31}$";

fn signal_names() -> Value {
    let mut names: Vec<String> = Signal::named().map(|(_, name)| name.to_owned()).collect();
    names.extend((34..=64).filter_map(Signal::new).map(|signal| signal.to_string()));
    json!({ "enum": names })
}

/// One call: its own arguments, and what every step may have.
fn call(words: &CallWords) -> Value {
    let mut properties = Map::new();
    properties.insert("by".to_owned(), json!({ "$ref": "#/$defs/name", "description": "Who makes the call." }));
    properties.insert("call".to_owned(), json!({ "const": words.name }));
    for argument in &words.arguments {
        let mut value = kind(argument);
        value["description"] = json!(argument.about);
        properties.insert(argument.name.to_owned(), value);
    }
    let expectations = [
        (
            "returns",
            json!({ "anyOf": [{ "type": "integer" }, { "$ref": "#/$defs/name" }] }),
            "The value that it returns.",
        ),
        ("fails", json!({ "$ref": "#/$defs/errno" }), "The errno that it fails with."),
        ("blocks", json!({ "const": true }), "It does not return in this step."),
        ("ends", json!({ "const": true }), "Its caller ends in this step, so that it does not return."),
        (
            "then",
            json!({ "$ref": "#/$defs/claims_about_processes" }),
            "What is so after the step, of each process that is named.",
        ),
        ("ask", json!({ "type": "string" }), "The question that the step is in the learner's mode."),
    ];
    for (key, mut value, about) in expectations {
        if ["ask", "ends", "then"].contains(&key) || words.returns {
            value["description"] = json!(about);
            properties.insert(key.to_owned(), value);
        }
    }
    properties.extend(claims::of_call(words.name));
    // Who makes which call is asked of every step.
    let required: Vec<&str> =
        words.arguments.iter().filter(|argument| argument.required).map(|argument| argument.name).collect();
    let mut definition = json!({
        "description": words.about,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    let mut excluding = if words.returns { exclusive(&OUTCOMES) } else { Map::new() };
    if let Some((names, needed)) = &words.one_of {
        excluding.extend(exclusive(names));
        if *needed {
            let one: Vec<Value> = names.iter().map(|name| json!({ "required": [name] })).collect();
            definition["anyOf"] = json!(one);
        }
    }
    if !excluding.is_empty() {
        definition["dependentSchemas"] = Value::Object(excluding);
    }
    definition
}

/// With any of these keys none of those after it: the error is then about the key that is too much.
fn exclusive(names: &[&str]) -> Map<String, Value> {
    let pairs =
        names.iter().enumerate().map(|(at, name)| (name, &names[at + 1..])).filter(|(_, rest)| !rest.is_empty());
    pairs
        .map(|(name, rest)| {
            let none: Map<String, Value> = rest.iter().map(|other| ((*other).to_owned(), json!(false))).collect();
            ((*name).to_owned(), json!({ "properties": none }))
        })
        .collect()
}

fn kind(argument: &Argument) -> Value {
    let number = json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX });
    let named = json!({ "$ref": "#/$defs/name" });
    let list = |names: Vec<&str>| json!({ "type": "array", "items": { "enum": names } });
    match argument.kind {
        Kind::NewProcess => json!({ "$ref": "#/$defs/new_name" }),
        Kind::Process => named,
        Kind::Target | Kind::WaitPid | Kind::WaitGroup => json!({ "anyOf": [named, number] }),
        Kind::CloneFlags => list(CloneFlags::all().iter_names().map(|(name, _)| name).collect()),
        Kind::PidfdFlags(flags) => list(flags.iter_names().map(|(name, _)| name).collect()),
        Kind::NamespaceTypes => list(NamespaceTypes::all().iter_names().map(|(name, _)| name).collect()),
        Kind::WaitOptions | Kind::WaitidOptions => list(argument.words().into_iter().map(|(name, _)| name).collect()),
        Kind::Signal => json!({ "$ref": "#/$defs/signal" }),
        Kind::SignalOrZero => json!({ "anyOf": [{ "$ref": "#/$defs/signal" }, { "const": 0 }] }),
        Kind::Signals => {
            json!({ "type": "array", "items": { "$ref": "#/$defs/signal" }, "minItems": 1, "maxItems": 64 })
        }
        Kind::Numbers => json!({ "type": "array", "items": number, "minItems": 1, "maxItems": MOST_LEVELS }),
        Kind::Status | Kind::Value => number,
        Kind::Number => json!({ "type": "integer", "minimum": 0, "maximum": i32::MAX }),
        Kind::Uid => json!({ "type": "integer", "minimum": 0, "maximum": 0xffff_fffeu32 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Word(allowed) => json!({ "enum": allowed }),
    }
}
