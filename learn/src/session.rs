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
const MOST_RULES: usize = 2;

/// No more steps are named that come until a question can be answered.
const MOST_AHEAD: usize = 8;

/// What is said once, before the first question.
const LEGEND: &str = "`host` is PID 1 of a namespace that is made for each scenario. `host: fork() → a` says that host made a by a fork. In the \
    table each namespace has a column with the numbers in it, named after its PID 1: a process has one number in its own namespace and one in \
    each around it. `ppid` is getppid(), the number of the parent. `pidlab explain WORD` tells what a word means.";

/// What a learner said.
enum Said {
    Choice(usize),
    /// It fits none of the choices, or more than one.
    Unclear(Vec<usize>),
    Hint,
    Quit,
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
        let at_once = answers.iter().filter(|answer| answer.is_at_once()).count();
        (answers.len(), at_once, items.len())
    }

    /// A hint for the next question: the rule at stake.
    pub fn hint(&self) -> Option<String> {
        let items = LESSONS.iter().flat_map(course::of_lesson);
        let item = items.into_iter().find(|item| is_open(self, item))?;
        let about = item.question.read.as_ref().unwrap_or(&item.question.deed);
        Some(format!("{about}: {}\n{}", item.question.text, hint(&item.question)))
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
            let Some(answered) = self.ask(lesson, played, item)? else { return Ok(Ended::Left) };
            // The answer has shown it.
            shown = shown.max(item.question.step);
            self.progress.add(&item.key, answered);
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
    fn ask(&mut self, lesson: &Lesson, played: &Played, item: &Item) -> io::Result<Option<Answered>> {
        let question = &item.question;
        self.put(lesson, played, item)?;
        let mut answered = Answered::default();
        loop {
            let choice = match self.hear(question)? {
                None | Some(Said::Quit) => return Ok(None),
                Some(Said::Hint) => {
                    answered.hints += 1;
                    self.tell(&hint(question), || json!({ "hint": rule_of(question) }))?;
                    continue;
                }
                Some(Said::Unclear(fits)) => {
                    let most = question.choices.len();
                    self.tell(&unclear(&fits, most), || json!({ "unclear": true, "choices": most }))?;
                    continue;
                }
                Some(Said::Choice(choice)) => choice,
            };
            let chosen = &question.choices[choice];
            answered.tries += 1;
            answered.right = chosen.right;
            if !chosen.right && answered.tries < MOST_TRIES {
                // What is so instead would be the answer.
                let idea = misconception(chosen).map(|wrong| {
                    format!(" It would be so if this were true: \"{}.\" ({})", wrong.claim(), wrong.word())
                });
                self.tell(&format!("No.{} {} Try again.", idea.unwrap_or_default(), hint(question)), || {
                    json!({
                        "answer": choice + 1, "right": false, "again": true, "rule": rule_of(question),
                        "misconception": chosen.misconception,
                    })
                })?;
                continue;
            }
            self.reveal(played, question, choice, chosen)?;
            return Ok(Some(answered));
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
                "step": question.step, "deed": question.deed, "ahead": question.ahead, "read": question.read, "text": question.text,
                "choices": choices,
            }));
        }
        self.ahead(question)?;
        for (index, choice) in question.choices.iter().enumerate() {
            self.paragraph(&format!("  {}) ", letter(index)), &choice.words)?;
        }
        Ok(())
    }

    /// What comes next, and the question: it is about the last step of it.
    fn ahead(&mut self, question: &Question) -> io::Result<()> {
        let last = question.step + question.ahead.len() - 1;
        if last == question.step {
            self.say(&format!("\nNext is step {last}. {}\n\n", question.deed))?;
            return self.paragraph("", &format!("{} What comes of it?", question.text));
        }
        self.say("\nNext are:\n")?;
        let left_out = question.ahead.len().saturating_sub(MOST_AHEAD);
        for (step, deed) in (question.step..).zip(&question.ahead) {
            if left_out > 0 && step == question.step + 1 {
                self.say("     ...\n")?;
            }
            if step == question.step || step > question.step + left_out {
                self.say(&format!("  {step}. {deed}\n"))?;
            }
        }
        self.say("\n")?;
        self.paragraph("", &format!("{} What does step {last} give?", question.text))
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
        let mut rules: Vec<&Rule> = question.rule.and_then(rule::find).into_iter().collect();
        for rule in played.rules.get(step).into_iter().flatten() {
            // More that fires there, and that the scenario is not about, is told by `pidlab run`.
            if played.scenario.rules.iter().any(|id| id == rule.id) && !rules.contains(rule) {
                rules.push(rule);
            }
        }
        rules.truncate(MOST_RULES);
        if self.format == Format::Json {
            let rules: Vec<Value> = rules.iter().map(|rule| rule_json(rule)).collect();
            return self.json(&json!({
                "answer": choice + 1, "right": chosen.right, "is": right, "step": line, "rules": rules,
                "misconception": misconception(chosen).map(|wrong| {
                    json!({ "name": wrong.word(), "claim": wrong.claim(), "truth": wrong.truth(), "rule": wrong.rule().id })
                }),
            }));
        }
        self.paragraph("", &if chosen.right { "Right.".to_owned() } else { format!("No. It is: {right}.") })?;
        if let Some(wrong) = misconception(chosen) {
            let told =
                format!("Yours would be so if this were true: \"{}.\" What is so: {}.", wrong.claim(), wrong.truth());
            self.paragraph("", &told)?;
        }
        self.say(&format!("\n  {line}\n"))?;
        for rule in rules {
            self.paragraph("     ", &format!("{}: {}. [{}]", rule.id, rule.sentence, rule.kernel))?;
        }
        Ok(())
    }

    fn heading(&mut self, index: usize, lesson: &Lesson) -> io::Result<()> {
        self.say(&format!("Lesson {} of {}, {}: {}\n\n", index + 1, LESSONS.len(), lesson.word, lesson.title))?;
        self.paragraph("", lesson.text)?;
        if self.progress.answered.is_empty() {
            self.say("\n")?;
            self.paragraph("", LEGEND)?;
        }
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

/// The misconception that leads to a choice.
fn misconception(chosen: &Choice) -> Option<Misconception> {
    chosen.misconception.and_then(Misconception::from_word)
}

/// What to say of an answer that is none.
fn unclear(fits: &[usize], most: usize) -> String {
    if fits.len() > 1 && fits.len() < most {
        let letters: Vec<String> = fits.iter().map(|index| letter(*index).to_string()).collect();
        return format!("That fits {}: say more of it, or the letter.", letters.join(" and "));
    }
    let last = letter(most - 1);
    format!("Answer with a letter from a to {last}, or in the words of an answer; `hint` helps, `quit` leaves.")
}

/// What an answer means: a letter, the words of a choice, its number, or a part of its words that is in no other. Words may be numbers, PIDs;
/// people mean those. A program means the place in the list.
fn understand(question: &Question, line: &str, format: Format) -> Said {
    match line.trim().to_lowercase().as_str() {
        "quit" | "q" | "exit" => return Said::Quit,
        "hint" | "?" => return Said::Hint,
        _ => {}
    }
    let line = plain(line);
    let words: Vec<String> = question.choices.iter().map(|choice| plain(&choice.words)).collect();
    if let Some(index) = (0..words.len()).find(|index| line == letter(*index).to_string()) {
        return Said::Choice(index);
    }
    let number = line.parse::<usize>().ok();
    let place = number.and_then(|number| number.checked_sub(1)).filter(|index| *index < words.len());
    if let (Format::Json, Some(index)) = (format, place) {
        return Said::Choice(index);
    }
    let leads = |choice: &Choice| choice.words.split(':').next() == Some(&line[..]);
    let whole = |index: &usize| words[*index] == line || (number.is_some() && leads(&question.choices[*index]));
    if let Some(index) = (0..words.len()).find(whole).or(place) {
        return Said::Choice(index);
    }
    let with: Vec<usize> = (0..words.len()).filter(|index| !line.is_empty() && words[*index].contains(&line)).collect();
    match (&with[..], number) {
        ([only], None) => Said::Choice(*only),
        _ => Said::Unclear(with),
    }
}

/// Words as they are compared: without what is between them.
fn plain(text: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/');
    text.to_lowercase().split(|letter| !is_word(letter)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn rule_of(question: &Question) -> Value {
    question.rule.and_then(rule::find).map_or(Value::Null, rule_json)
}

fn rule_json(rule: &Rule) -> Value {
    json!({ "id": rule.id, "sentence": rule.sentence, "kernel": rule.kernel })
}
