//! The committed JSON Schema is the one that the table of calls makes.
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
