//! The table of faults, `faults.toml`.

use serde::{Deserialize, Serialize};

/// The table, as it is in the repository.
const TABLE: &str = include_str!("../faults.toml");

/// All faults, and what some of them need.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// Changes that are always made and do nothing by themselves: a place in which a fault can be planted.
    #[serde(default)]
    pub(crate) support: Vec<Edit>,
    #[serde(default)]
    pub(crate) fault: Vec<Fault>,
}

/// One mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// Its name; numbers follow from the order and mean nothing.
    pub(crate) id: String,
    /// One sentence, as who makes the mistake would believe it.
    pub(crate) what: String,
    pub(crate) kind: Kind,
    /// Why nothing here can notice it, where nothing can.
    pub(crate) unseen: Option<String>,
    /// Where it is planted; a mistake can need several places.
    pub(crate) edits: Vec<Edit>,
}

/// What is mistaken.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A rule of the model.
    Rule,
    /// The model allows an outcome beside the right one.
    AllowsTooMuch,
    /// The comparison or the runner's view does not show something.
    Blind,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Rule, Kind::AllowsTooMuch, Kind::Blind];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Rule => "a rule of the model",
            Kind::AllowsTooMuch => "the model allows too much",
            Kind::Blind => "the comparison or the runner is blind or stale",
        }
    }
}

/// A change of one place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The file, from the top of the workspace.
    pub(crate) file: String,
    /// What stands there, to the letter, and nowhere else in the file.
    pub(crate) find: String,
    pub(crate) replace: String,
    #[serde(default)]
    pub(crate) form: Form,
    /// Where it stands, if that is known: then it may stand elsewhere, too.
    #[serde(skip)]
    pub(crate) at: Option<std::ops::Range<usize>>,
}

/// How both texts stand side by side.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// `(if … { replace } else { find })`.
    #[default]
    Expression,
    /// The same without the parentheses: neither may bind a name that is used further down.
    Statement,
    /// `replace`, in which `{on}` asks whether the fault is on and `{found}` is what was found: for match arms, and for what only
    /// comes in addition.
    Free,
}

impl Table {
    /// The table of the repository.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read() -> Result<Table, String> {
        let table: Table = toml::from_str(TABLE).map_err(|error| format!("faults.toml: {error}"))?;
        for (index, fault) in table.fault.iter().enumerate() {
            if table.fault[..index].iter().any(|other| other.id == fault.id) {
                return Err(format!("faults.toml: two faults are called `{}`", fault.id));
            }
        }
        Ok(table)
    }

    /// Every fault with its number: what the environment variable says. 0 is none.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Fault)> {
        (1..).zip(&self.fault)
    }
}
