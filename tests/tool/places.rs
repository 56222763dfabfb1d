//! Every place in an observation, for tests that change each of them.

use serde_json::Value;

/// Calls `each` with every value in a value: its place, its name among all places, and itself.
pub(crate) fn walk(value: &Value, pointer: &str, place: &str, each: &mut impl FnMut(&str, &str, &Value)) {
    each(pointer, place, value);
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pointer}/{index}"), &format!("{place}/*"), each);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(field, &format!("{pointer}/{name}"), &format!("{place}/{name}"), each);
            }
        }
        _ => {}
    }
}
