//! Parts of scenarios in files of another kind: steps, and what somebody predicts of the steps of a scenario.
//!
//! What such a file holds beside, its own reader knows; here it is only the value at one place of it.

use std::ops::Range;

use toml::de::DeTable;

use crate::claims::{Claims, fields_of, key_of};
use crate::diagnose::Diagnostics;
use crate::expect::{OUTCOMES, expect};
use crate::mistakes::{Mistakes, list};
use crate::names::Names;
use crate::parse::steps;
use crate::values::{Fields, Value, integer, wrong_type};
use crate::{Claim, OutcomeClaim, Role, Scenario, Step};

/// What somebody who is not its author says of a step of a scenario.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Prediction {
    /// Of which step; the first is 1.
    pub step: usize,
    /// What is said to be so after it. There is at least one.
    pub claims: Vec<Claim>,
    /// Where it stands in the file, in bytes.
    pub span: Range<usize>,
}

const HELP: &str = "a prediction looks like `{ step = 2, by = \"host\", call = \"fork\", returns = 3 }`";

impl Scenario {
    /// The scenario of a list of steps that stands at this place of a file: the value of some key of it.
    ///
    /// # Errors
    /// Everything that is wrong with the steps.
    ///
    /// # Panics
    /// If the place is not that of a value in the text.
    pub fn of_steps(
        name: &str,
        title: &str,
        path: &str,
        text: &str,
        place: &Range<usize>,
    ) -> Result<Scenario, Diagnostics> {
        let read = |value: &Value<'_>, mistakes: &mut Mistakes| steps(value, mistakes);
        let (steps, roles) = part(path, text, place, read)?;
        let mut scenario = Scenario::new(title);
        name.clone_into(&mut scenario.name);
        scenario.roles = roles;
        scenario.steps = steps;
        Ok(scenario)
    }

    /// The predictions about this scenario in a list that stands at this place of a file: the value of some key of it. A prediction has the
    /// `step`, with `by` and `call` as the scenario has them there, and claims as a step has them.
    ///
    /// # Errors
    /// Everything that is wrong with them: also a step that the scenario does not have, or that is another one.
    ///
    /// # Panics
    /// If the place is not that of a value in the text.
    pub fn predictions(&self, path: &str, text: &str, place: &Range<usize>) -> Result<Vec<Prediction>, Diagnostics> {
        part(path, text, place, |value, mistakes| {
            let Some(array) = value.get_ref().as_array() else {
                wrong_type(value, "the predictions", "a list", mistakes).help(HELP);
                return Vec::new();
            };
            if array.is_empty() {
                mistakes.add(value.span(), "nothing is predicted", "an empty list").help(HELP);
            }
            array.iter().filter_map(|value| self.prediction(value, mistakes)).collect()
        })
    }

    fn prediction(&self, value: &Value<'_>, mistakes: &mut Mistakes) -> Option<Prediction> {
        let Some(table) = value.get_ref().as_table() else {
            wrong_type(value, "a prediction", "a table", mistakes).help(HELP);
            return None;
        };
        let fields: Fields<'_> = fields_of(table);
        let Some((_, number)) = fields.get("step") else {
            mistakes.add(value.span(), "the prediction does not say of which step", "`step` is missing").help(HELP);
            return None;
        };
        let last = i64::try_from(self.steps.len()).unwrap_or(i64::MAX);
        let number = integer(number, "`step`", "the number of a step", 1..=last, mistakes)?;
        let number = usize::try_from(number).ok()?;
        let step = &self.steps[number - 1];
        if !self.is_meant(&fields, (number, step), value, mistakes) {
            return None;
        }
        let call = step.call.name();
        let own = key_of(call);
        let known: Vec<&str> = ["step", "by", "call", "then"].into_iter().chain(OUTCOMES).chain(own).collect();
        for (name, (key, _)) in fields.iter().filter(|(name, _)| !known.contains(*name)) {
            mistakes.unknown(key.span(), "claim", name, &known);
        }
        let made = self.steps[..number].iter().filter_map(|step| step.call.child());
        let names = Names::of([Role::HOST].into_iter().chain(made).map(|role| (self.role_name(role), role)));
        let before = mistakes.count();
        let expect = expect(&fields, Some(call), &names, mistakes);
        let claims = Claims { names: &names, mistakes }.of_step(&fields, call, expect);
        let result = expect.map(|expect| Claim::Outcome(OutcomeClaim::Result(expect)));
        let claims: Vec<Claim> = result.into_iter().chain(claims).collect();
        if claims.is_empty() && mistakes.count() == before {
            let own: Vec<&str> = OUTCOMES.into_iter().chain(["then"]).chain(key_of(call)).collect();
            mistakes
                .add(value.span(), "the prediction says nothing", "no claim")
                .help(format!("claim one of {}", list(&own)));
        }
        (mistakes.count() == before).then(|| Prediction { step: number, claims, span: value.span() })
    }

    /// Whether a prediction names the step as it is: a number alone would go on to mean something when the scenario changes.
    fn is_meant(
        &self,
        fields: &Fields<'_>,
        (number, step): (usize, &Step),
        value: &Value<'_>,
        mistakes: &mut Mistakes,
    ) -> bool {
        let (by, call) = (self.role_name(step.by), step.call.name().word());
        let before = mistakes.count();
        for (key, is) in [("by", by), ("call", call)] {
            let given = fields.get(key).map(|(_, value)| *value);
            if given.and_then(|value| value.get_ref().as_str()) != Some(is) {
                let help = format!("step {number} of `{}` is `by = \"{by}\", call = \"{call}\"`", self.name);
                let place = given.map_or_else(|| value.span(), |value| value.span());
                mistakes.add(place, format!("this is not step {number}"), format!("`{key}` is another")).help(help);
            }
        }
        mistakes.count() == before
    }

    /// The same scenario, of which nothing is claimed but what these predictions say.
    ///
    /// # Panics
    /// If they are of another scenario.
    #[must_use]
    pub fn claiming(mut self, predictions: &[Prediction]) -> Scenario {
        for step in &mut self.steps {
            step.expect = None;
            step.claims.clear();
        }
        for prediction in predictions {
            self.steps[prediction.step - 1].claims.extend(prediction.claims.iter().cloned());
        }
        self
    }
}

/// Reads the value at a place of a file.
fn part<T>(
    path: &str,
    text: &str,
    place: &Range<usize>,
    read: impl FnOnce(&Value<'_>, &mut Mistakes) -> T,
) -> Result<T, Diagnostics> {
    // A document with nothing but this value, which stands where it stands in the file: before it are a key and `=` there, too.
    let blank = place.start.checked_sub("k=".len()).expect("a value of a file stands behind its key");
    let alone = format!("k{}={}", " ".repeat(blank), &text[place.clone()]);
    let table = DeTable::parse(&alone).expect("what is a value in one document is a value in another");
    let value: &Value<'_> = table.get_ref().get("k").expect("the document has this key");
    let mut mistakes = Mistakes::default();
    let read = read(value, &mut mistakes);
    if mistakes.count() == 0 { Ok(read) } else { Err(Diagnostics::new(path, text, mistakes.0)) }
}
