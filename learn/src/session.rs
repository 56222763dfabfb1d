//! The dialogue: a lesson is played, and at each question the learner answers before the step is shown.

use std::io::{self, BufRead, Write};

use pidlab_page::{Choice, LESSONS, Lesson, Question};
use pidlab_scenario::{escaped_json, one_line};
use pidlab_sim::{Misconception, Rule, rule};
use serde_json::{Value, json};

use crate::course::{self, Item};
use crate::played::{Played, Stage};
use crate::progress::{Answered, Progress};

/// How a session is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line: a question, then what came of each answer.
    Json,
}

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ended {
    /// The lesson is at its end.
    Finished,
    /// The learner left, or the input ended.
    Left,
}

/// So many answers are asked for; after the last one the step is shown.
const MOST_TRIES: u32 = 2;

/// No more rules are named at a step.
const MOST_RULES: usize = 4;

/// What a learner said.
enum Said {
    Choice(usize),
    Hint,
    Quit,
    Unclear,
}

/// A learner at the terminal, or at the other end of a pipe.
pub struct Session<'a, R, W, S> {
    /// Answers, one a line.
    pub input: R,
    /// Where it is written.
    pub output: W,
    /// How.
    pub format: Format,
    /// What was answered before, and is added to.
    pub progress: &'a mut Progress,
    /// Called after each question.
    pub save: &'a mut dyn FnMut(&Progress),
    /// How worlds are drawn, and what a kernel gives.
    pub stage: S,
    /// How many columns there are.
    pub width: usize,
}

/// The lesson with the first question that was not answered yet; nothing once all were.
pub(crate) fn next_lesson(progress: &Progress) -> Option<usize> {
    let open = |lesson: &Lesson| course::of_lesson(lesson).iter().any(|item| is_open(progress, item));
    LESSONS.iter().position(open)
}

/// Whether a question is still to be answered.
fn is_open(progress: &Progress, item: &Item) -> bool {
    !progress.answered.contains_key(&item.key)
}

impl Progress {
    /// The lesson to go on with; nothing once every question of the course was answered.
    pub fn next_lesson(&self) -> Option<usize> {
        next_lesson(self)
    }

    /// How many questions of a lesson were answered, how many of these with the first answer, and how many there are.
    pub fn of_lesson(&self, lesson: &Lesson) -> (usize, usize, usize) {
        let items = course::of_lesson(lesson);
        let answers: Vec<&Answered> = items.iter().filter_map(|item| self.answered.get(&item.key)).collect();
        let at_once = answers.iter().filter(|answer| answer.right && answer.tries == 1).count();
        (answers.len(), at_once, items.len())
    }

    /// A hint for the next question: the rule at stake.
    pub fn hint(&self) -> Option<String> {
        let items = LESSONS.iter().flat_map(course::of_lesson);
        let item = items.into_iter().find(|item| is_open(self, item))?;
        Some(format!("{}: {}\n{}", item.question.deed, item.question.text, hint(&item.question)))
    }
}

/// The rule at stake, as a sentence.
fn hint(question: &Question) -> String {
    match question.rule.and_then(rule::find) {
        Some(rule) => format!("The rule at stake, {}: {}.", rule.id, rule.sentence),
        None => "No rule says more than the step does.".to_owned(),
    }
}

impl<R: BufRead, W: Write, S: Stage> Session<'_, R, W, S> {
    /// Plays a lesson from its first open question on; one that was answered to its end is played again.
    ///
    /// # Errors
    /// If the output cannot be written, or the input not read.
    pub fn lesson(&mut self, index: usize) -> io::Result<Ended> {
        let lesson = &LESSONS[index];
        let open = course::of_lesson(lesson).iter().any(|item| is_open(self.progress, item));
        self.heading(index, lesson)?;
        for name in lesson.scenarios {
            let (scenario, _) = course::scenario(name);
            let items = course::items(&scenario, &self.stage.facts());
            let asked: Vec<Item> = items.into_iter().filter(|item| !open || is_open(self.progress, item)).collect();
            if asked.is_empty() {
                continue;
            }
            let played = Played::new(scenario, &mut self.stage);
            if self.play(lesson, &played, &asked)? == Ended::Left {
                self.left()?;
                return Ok(Ended::Left);
            }
        }
        self.finished(index, lesson)?;
        Ok(Ended::Finished)
    }

    fn play(&mut self, lesson: &Lesson, played: &Played, asked: &[Item]) -> io::Result<Ended> {
        self.say(&format!("\n{} ({})\n", played.scenario.name, played.by))?;
        if let Some(notice) = &played.notice {
            self.paragraph("", &format!("Note: {}", one_line(notice)))?;
        }
        let mut shown = 0;
        for item in asked {
            self.steps(played, shown, item.moment)?;
            shown = shown.max(item.moment);
            if self.format == Format::Text {
                let seen = &played.seen[item.moment.min(played.seen.len() - 1)];
                let world = self.stage.world(&played.scenario, seen);
                self.say(&format!("\n{}\n", world.trim_end()))?;
            }
            let Some((tries, right)) = self.ask(lesson, played, item)? else { return Ok(Ended::Left) };
            // The answer has shown it.
            shown = shown.max(item.question.step);
            self.progress.answered.insert(item.key.clone(), Answered::after(tries, right));
            (self.save)(self.progress);
        }
        self.steps(played, shown, played.seen.len() - 1)?;
        self.paragraph("", &format!("So: {}.", one_line(&played.scenario.title)))?;
        Ok(Ended::Finished)
    }

    /// The steps after the first `from` ones, up to `to`.
    fn steps(&mut self, played: &Played, from: usize, to: usize) -> io::Result<()> {
        for step in from + 1..=to.min(played.seen.len() - 1) {
            self.say(&format!("  {}\n", played.line(step)))?;
        }
        Ok(())
    }

    /// Asks until the answer is right, or often enough. Nothing if the learner leaves.
    fn ask(&mut self, lesson: &Lesson, played: &Played, item: &Item) -> io::Result<Option<(u32, bool)>> {
        let question = &item.question;
        self.put(lesson, played, item)?;
        let mut tries = 0;
        loop {
            let choice = match self.hear(question)? {
                None | Some(Said::Quit) => return Ok(None),
                Some(Said::Hint) => {
                    self.tell(&hint(question), || json!({ "hint": rule_of(question) }))?;
                    continue;
                }
                Some(Said::Unclear) => {
                    let most = question.choices.len();
                    let help = format!(
                        "Answer with a letter from a to {}, or in words; `hint` helps, `quit` leaves.",
                        letter(most - 1)
                    );
                    self.tell(&help, || json!({ "unclear": true, "choices": most }))?;
                    continue;
                }
                Some(Said::Choice(choice)) => choice,
            };
            tries += 1;
            let chosen = &question.choices[choice];
            if !chosen.right && tries < MOST_TRIES {
                self.tell(
                    &format!("No. {} Try again.", hint(question)),
                    || json!({ "answer": choice + 1, "right": false, "again": true, "rule": rule_of(question) }),
                )?;
                continue;
            }
            self.reveal(played, question, choice, chosen)?;
            return Ok(Some((tries, chosen.right)));
        }
    }

    fn put(&mut self, lesson: &Lesson, played: &Played, item: &Item) -> io::Result<()> {
        let question = &item.question;
        if self.format == Format::Json {
            let steps: Vec<String> =
                (1..=item.moment.min(played.seen.len() - 1)).map(|step| played.line(step)).collect();
            let choices: Vec<&str> = question.choices.iter().map(|choice| &choice.words[..]).collect();
            return self.json(&json!({
                "question": item.key, "lesson": lesson.word, "scenario": played.scenario.name, "on": played.by, "steps": steps,
                "step": question.step, "deed": question.deed, "read": question.read, "text": question.text, "choices": choices,
            }));
        }
        self.say(&format!("\nNext is step {}. {}\n", question.step, question.deed))?;
        let read = question.read.as_ref().map(|read| format!(" (Asked of {read}, later.)")).unwrap_or_default();
        self.paragraph("", &format!("{}{read}", question.text))?;
        for (index, choice) in question.choices.iter().enumerate() {
            self.paragraph(&format!("  {}) ", letter(index)), &choice.words)?;
        }
        Ok(())
    }

    /// The next answer; nothing at the end of the input.
    fn hear(&mut self, question: &Question) -> io::Result<Option<Said>> {
        loop {
            self.say("> ")?;
            self.output.flush()?;
            let mut line = Vec::new();
            if self.input.read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                return Ok(Some(understand(question, line.trim(), self.format)));
            }
        }
    }

    fn reveal(&mut self, played: &Played, question: &Question, choice: usize, chosen: &Choice) -> io::Result<()> {
        let right = question.choices.iter().find(|choice| choice.right).map_or("", |choice| &choice.words);
        let step = question.step;
        let line = if step < played.seen.len() { played.line(step) } else { question.deed.clone() };
        let rules: Vec<&Rule> = played.rules.get(step).into_iter().flatten().take(MOST_RULES).copied().collect();
        if self.format == Format::Json {
            let rules: Vec<Value> = rules.iter().map(|rule| rule_json(rule)).collect();
            return self.json(&json!({
                "answer": choice + 1, "right": chosen.right, "is": right, "step": line, "rules": rules,
                "misconception": chosen.misconception.and_then(Misconception::from_word).map(|wrong| {
                    json!({ "name": wrong.word(), "claim": wrong.claim(), "truth": wrong.truth(), "rule": wrong.rule().id })
                }),
            }));
        }
        self.paragraph("", &if chosen.right { "Right.".to_owned() } else { format!("No. It is: {right}.") })?;
        if let Some(wrong) = chosen.misconception.and_then(Misconception::from_word) {
            let told =
                format!("Yours would be so if this were true: \"{}.\" What is so: {}.", wrong.claim(), wrong.truth());
            self.paragraph("", &told)?;
        }
        self.say(&format!("\n  {line}\n"))?;
        for rule in rules {
            self.paragraph("     ", &format!("{}: {}. [{}]", rule.id, rule.sentence, rule.kernel))?;
        }
        self.say("\n")
    }

    fn heading(&mut self, index: usize, lesson: &Lesson) -> io::Result<()> {
        self.say(&format!("Lesson {} of {}, {}: {}\n\n", index + 1, LESSONS.len(), lesson.word, lesson.title))?;
        self.paragraph("", lesson.text)?;
        self.say("\nAnswer by letter or in words; `hint` helps, `quit` leaves.\n")
    }

    fn finished(&mut self, index: usize, lesson: &Lesson) -> io::Result<()> {
        let beside = self.stage.beside(index);
        if let Some(beside) = &beside {
            self.say("\nOn a machine of your own\n\n")?;
            self.paragraph("", &beside.how)?;
            for (run, shows) in &beside.commands {
                self.say(&format!("\n  # {run}\n"))?;
                self.paragraph("  ", shows)?;
            }
        }
        let (answered, at_once, all) = self.progress.of_lesson(lesson);
        let next = self.progress.next_lesson().map(|next| LESSONS[next].word);
        let more = match next {
            Some(next) => format!("`pidlab learn` goes on with `{next}`."),
            None => "That was the course. `pidlab learn goals` has tasks.".to_owned(),
        };
        let text = format!("\nThe lesson is done: {at_once} of {all} questions right at once. {more}");
        let typed = beside.map_or_else(Vec::new, |beside| beside.commands);
        let typed: Vec<Value> = typed.iter().map(|(run, shows)| json!({ "run": run, "shows": shows })).collect();
        let done = json!({
            "done": lesson.word, "answered": answered, "at_once": at_once, "questions": all, "next": next, "beside": typed,
        });
        self.tell(&text, || done)
    }

    fn left(&mut self) -> io::Result<()> {
        self.tell("\nTo be continued: `pidlab learn` goes on here.", || json!({ "left": true }))
    }

    /// The same thing for people and for programs.
    fn tell(&mut self, text: &str, object: impl FnOnce() -> Value) -> io::Result<()> {
        match self.format {
            Format::Json => self.json(&object()),
            Format::Text if text.starts_with('\n') => {
                self.say("\n")?;
                self.paragraph("", text.trim_start())
            }
            Format::Text => self.paragraph("", text),
        }
    }

    fn json(&mut self, object: &Value) -> io::Result<()> {
        writeln!(self.output, "{}", escaped_json(&object.to_string()))?;
        self.output.flush()
    }

    /// For people only.
    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.format == Format::Text { self.output.write_all(text.as_bytes()) } else { Ok(()) }
    }

    /// For people, too, and no wider than the page.
    fn paragraph(&mut self, first: &str, text: &str) -> io::Result<()> {
        let rest = " ".repeat(first.len());
        let page = textwrap::Options::new(self.width).word_splitter(textwrap::WordSplitter::NoHyphenation);
        let page = page.initial_indent(first).subsequent_indent(&rest);
        self.say(&format!("{}\n", textwrap::fill(text, page)))
    }
}

/// The letter of a choice.
fn letter(index: usize) -> char {
    ('a'..='z').nth(index).expect("there are few choices")
}

/// What an answer means: a letter, the words of a choice, its number, or a part of its words that is in no other. Words may be numbers, PIDs;
/// people mean those. A program means the place in the list.
fn understand(question: &Question, line: &str, format: Format) -> Said {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let line = plain(line);
    match &line[..] {
        "quit" | "q" | "exit" => return Said::Quit,
        "hint" | "?" => return Said::Hint,
        _ => {}
    }
    let words: Vec<String> = question.choices.iter().map(|choice| plain(&choice.words)).collect();
    if let Some(index) = (0..words.len()).find(|index| line == letter(*index).to_string()) {
        return Said::Choice(index);
    }
    let number = line.parse::<usize>().ok();
    let place = number.and_then(|number| number.checked_sub(1)).filter(|index| *index < words.len());
    if let (Format::Json, Some(index)) = (format, place) {
        return Said::Choice(index);
    }
    let whole = |words: &String| *words == line || (number.is_some() && words.starts_with(&format!("{line}:")));
    if let Some(index) = words.iter().position(whole).or(place) {
        return Said::Choice(index);
    }
    let mut with: Vec<usize> = (0..words.len()).filter(|index| words[*index].contains(&line)).collect();
    match (with.pop(), with.pop(), number) {
        (Some(only), None, None) => Said::Choice(only),
        _ => Said::Unclear,
    }
}

fn rule_of(question: &Question) -> Value {
    question.rule.and_then(rule::find).map_or(Value::Null, rule_json)
}

fn rule_json(rule: &Rule) -> Value {
    json!({ "id": rule.id, "sentence": rule.sentence, "kernel": rule.kernel })
}
