//! `pidlab book`: all there is to learn, as a static site.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use include_dir::{Dir, include_dir};
use pidlab_book::{Document, Site};

use super::{End, Out};

#[derive(Args)]
#[command(after_help = "\
Open index.html in the folder: no server and no network are needed. The site has
twelve lessons, the incidents, the rules, the calls, the words, every page of
documentation, and a page for each scenario with a player.

Examples:
  pidlab book --out book
  pidlab book --out book --playground pidlab.html
                                 with the playground inside, where one was made:
                                 cargo run --release --package pidlab-page -- --out pidlab.html")]
pub(super) struct Arguments {
    /// The folder that it is written into: one that is new or empty, or has an earlier book.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A playground, to link to where a scenario can be changed.
    #[arg(long, value_name = "FILE")]
    playground: Option<PathBuf>,
}

static DOCS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/docs");
const README: &str = include_str!("../../README.md");

/// What every book has, and what shows that a folder has one.
const MARK: &str = "book.css";

/// A site of all documentation that is inside the program.
fn site() -> Site {
    let mut site = Site::new(vec![Document { name: "README.md".to_owned(), text: README.to_owned() }]);
    for file in DOCS.files() {
        let name = file.path().display().to_string();
        match file.contents_utf8().filter(|_| name.ends_with(".md")) {
            Some(text) => site.documents.push(Document { name, text: text.to_owned() }),
            None => site.files.push((name, file.contents().to_vec())),
        }
    }
    site
}

pub(super) fn book(out: &mut Out, arguments: &Arguments) -> io::Result<End> {
    match written(arguments) {
        Ok(count) => {
            let first = arguments.out.join("index.html");
            writeln!(out, "{}: {count} files", first.display())?;
            Ok(End::Agree)
        }
        Err(wrong) => {
            eprintln!("error: {wrong}");
            Ok(End::BadInput)
        }
    }
}

/// Writes it, and says how many files it has.
fn written(arguments: &Arguments) -> Result<usize, String> {
    let folder = &arguments.out;
    is_for_a_book(folder)?;
    let mut site = site();
    if let Some(file) = &arguments.playground {
        let page = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        site.playground = Some(page);
    }
    let files = site.made()?;
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (name, bytes) in &files {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(files.len())
}

/// Whether a book may be written into a folder: nothing of somebody else's is written over.
fn is_for_a_book(folder: &Path) -> Result<(), String> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    if entries.next().is_none() || folder.join(MARK).is_file() {
        return Ok(());
    }
    Err(format!(
        "{}: there is something in it that is no book\nhelp: name a folder that is new or empty",
        folder.display()
    ))
}
