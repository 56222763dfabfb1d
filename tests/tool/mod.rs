//! What tests of the command line share: a folder, a run of the program, a scenario.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of a test's own, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the target folder is writable");
        Folder(folder)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("it is below the folder")).expect("the test's folder is writable");
        fs::write(&path, text).expect("the test's folder is writable");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind in the target directory hurts nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How the program ended, and what it wrote.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pidlab"));
    command.current_dir(folder).args(arguments).env_remove("CLICOLOR_FORCE");
    command
}

pub(crate) fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("output is UTF-8"),
        err: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

pub(crate) fn pidlab(folder: &Path, arguments: &[&str]) -> Ended {
    ended(command(folder, arguments).output().expect("pidlab starts"))
}

/// A scenario of four steps; the last claims something.
pub(crate) const GOOD: &str = r#"title = "An orphan is adopted by the init of its namespace"
rules = ["reap.ns-is-fathers"]
steps = [
  { by = "host", call = "clone",   child = "init", flags = ["CLONE_NEWPID"] },
  { by = "init", call = "fork",    child = "mid"  },
  { by = "mid",  call = "fork",    child = "leaf" },
  { by = "mid",  call = "exit",    status = 0 },
  { by = "leaf", call = "getppid", returns = 1 },
]
"#;
