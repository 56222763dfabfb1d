//! Incidents: what went wrong for somebody, the scenario and the rules that say why, and what to do.
//!
//! Each is a file of `incidents/`: a header in TOML between two lines of `+++`, what happened in Markdown, and after the heading `What to do`
//! what to do. What the header may have is [`Incident`]'s fields and nothing else.

use include_dir::{Dir, DirEntry, include_dir};
use serde::{Deserialize, Serialize};

static INCIDENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/incidents");

/// Where the part begins that says what to do.
const ADVICE: &str = "\n## What to do\n";

/// Something that went wrong, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Incident {
    /// What it is called on a command line.
    pub id: String,
    /// In the words of whoever has the problem.
    pub title: String,
    /// Public threads about it: `owner/repository#number`.
    pub threads: Vec<String>,
    /// The scenarios of the library that show it.
    pub scenarios: Vec<String>,
    /// The rules behind it. Each decides in one of the scenarios.
    pub rules: Vec<String>,
    /// What happens, in Markdown.
    pub story: String,
    /// What to do, in Markdown.
    pub advice: String,
    /// What to type to see it on a machine.
    pub commands: Vec<Command>,
    /// What `pidlab why` says of it, where there is something that does not go away.
    pub why: Option<Why>,
}

/// Something to type, and what will be seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Command {
    /// What is typed, as root, into a shell.
    pub run: String,
    /// The programs that it needs beside a shell.
    pub needs: Vec<String>,
    /// What it writes. `<n>` stands for a number and `<any>` for the rest of a word or line.
    pub sees: String,
    /// What it shows, in a sentence.
    pub shows: String,
}

/// What `pidlab why` said when a scenario had come to its end on a real kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Why {
    /// The scenario, one of the incident's.
    pub scenario: String,
    /// The step after which was asked.
    pub step: usize,
    /// The process that does not go away.
    pub of: String,
    /// What was said. PIDs are those of the scenario's outermost namespace, and processes have the names that they have in the scenario.
    pub text: String,
}

/// The header of an incident's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: String,
    threads: Vec<String>,
    scenarios: Vec<String>,
    rules: Vec<String>,
    #[serde(default)]
    why: Option<Asked>,
    #[serde(default)]
    commands: Vec<Command>,
}

/// Of what `pidlab why` was asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    scenario: String,
    step: usize,
    of: String,
}

impl Incident {
    /// Reads an incident from the text of its file, and what `pidlab why` said from the text of another.
    ///
    /// # Errors
    /// What is wrong with the file: a field that is lacking or that nobody knows, a part that is not there.
    pub fn parse(id: &str, text: &str, why: Option<&str>) -> Result<Incident, String> {
        let (header, body) = split(id, text)?;
        let header: Header = toml::from_str(header).map_err(|error| format!("{id}: {error}"))?;
        let parts =
            body.split_once(ADVICE).filter(|(story, advice)| ![story, advice].iter().any(|it| it.trim().is_empty()));
        let (story, advice) =
            parts.ok_or_else(|| format!("{id}: it says what happens, and under `What to do` what to do"))?;
        let why = match (header.why, why) {
            (Some(Asked { scenario, step, of }), text) => {
                Some(Why { scenario, step, of, text: text.unwrap_or_default().to_owned() })
            }
            (None, Some(_)) => return Err(format!("{id}: there is an answer of `why`, and nothing was asked")),
            (None, None) => None,
        };
        let Header { title, threads, scenarios, rules, commands, .. } = header;
        let (story, advice) = (story.trim().to_owned(), advice.trim().to_owned());
        Ok(Incident { id: id.to_owned(), title, threads, scenarios, rules, story, advice, commands, why })
    }
}

/// The header of a file, and what comes after it.
///
/// # Errors
/// If there is none.
pub(crate) fn split<'a>(name: &str, text: &'a str) -> Result<(&'a str, &'a str), String> {
    let parts = text.strip_prefix("+++\n").and_then(|rest| rest.split_once("\n+++\n"));
    parts.ok_or_else(|| format!("{name}: a header stands first, between two lines of `+++`"))
}

/// All incidents, by their titles.
///
/// # Errors
/// What is wrong with a file. Those that the program was built with are tested.
pub fn incidents() -> Result<Vec<Incident>, String> {
    let texts = |end: &str| -> Vec<(String, &'static str)> {
        let files = INCIDENTS.entries().iter().filter_map(DirEntry::as_file);
        let named = |file: &'static include_dir::File<'static>| {
            let name = file.path().to_str()?.strip_suffix(end)?.to_owned();
            Some((name, file.contents_utf8()?))
        };
        files.filter_map(named).collect()
    };
    let answers = texts(".why.txt");
    let of = |id: &str| answers.iter().find(|(name, _)| name == id).map(|(_, text)| *text);
    let read = |(id, text): &(String, &'static str)| Incident::parse(id, text, of(id));
    let mut all = texts(".md").iter().map(read).collect::<Result<Vec<Incident>, String>>()?;
    all.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(all)
}
