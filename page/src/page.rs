//! Pages: one file, which needs no network and no server.
//!
//! Style, script and data are inside. What the page may run is named by its hash in a content security policy, so nothing that a text or a link
//! brings along can be run.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Film;
use crate::html::escaped;
use crate::picture;

const TEMPLATE: &str = include_str!("../web/page.html");
const LOOK: &str = include_str!("../web/page.css");
const SCRIPTS: [&str; 4] = [
    include_str!("../web/model.js"),
    include_str!("../web/editor.js"),
    include_str!("../web/player.js"),
    include_str!("../web/main.js"),
];

/// A page that shows runs, with all their answers inside.
pub fn film(films: &[Film]) -> String {
    let title = match films {
        [film] => format!("{} · pidlab", film.title),
        _ => "Runs of pidlab".to_owned(),
    };
    page(&title, BRAND, &json!({ "films": films }))
}

/// The same within a site: its name leads back to this page of it.
pub fn film_of_a_site(films: &[Film], back: &str) -> String {
    let brand = format!("<a class=\"brand\" href=\"{}\">pidlab</a>", escaped(back));
    page("Runs of pidlab", &brand, &json!({ "films": films }))
}

/// The playground: a page with the model inside, compiled to WebAssembly from `page/wasm`.
pub fn playground(wasm: &[u8]) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(wasm).expect("a vector takes it");
    let packed = packed.finish().expect("a vector takes it");
    page("pidlab: a playground of PID namespaces", BRAND, &json!({ "wasm": STANDARD.encode(packed) }))
}

/// What stands first on a page that stands alone.
const BRAND: &str = "<span class=\"brand\">pidlab</span>";

fn page(title: &str, brand: &str, data: &Value) -> String {
    let script = format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPTS.concat());
    let style = format!("{LOOK}{}", picture::STYLE);
    // Within a script element only its end would be read as markup.
    let data = data.to_string().replace("</", "<\\/").replace("<!--", "<\\u0021--");
    let parts = [
        ("@@TITLE@@", escaped(title)),
        ("@@BRAND@@", brand.to_owned()),
        ("@@SCRIPT_HASH@@", hash(&script)),
        ("@@STYLE_HASH@@", hash(&style)),
        ("@@STYLE@@", style),
        ("@@SCRIPT@@", script),
        ("@@DATA@@", data),
    ];
    filled(TEMPLATE, &parts)
}

/// The template with its places filled; what is filled in is not looked at again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some(at) = rest.find("@@") {
        page.push_str(&rest[..at]);
        rest = &rest[at..];
        let (mark, text) =
            parts.iter().find(|(mark, _)| rest.starts_with(mark)).expect("the template names what there is");
        page.push_str(text);
        rest = &rest[mark.len()..];
    }
    page + rest
}

/// What a content security policy calls a text.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
