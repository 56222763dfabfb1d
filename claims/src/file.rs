//! A sentence as a file: TOML, with the places that a message points at.

use pidlab_scenario::{Diagnostic, Diagnostics, MOST_BYTES, Need, Prediction, Scenario, library, nearest};
use pidlab_sim::{Rule, rule};
use serde::Deserialize;
use toml::Spanned;

use crate::case::{Case, Trial};

/// What a file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sentence: Spanned<String>,
    met: Spanned<Vec<Spanned<String>>>,
    article: Option<u32>,
    #[serde(default)]
    rules: Vec<Spanned<String>>,
    correction: Spanned<String>,
    #[serde(default)]
    trial: Vec<Spanned<TrialTable>>,
    not_here: Option<Spanned<String>>,
}

/// One `[[trial]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrialTable {
    about: Option<Spanned<String>>,
    scenario: Option<Spanned<String>>,
    steps: Option<Spanned<toml::Value>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    predicts: Spanned<toml::Value>,
}

impl Case {
    /// Reads the file of a sentence. `id` is its name, `path` what the user knows the file by.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn parse(id: &str, path: &str, text: &str) -> Result<Case, Diagnostics> {
        Reader { path, text }.case(id)
    }
}

/// The text at hand.
struct Reader<'a> {
    path: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn case(&self, id: &str) -> Result<Case, Diagnostics> {
        if self.text.len() > MOST_BYTES {
            return Err(Diagnostics::too_large(self.path));
        }
        let file: File = toml::from_str(self.text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            self.wrong(span, &message(&error), "here", "`docs/claims.md` says what the file of a claim has")
        })?;
        let texts = [&file.sentence, &file.correction].into_iter().chain(file.met.get_ref());
        for said in texts.chain(&file.not_here) {
            self.is_a_line(said)?;
        }
        if file.met.get_ref().is_empty() {
            let help = "name who says so: a page, a manual, an issue";
            return Err(self.wrong(file.met.span(), "nobody says it", "an empty list", help));
        }
        let decided = !file.trial.is_empty();
        if decided == file.not_here.is_some() {
            let help = "give it a `[[trial]]`, or say in `not_here` why there can be none";
            return Err(self.wrong(file.sentence.span(), "one thing decides a sentence", "has none, or two", help));
        }
        if decided && file.rules.is_empty() {
            let help = "add `rules = [\"…\"]`: the rules that decide it";
            return Err(self.wrong(file.sentence.span(), "no rule is named", "for this", help));
        }
        let rules = file.rules.iter().map(|id| self.rule(id)).collect::<Result<_, _>>()?;
        let several = file.trial.len() > 1;
        let trials = file.trial.iter().enumerate();
        let trials = trials.map(|(index, table)| self.trial(id, index, table, several, file.sentence.get_ref()));
        Ok(Case {
            id: id.to_owned(),
            trials: trials.collect::<Result<_, _>>()?,
            sentence: file.sentence.into_inner(),
            met: file.met.into_inner().into_iter().map(Spanned::into_inner).collect(),
            article: file.article,
            rules,
            correction: file.correction.into_inner(),
            not_here: file.not_here.map(Spanned::into_inner),
        })
    }

    fn trial(
        &self,
        id: &str,
        index: usize,
        table: &Spanned<TrialTable>,
        several: bool,
        sentence: &str,
    ) -> Result<Trial, Diagnostics> {
        let (span, table) = (table.span(), table.get_ref());
        if several && table.about.is_none() {
            let help = "add `about = \"…\"`: what this trial is about, and no other";
            return Err(self.wrong(span, "which of several trials this is, is not said", "`about` is missing", help));
        }
        if let Some(about) = &table.about {
            self.is_a_line(about)?;
        }
        let (written, in_library) = match (&table.scenario, &table.steps) {
            (Some(name), None) => (self.of_library(name, &table.needs)?, true),
            (None, Some(steps)) => {
                let name = if several { format!("{id}/{}", index + 1) } else { id.to_owned() };
                let mut own = Scenario::of_steps(&name, sentence, self.path, self.text, &steps.span())?;
                own.needs = table.needs.iter().map(|need| self.need(need)).collect::<Result<_, _>>()?;
                (own, false)
            }
            _ => {
                let help = "name a `scenario` of the library, or write the `steps` of one";
                return Err(self.wrong(span, "a trial is of one scenario", "has none, or two", help));
            }
        };
        let predictions: Vec<Prediction> = written.predictions(self.path, self.text, &table.predicts.span())?;
        let about = table.about.as_ref().map(|about| about.get_ref().clone());
        Ok(Trial { about, scenario: written.clone().claiming(&predictions), written, in_library })
    }

    fn of_library(&self, name: &Spanned<String>, needs: &[Spanned<String>]) -> Result<Scenario, Diagnostics> {
        let word = name.get_ref();
        let Some(file) = library::find(word) else {
            let names: Vec<String> = library::files().map(|file| file.name).collect();
            let help = nearest(word, names.iter().map(String::as_str));
            let help = help.map_or("`pidlab list` has them".to_owned(), |near| format!("did you mean `{near}`?"));
            return Err(self.wrong(name.span(), "the library has no such scenario", "unknown scenario", &help));
        };
        if let Some(need) = needs.first() {
            let help = "leave it out: a scenario of the library says itself what it needs";
            return Err(self.wrong(need.span(), "`needs` is for steps that stand here", "too much", help));
        }
        Scenario::parse(&file.name, &file.path, file.text)
    }

    fn rule(&self, id: &Spanned<String>) -> Result<&'static Rule, Diagnostics> {
        rule::find(id.get_ref()).ok_or_else(|| {
            let near = nearest(id.get_ref(), rule::CATALOGUE.iter().map(|rule| rule.id));
            let help = near.map_or("`pidlab rules` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
            self.wrong(id.span(), "there is no such rule", "not in the catalogue", &help)
        })
    }

    fn need(&self, need: &Spanned<String>) -> Result<Need, Diagnostics> {
        Need::from_name(need.get_ref()).ok_or_else(|| {
            let help = "`pidlab facts` lists them";
            self.wrong(need.span(), "there is no such fact", "unknown fact", help)
        })
    }

    /// A text that says something, in one line.
    fn is_a_line(&self, text: &Spanned<String>) -> Result<(), Diagnostics> {
        let said = text.get_ref();
        if said.trim().is_empty() || said.chars().any(char::is_control) {
            return Err(self.wrong(text.span(), "a text is one line that says something", "is none", "write one line"));
        }
        Ok(())
    }

    fn wrong(&self, span: std::ops::Range<usize>, message: &str, label: &str, help: &str) -> Diagnostics {
        let mistake = Diagnostic {
            message: message.to_owned(),
            span,
            label: label.to_owned(),
            also: None,
            help: Some(help.to_owned()),
        };
        Diagnostics::of_claims(self.path, self.text, vec![mistake])
    }
}

/// What the library for TOML says, on one line and without what acts on a terminal.
fn message(error: &toml::de::Error) -> String {
    pidlab_scenario::one_line(error.message()).into_owned()
}
