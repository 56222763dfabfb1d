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

/// The lesson with this word or number, counted from 1; a word may be cut short where only one begins so.
pub fn find(word: &str) -> Option<usize> {
    let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let whole = number.filter(|index| *index < LESSONS.len());
    let whole = whole.or_else(|| LESSONS.iter().position(|lesson| lesson.word == word));
    let begun = || {
        let mut begun = (0..LESSONS.len()).filter(|index| !word.is_empty() && LESSONS[*index].word.starts_with(word));
        begun.next().filter(|_| begun.next().is_none())
    };
    whole.or_else(begun)
}

#[cfg(test)]
mod tests {
    use super::find;
    use pidlab_page::LESSONS;

    #[test]
    fn a_lesson_has_a_word_a_number_and_a_beginning() {
        assert_eq!((find("parents"), find("1"), find("par")), (Some(0), Some(0), Some(0)));
        let several = |word: &str| LESSONS.iter().filter(|lesson| lesson.word.starts_with(word)).count();
        assert_eq!((find("d"), several("d") > 1), (None, true), "which one?");
        assert_eq!((find(""), find("0"), find("99"), find("parentsx")), (None, None, None, None));
    }
}
