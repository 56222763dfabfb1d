//! The part of the schema that is about claims.

use serde_json::{Map, Value, json};

use crate::claims::{EVENTS, STATES, key_of};
use crate::truth::SeenKind;
use crate::{CallName, SeenField};

/// What a call can be claimed to give beside its value.
pub(super) fn of_call(name: &str) -> Option<(String, Value)> {
    let call = CallName::from_word(name)?;
    let key = key_of(call)?;
    Some((key.to_owned(), json!({ "$ref": format!("#/$defs/{key}") })))
}

/// What claims are made of.
pub(super) fn definitions() -> Map<String, Value> {
    let signal = json!({ "$ref": "#/$defs/signal" });
    let events = EVENTS.map(|event| event.to_string());
    let seen = SeenField::KINDS.map(|(name, kind)| (name.to_owned(), seen_value(kind)));
    let sees = json!({
        "description": "What the look shows, as the JSON line has it.",
        "type": "object",
        "properties": Map::from_iter(seen),
        "additionalProperties": false,
        "minProperties": 1,
    });
    let processes = json!({
        "type": "object",
        "propertyNames": { "$ref": "#/$defs/name" },
        "additionalProperties": { "anyOf": [process(), { "const": "gone" }] },
        "minProperties": 1,
    });
    let whole = |items: Value| json!({ "description": "The whole set.", "type": "array", "items": items });
    let definitions = [
        ("status", status(&[("stopped", signal.clone())])),
        ("sees", sees),
        ("pending", whole(signal)),
        ("events", whole(json!({ "enum": events }))),
        ("took", handled()),
        ("claims_about_processes", processes),
    ];
    definitions.into_iter().map(|(name, definition)| (name.to_owned(), definition)).collect()
}

/// What is claimed of a process.
fn process() -> Value {
    let number = json!({ "type": "integer", "minimum": 0, "maximum": i32::MAX });
    let numbers = json!({ "type": "array", "items": number });
    let named = json!({ "anyOf": [{ "$ref": "#/$defs/name" }, { "const": false }] });
    let states = STATES.map(|state| state.to_string());
    fields(&[
        ("state", json!({ "enum": states })),
        ("pids", numbers.clone()),
        ("namespaces", numbers),
        ("parent", named.clone()),
        ("ppid", number.clone()),
        ("pgid", number.clone()),
        ("sid", number),
        ("thread_of", named.clone()),
        ("tracer", named),
        ("handled", json!({ "type": "array", "items": { "$ref": "#/$defs/took" } })),
        ("returned", json!({ "anyOf": [returned(), { "const": false }] })),
    ])
}

/// What is claimed of a signal that a handler got, or that was taken without one.
fn handled() -> Value {
    let or_zero = json!({ "anyOf": [{ "$ref": "#/$defs/signal" }, { "const": 0 }] });
    let told = status(&[("stopped", or_zero.clone()), ("trapped", or_zero)]);
    let mut handled = fields(&[
        ("signal", json!({ "$ref": "#/$defs/signal" })),
        ("si_pid", json!({ "type": "integer", "minimum": 0, "maximum": i32::MAX })),
        ("status", json!({ "anyOf": [told, { "const": false }] })),
    ]);
    handled["required"] = json!(["signal"]);
    handled
}

/// What is claimed of a call that had blocked.
fn returned() -> Value {
    fields(&[
        ("call", json!({ "enum": CallName::WORDS })),
        ("returns", json!({ "anyOf": [{ "type": "integer" }, { "$ref": "#/$defs/name" }] })),
        ("fails", json!({ "$ref": "#/$defs/errno" })),
        ("blocks", json!({ "const": true })),
        ("ends", json!({ "const": true })),
        ("status", json!({ "$ref": "#/$defs/status" })),
        ("sees", json!({ "$ref": "#/$defs/sees" })),
        ("pending", json!({ "$ref": "#/$defs/pending" })),
        ("events", json!({ "$ref": "#/$defs/events" })),
        ("took", json!({ "$ref": "#/$defs/took" })),
    ])
}

fn fields(fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1 })
}

/// A status, which can be one of these stops.
fn status(stops: &[(&str, Value)]) -> Value {
    let exited = json!({ "type": "integer", "minimum": 0, "maximum": 255 });
    let others =
        [("exited", exited), ("killed", json!({ "$ref": "#/$defs/signal" })), ("continued", json!({ "const": true }))];
    let mut status = fields(&[&others[..2], stops, &others[2..]].concat());
    status["maxProperties"] = json!(1);
    status["description"] = json!("What is said of a child.");
    status
}

fn seen_value(kind: SeenKind) -> Value {
    match kind {
        SeenKind::Number => json!({ "type": "integer" }),
        SeenKind::Numbers => json!({ "type": "array", "items": { "type": "integer" } }),
        SeenKind::Status => json!({ "anyOf": [{ "$ref": "#/$defs/status" }, { "const": false }] }),
        SeenKind::Translated => {
            let mut either = fields(&[
                ("ok", json!({ "type": "integer", "minimum": 0 })),
                ("err", json!({ "$ref": "#/$defs/errno" })),
            ]);
            either["maxProperties"] = json!(1);
            either
        }
    }
}
