//! Which questions there are, in the order of the lessons.

use pidlab_page::{LESSONS, Lesson, Question, questions};
use pidlab_scenario::{Facts, Scenario, library};

/// A question of a lesson.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Item {
    /// What it is called where progress is kept: the scenario, and which of its questions it is.
    pub key: String,
    /// So many steps have been taken when it is asked.
    pub moment: usize,
    /// What is asked.
    pub question: Question,
}

/// The scenario of the library with this name, and its text.
///
/// # Panics
/// If the library does not have it: [`LESSONS`] names only what it has.
pub fn scenario(name: &str) -> (Scenario, &'static str) {
    let file = library::find(name).expect("a lesson names scenarios of the library");
    let scenario = Scenario::parse(&file.name, &file.path, file.text);
    (scenario.unwrap_or_else(|wrong| panic!("{}", wrong.render(false))), file.text)
}

/// The questions of a scenario, in the order in which they are asked.
pub fn items(scenario: &Scenario, facts: &Facts) -> Vec<Item> {
    let mut asked = questions(scenario, &facts.clone().with_all(&scenario.needs));
    asked.sort_by_key(|(moment, _)| *moment);
    let key = |index| format!("{}#{}", scenario.name, index + 1);
    let item = |(index, (moment, question))| Item { key: key(index), moment, question };
    asked.into_iter().enumerate().map(item).collect()
}

/// The questions of a lesson, as on the newest kernel.
pub fn of_lesson(lesson: &Lesson) -> Vec<Item> {
    lesson.scenarios.iter().flat_map(|name| items(&scenario(name).0, &Facts::newest())).collect()
}

/// The lesson with this word or number, counted from 1.
pub fn find(word: &str) -> Option<usize> {
    let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.filter(|index| *index < LESSONS.len()).or_else(|| LESSONS.iter().position(|lesson| lesson.word == word))
}
