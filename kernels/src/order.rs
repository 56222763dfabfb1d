//! What is to be done in a guest.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The file of a guest's root folder in which it finds its task.
pub(crate) const FILE: &str = "/task.json";

/// A command of this program, to be run in a guest.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Order {
    /// Its arguments, without the program's name.
    pub arguments: Vec<String>,
    /// Variables of its environment beside `PATH`.
    pub variables: Vec<(String, String)>,
    /// The folder in which it starts.
    pub folder: PathBuf,
    /// Files that it may write, and that are to be brought back.
    pub bring: Vec<PathBuf>,
}

/// An order as a guest gets it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) order: Order,
    /// Where the file is that the command has as its standard input.
    pub(crate) input: Option<PathBuf>,
    /// The guest's end of the results line.
    pub(crate) line: String,
}
