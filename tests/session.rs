//! The session on the page is what comes out. With `PIDLAB_WRITE=1` it is written.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/session.md");

/// What is typed, one after the other in one folder, each with what it is good for.
const COMMANDS: [(&str, &str); 10] = [
    ("list init-signals", "Which scenarios are there about signals to an init?"),
    ("new mine.toml", "A scenario of one's own begins as a small one that is true."),
    ("run mine.toml", "Each step with its result, its reasons, and the world after it."),
    ("explain orphan", "A word of it."),
    ("explain reap.ns-is-fathers", "A reason, with its place in the kernel and in the manual."),
    ("explain getppid", "A call."),
    ("check mine.toml", "Whether all is as expected, in short."),
    (
        "check --misconception orphans-go-to-grandparent orphans/not-to-the-grandparent",
        "What if Linux did what many believe?",
    ),
    ("explain zombi3", "A word that is not there."),
    ("fuzz --on model --seed 1 --steps 500", "Random scenarios, here on the model alone."),
];

fn pidlab(folder: &Path, words: &str) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pidlab"));
    let output = command.current_dir(folder).args(words.split(' ')).output().expect("pidlab starts");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).expect("output is UTF-8"), output.status.code())
}

/// This kernel's name, as the header of a run has it; nothing where the kernel side cannot run.
fn release(folder: &Path) -> Option<String> {
    let (text, code) = pidlab(folder, "facts --format json");
    let header: serde_json::Value = serde_json::from_str(text.lines().next().filter(|_| code == Some(0))?).ok()?;
    header["kernel"].as_str().map(str::to_owned)
}

/// The page, with the same name for every kernel.
fn page(folder: &Path, release: &str) -> String {
    let mut page = String::from(
        "# A session\n\n\
         Ten commands and what they print, in a folder of their own. Made by a test, which also keeps it fresh; the name of the\n\
         kernel is left out. An exit code other than 0 is shown behind the output.\n",
    );
    for (words, why) in COMMANDS {
        let (text, code) = pidlab(folder, words);
        let _ = write!(
            page,
            "\n{why}\n\n```console\n$ pidlab {words}\n{}",
            text.replace(&format!("Linux {release}"), "Linux")
        );
        match code {
            Some(0) => {}
            Some(code) => drop(writeln!(page, "[exit code {code}]")),
            None => panic!("`pidlab {words}` was killed"),
        }
        page.push_str("```\n");
    }
    page
}

/// A folder of this test's own, removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the target directory hurts nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_session_on_the_page_is_real() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("session-{}", std::process::id()));
    fs::create_dir_all(&path).expect("the target folder is writable");
    let folder = Folder(path);
    let Some(release) = release(&folder.0) else {
        let required = pidlab_realkernel::must_not_skip();
        assert!(!required, "the kernel side cannot run here");
        eprintln!("skipped: the kernel side cannot run here");
        return;
    };
    let made = page(&folder.0, &release);
    // It may run at the beginning, and not to the end: then there is no session to show.
    assert!(!made.contains("the kernel side is skipped"), "the kernel side cannot run here any more:\n{made}");
    if std::env::var_os("PIDLAB_WRITE").is_some() {
        fs::write(PAGE, &made).expect("the source tree is writable when it is asked to be written");
    }
    let committed = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(committed == made, "docs/session.md is old: run this test once with PIDLAB_WRITE=1. Now:\n{made}");
}
