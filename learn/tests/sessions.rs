//! Whole sessions, by pipe.

use std::collections::BTreeSet;

use pidlab_learn::{Beside, Ended, Format, KernelRun, Progress, Session, Stage, course};
use pidlab_page::LESSONS;
use pidlab_scenario::{Facts, Observation, Scenario};
use pidlab_sim::{Misconception, Model};

/// No kernel.
struct Alone;

impl Stage for Alone {
    fn facts(&self) -> Facts {
        Facts::newest()
    }

    fn world(&self, _: &Scenario, seen: &Observation) -> String {
        format!("[{} processes]", seen.processes.len())
    }

    fn beside(&self, lesson: usize) -> Option<Beside> {
        let commands = vec![("true".to_owned(), format!("Nothing of lesson {lesson}."))];
        Some(Beside { how: "Anywhere.".to_owned(), commands })
    }

    fn kernel(&mut self, _: &Scenario) -> Option<Result<KernelRun, String>> {
        None
    }
}

/// One session: how it ended, what was written, and how often progress was kept.
fn learn(lesson: usize, format: Format, answers: &str, progress: &mut Progress) -> (Ended, String, usize) {
    let (mut written, mut saved) = (Vec::new(), 0);
    let mut save = |_: &Progress| saved += 1;
    let output = &mut written;
    let mut session =
        Session { input: answers.as_bytes(), output, format, progress, save: &mut save, stage: Alone, width: 80 };
    let ended = session.lesson(lesson).expect("memory can be written");
    (ended, String::from_utf8(written).expect("it is text"), saved)
}

/// How people name a choice.
fn letter(number: usize) -> char {
    ['a', 'b', 'c', 'd'][number - 1]
}

/// The number of the right answer, and of a wrong one, of each question of a lesson.
fn answers(lesson: usize) -> Vec<(usize, usize)> {
    let place = |item: &course::Item, right: bool| {
        let at = item.question.choices.iter().position(|choice| choice.right == right);
        at.expect("there are right and wrong ones") + 1
    };
    course::of_lesson(&LESSONS[lesson]).iter().map(|item| (place(item, true), place(item, false))).collect()
}

#[test]
fn every_lesson_can_be_answered_rightly_to_its_end() {
    let mut progress = Progress::default();
    for (lesson, one) in LESSONS.iter().enumerate() {
        assert_eq!(progress.next_lesson(), Some(lesson));
        let answers = answers(lesson);
        assert!((2..=12).contains(&answers.len()), "{}: {} questions", one.word, answers.len());
        let lines: String = answers.iter().map(|(right, _)| format!("{}\n", letter(*right))).collect();
        let (ended, text, saved) = learn(lesson, Format::Text, &lines, &mut progress);
        assert_eq!((ended, saved), (Ended::Finished, answers.len()), "{text}");
        assert_eq!(text.matches("Right.\n").count(), answers.len(), "{text}");
        assert!(!text.contains("No."), "{text}");
        let played = one.scenarios.iter().filter(|name| text.contains(&format!("\n{name} (")));
        let steps: usize = played.map(|name| course::scenario(name).0.steps.len()).sum();
        let is_step = |line: &&str| {
            let number = line.strip_prefix("  ").and_then(|line| line.split_once(". "));
            number.is_some_and(|(number, _)| number.parse::<usize>().is_ok())
        };
        // What comes next is told before a question, and has no results.
        let taken: Vec<&str> =
            text.split("\nNext are:\n").map(|part| part.split_once("\n\n").map_or("", |(_, rest)| rest)).collect();
        let mut told: Vec<&str> = taken.iter().flat_map(|part| part.lines()).filter(is_step).collect();
        // A step that decides two questions is told with each.
        told.dedup();
        assert_eq!(told.len(), steps, "each step is told once: {text}");
        // What would give answers away comes after them.
        let (before, after) = text.split_once("\nOn a machine of your own\n").expect("there is something to type");
        assert!(before.contains("Right.\n") && !after.contains("Right.\n"), "{text}");
        assert!(after.contains(&format!("Anywhere.\n\n  # true\n  Nothing of lesson {lesson}.\n")), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert_eq!(progress.of_lesson(one), (answers.len(), answers.len(), answers.len()));
    }
    assert_eq!((progress.next_lesson(), progress.hint()), (None, None));
}

#[test]
fn a_wrong_answer_gets_the_rule_then_the_step() {
    let mut progress = Progress::default();
    let all = answers(6);
    let (right, wrong) = all[0];
    let hint = progress_after(6).hint().expect("there is a question");
    let (ended, text, saved) = learn(6, Format::Text, &format!("{0}\n{0}\n", letter(wrong)), &mut progress);
    assert_eq!((ended, saved), (Ended::Left, 1));
    let (first, rest) = text.split_once("Try again.").expect("it may be tried again");
    assert!(first.contains("No. It would be so if this were true: ") && first.contains("The rule at stake"), "{first}");
    // What is so instead is told with the step.
    assert!(!first.contains("What is so:") && !first.contains("[kernel/"), "{first}");
    assert!(rest.contains("No. It is: ") && rest.contains("[kernel/signal.c:"), "{rest}");
    assert!(rest.contains("To be continued"), "{rest}");
    assert!(hint.contains("The rule at stake"), "{hint}");
    let key = &course::of_lesson(&LESSONS[6])[0].key;
    assert_eq!((progress.answered[key].tries, progress.answered[key].right), (2, false));
    // It goes on with the next one.
    let (_, text, _) = learn(6, Format::Text, "", &mut progress);
    assert!(!text.contains(&key[..]), "{text}");
    // Wrong, then right.
    let mut progress = Progress::default();
    let (_, text, _) =
        learn(6, Format::Text, &format!("hint\nnonsense\n0\n{}\n{}\n", letter(wrong), letter(right)), &mut progress);
    assert_eq!(text.matches("Answer with a letter from a to").count(), 1, "{text}");
    assert_eq!(text.matches("That fits c and d").count(), 1, "two of the answers have a 0: {text}");
    assert!(text.contains("Right.\n"), "{text}");
    assert_eq!((progress.answered[key].tries, progress.answered[key].right), (2, true));
}

/// Progress in which everything before a lesson was answered.
fn progress_after(lesson: usize) -> Progress {
    let mut progress = Progress::default();
    for item in LESSONS[..lesson].iter().flat_map(course::of_lesson) {
        progress.answered.insert(item.key, pidlab_learn::Answered::after(1, true));
    }
    progress
}

#[test]
fn words_are_answers_too() {
    let item = &course::of_lesson(&LESSONS[0])[0];
    let right = item.question.choices.iter().find(|choice| choice.right).expect("one is right");
    let (_, text, saved) =
        learn(0, Format::Text, &format!("  {}  \n", right.words.to_uppercase()), &mut Progress::default());
    assert!(text.contains("Right.\n") && saved == 1, "{text}");
    // What stands between words does not count, and what fits several is asked again.
    let (lesson, item) = (1, &course::of_lesson(&LESSONS[1])[0]);
    let right = item.question.choices.iter().find(|choice| choice.right).expect("one is right");
    let said = right.words.replace("; ", ", ");
    assert_ne!(said, right.words);
    let (_, text, saved) = learn(lesson, Format::Text, &format!("fails.\n{said}.\n"), &mut Progress::default());
    let letters: Vec<_> =
        (1..).zip(&item.question.choices).filter(|(_, choice)| choice.words.contains("fails")).collect();
    let letters: Vec<_> = letters.iter().map(|(number, _)| letter(*number).to_string()).collect();
    assert!(letters.len() > 1 && text.contains(&format!("That fits {}: say more", letters.join(" and "))), "{text}");
    assert!(text.contains("Right.\n") && saved == 1, "{text}");
}

/// An answer after a hint is not one at once.
#[test]
fn hints_are_counted() {
    let mut progress = Progress::default();
    let lines: String = answers(0).iter().map(|(right, _)| format!("hint\n{}\n", letter(*right))).collect();
    let (ended, text, _) = learn(0, Format::Text, &lines, &mut progress);
    let all = answers(0).len();
    assert_eq!((ended, progress.of_lesson(&LESSONS[0])), (Ended::Finished, (all, 0, all)), "{text}");
}

/// The rule that helps is one that decides: it fires between the step before which a question stands and the one that it is about.
#[test]
fn the_rule_at_stake_fires() {
    let about = |name: &str, text: &str| {
        let (scenario, _) = course::scenario(name);
        let items = course::items(&scenario, &Facts::newest());
        let item =
            items.into_iter().find(|item| item.question.text == text).unwrap_or_else(|| panic!("{name}: {text}"));
        item.question
    };
    let is = |name: &str, text: &str| about(name, text).rule.expect("a rule decides");
    assert_eq!(
        is("creation/unshare-moves-the-children", "shell has unshared. Is it PID 1 now?"),
        "unshare.children-only"
    );
    // Of several that fire, one of the step that is asked about.
    let asked = "shell is 2 in its own namespace. Whom does init see as parent?";
    assert_eq!(is("creation/the-child-is-the-init", asked), "view.getppid-outside");
    // Where the reader could have read before, one of the step that made the answer another.
    assert_eq!(is("orphans/adopted-by-own-init", "Who is leaf's parent now?"), "reap.ns-is-fathers");
    let ahead = about("orphans/adopted-by-own-init", "Who is leaf's parent now?").ahead;
    assert_eq!(ahead, ["mid: exit(0)", "leaf: getppid()"]);
}

/// A PID that is typed is that PID, though there may be a choice with this number.
#[test]
fn a_pid_is_an_answer() {
    let numbers = LESSONS.iter().enumerate().flat_map(|(lesson, one)| {
        let first = course::of_lesson(one).into_iter().next().expect("it asks something");
        let place = first.question.choices.iter().position(|choice| choice.right).expect("one is right");
        let pid = first.question.choices[place].words.split(':').next().and_then(|word| word.parse::<usize>().ok());
        pid.map(|pid| (lesson, pid))
    });
    let mut asked = 0;
    for (lesson, pid) in numbers {
        let (_, text, saved) = learn(lesson, Format::Text, &format!("{pid}\n"), &mut Progress::default());
        assert!(text.contains("Right.\n") && saved == 1, "{text}");
        asked += 1;
    }
    assert!(asked > 0);
}

#[test]
fn for_programs_each_line_is_an_object() {
    let all = answers(6);
    let lines: String = all.iter().map(|(right, wrong)| format!("{wrong}\n{right}\n")).collect();
    let (ended, text, _) = learn(6, Format::Json, &lines, &mut Progress::default());
    assert_eq!(ended, Ended::Finished);
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    assert_eq!(objects.len(), all.len() * 3 + 1);
    for (three, (right, wrong)) in objects.chunks(3).zip(&all) {
        assert!(three[0]["question"].is_string() && three[0]["choices"].is_array(), "{three:?}");
        assert!(three[0].to_string().find("\"right\"").is_none(), "the question does not tell");
        assert_eq!((&three[1]["answer"], &three[1]["again"]), (&(*wrong).into(), &true.into()), "{three:?}");
        assert_eq!((&three[2]["answer"], &three[2]["right"]), (&(*right).into(), &true.into()), "{three:?}");
    }
    assert_eq!(objects[objects.len() - 1]["done"], "deaf");
}

/// What is chosen because of a misconception is what the model gives that follows it; and what is right is so on the model.
#[test]
fn every_misconception_among_the_answers_gives_that_answer() {
    let (mut named, mut words) = (0, BTreeSet::new());
    for name in LESSONS.iter().flat_map(|lesson| lesson.scenarios) {
        let (scenario, _) = course::scenario(name);
        let truth = run(&scenario, Model::new(Facts::newest()));
        for item in course::items(&scenario, &Facts::newest()) {
            for choice in &item.question.choices {
                let Some(word) = choice.misconception else { continue };
                let wrong = Misconception::from_word(word).expect("it is one");
                let misconceived = run(&scenario, Model::misconceived(Facts::newest(), wrong));
                assert_ne!(truth, misconceived, "{}: {word} makes no difference", item.key);
                named += 1;
                words.insert(word);
            }
        }
    }
    println!("{named} answers of the lessons come from {} misconceptions", words.len());
    assert!(words.len() >= 12, "{words:?}");
}

fn run(scenario: &Scenario, mut model: Model) -> Vec<Observation> {
    let start = model.start(scenario).observation;
    let steps = scenario.steps.iter().map_while(|step| model.step(scenario, step).ok());
    std::iter::once(start).chain(steps.map(|answer| answer.observation)).collect()
}
