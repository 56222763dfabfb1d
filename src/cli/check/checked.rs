//! How one scenario came out, in a word and with what there is to say.

use std::borrow::Cow;
use std::time::Duration;

use pidlab_scenario::{Fact, Need, Scenario};

use super::finding::Finding;
use crate::cli::failed;
use crate::compare::{Problem, Verdict};
use crate::input::{Invalid, Source};
use crate::kernel::{Judged, TimedOut};
use crate::{select, words};

/// How a scenario came out. Those that a user has to see come last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Word {
    /// The machines that were asked agree with one another and with the scenario.
    Agrees,
    /// It is about kernels unlike this one: the model alone ran, and agrees with the scenario.
    ModelOnly,
    /// The kernel did not run it: something is lacking here.
    Skipped,
    /// Whether the kernel may do what it did was not found out.
    NotDecided,
    /// Model and kernel differ.
    Differs,
    /// The file says something that is not so; the machines agree about it.
    ClaimFailed,
    /// The kernel side broke down.
    NoResult,
    /// It is no scenario, or makes a step that cannot be made.
    Invalid,
}

impl Word {
    /// All of them, in the order in which they are counted.
    pub(super) const ALL: [Word; 8] = [
        Word::Agrees,
        Word::Differs,
        Word::ClaimFailed,
        Word::NotDecided,
        Word::Skipped,
        Word::Invalid,
        Word::NoResult,
        Word::ModelOnly,
    ];

    /// As text shows it.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Word::Agrees => "ok",
            Word::ModelOnly => "model only",
            Word::Skipped => "SKIPPED",
            Word::NotDecided => "NOT DECIDED",
            Word::Differs => "DIFFERS",
            Word::ClaimFailed => "CLAIM FAILED",
            Word::NoResult => "NO RESULT",
            Word::Invalid => "INVALID",
        }
    }

    /// As programs read it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Word::Agrees => "agrees",
            Word::ModelOnly => "model-only",
            Word::Skipped => "skipped",
            Word::NotDecided => "not-decided",
            Word::Differs => "differs",
            Word::ClaimFailed => "claim-failed",
            Word::NoResult => "no-result",
            Word::Invalid => "invalid",
        }
    }

    /// Whether a user has to look at it.
    pub(super) fn is_failure(self) -> bool {
        self >= Word::NotDecided
    }
}

/// One scenario, or what should have been one, and how it came out.
pub(super) struct Checked<'a> {
    /// `chapter/name`.
    pub(super) name: &'a str,
    /// How.
    pub(super) word: Word,
    /// The scenario; none where the file is not one.
    pub(super) scenario: Option<&'a Scenario>,
    /// What came of the run, if there was one.
    pub(super) verdict: Option<Verdict>,
    /// What is wrong, each in a text with styles that ends with its line.
    pub(super) problems: Vec<String>,
    /// Why the kernel did not run it, and what can be done about that.
    pub(super) skipped: Option<Skip>,
    /// The command that shows it again.
    pub(super) replay: String,
    /// How long it took.
    pub(super) took: Duration,
    /// The shortest that differs in the same way, if it was looked for.
    pub(super) found: Option<Finding>,
}

/// Why the kernel did not run a scenario.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Skip {
    /// Why, in words.
    pub(super) why: String,
    /// What is lacking, as a scenario says it: `pid-translation`, `!pid-translation`.
    pub(super) needs: Vec<String>,
    /// What can be done about it.
    pub(super) remedy: Option<String>,
    /// Whether it is the place that this program runs in that lacks it, and not the kernel.
    pub(super) of_place: bool,
}

/// What a user asked for and has to say again to see the same.
pub(super) struct Asked {
    /// `pidlab run` with its options.
    pub(super) replay: String,
    /// The kernel side could not run at all.
    pub(super) no_kernel: bool,
}

impl<'a> Checked<'a> {
    /// A file that is no scenario.
    pub(super) fn invalid(invalid: &'a Invalid, asked: &Asked) -> Checked<'a> {
        let mut checked = Checked::new(&invalid.name, &invalid.path, asked);
        checked.set(Word::Invalid, vec![ended(invalid.message(true))]);
        checked
    }

    /// A scenario that was judged.
    pub(super) fn judged(
        source: &'a Source,
        judged: Result<Judged, TimedOut>,
        took: Duration,
        asked: &Asked,
    ) -> Checked<'a> {
        let mut checked = Checked::new(&source.scenario.name, &source.word, asked);
        checked.scenario = Some(&source.scenario);
        checked.took = took;
        match judged {
            Err(TimedOut(limit)) => {
                let why = format!("not decided: it took longer than {} s (--timeout)\n", limit.as_secs_f64());
                checked.set(Word::NotDecided, vec![why]);
            }
            Ok(Judged::Failed(why)) => {
                checked.set(Word::NoResult, vec![format!("the kernel side gave no result: {why}\n")]);
            }
            Ok(Judged::Verdict(verdict)) => {
                let skip = asked.no_kernel.then(|| Skip {
                    why: "the kernel side could not run".to_owned(),
                    needs: Vec::new(),
                    remedy: None,
                    of_place: true,
                });
                checked.verdict(source, verdict, skip.map(|skip| (Word::Skipped, skip)));
            }
            Ok(Judged::Lacking(needs, verdict)) => {
                let skip = Skip {
                    why: format!("this is for machines {}", words::needs(&needs)),
                    needs: names(&needs),
                    remedy: needs.iter().find_map(|need| remedy(need.fact)).map(str::to_owned),
                    of_place: false,
                };
                match verdict {
                    Some(verdict) => checked.verdict(source, verdict, Some((Word::Skipped, skip))),
                    None => checked.skip(Word::Skipped, skip),
                }
            }
            Ok(Judged::Skipped(why, verdict)) => {
                let skip = Skip {
                    why: format!("the kernel side is skipped: {}", why.reason),
                    needs: Vec::new(),
                    remedy: Some(why.remedy),
                    of_place: true,
                };
                match verdict {
                    Some(verdict) => checked.verdict(source, verdict, Some((Word::Skipped, skip))),
                    None => checked.skip(Word::Skipped, skip),
                }
            }
            Ok(Judged::ModelOnly(needs, verdict)) => {
                checked.verdict(source, verdict, Some((Word::ModelOnly, unlike(&needs))));
            }
        }
        checked
    }

    fn new(name: &'a str, word: &str, asked: &Asked) -> Checked<'a> {
        Checked {
            name,
            word: Word::Agrees,
            scenario: None,
            verdict: None,
            problems: Vec::new(),
            skipped: None,
            replay: format!("{} {}", asked.replay, shell_word(word)),
            took: Duration::ZERO,
            found: None,
        }
    }

    fn set(&mut self, word: Word, problems: Vec<String>) {
        self.word = word;
        self.problems = problems;
    }

    fn skip(&mut self, word: Word, skip: Skip) {
        self.word = word;
        self.skipped = Some(skip);
    }

    /// Takes in what came of a run; `instead` is what it is called where nothing is wrong.
    fn verdict(&mut self, source: &Source, verdict: Verdict, instead: Option<(Word, Skip)>) {
        let mut problems: Vec<String> =
            verdict.problems.iter().map(|problem| failed::problem(source, problem)).collect();
        let is_mistaken = verdict.mistake.is_some() && problems.is_empty();
        if let Some(refused) = &verdict.mistake {
            problems.push(ended(failed::refused(source, &verdict, refused).render(true)));
        }
        // A step that cannot be taken after something else than was claimed may be a consequence: the claim is what is wrong.
        match problems.is_empty() {
            false => self.set(if is_mistaken { Word::Invalid } else { word(&verdict) }, problems),
            true => instead.into_iter().for_each(|(word, skip)| self.skip(word, skip)),
        }
        self.verdict = Some(verdict);
    }

    /// Its chapter.
    pub(super) fn chapter(&self) -> &'a str {
        select::chapter(self.name)
    }

    /// How many steps were taken.
    pub(super) fn steps(&self) -> usize {
        self.verdict.as_ref().map_or(0, |verdict| verdict.steps.len().saturating_sub(1))
    }
}

/// A verdict with problems in a word. Where the machines do not differ, and all was found out, the file is wrong: its claims are.
fn word(verdict: &Verdict) -> Word {
    if verdict.problems.iter().any(Problem::is_difference) {
        Word::Differs
    } else if verdict.is_not_decided() {
        Word::NotDecided
    } else {
        Word::ClaimFailed
    }
}

fn unlike(needs: &[Need]) -> Skip {
    let why = format!("on the model only: this is about kernels {}", words::needs(needs));
    Skip { why, needs: names(needs), remedy: None, of_place: false }
}

fn names(needs: &[Need]) -> Vec<String> {
    needs.iter().map(|need| format!("{}{}", if need.holds { "" } else { "!" }, need.fact)).collect()
}

/// What an administrator can do where a fact about the place is lacking.
fn remedy(fact: Fact) -> Option<&'static str> {
    match fact {
        Fact::AnotherUser => Some("run as root: then there is a second user"),
        Fact::UserNamespaces => Some("allow user namespaces (sysctl user.max_user_namespaces)"),
        Fact::MachineRoot => {
            Some("run as root outside user namespaces, with PID namespaces left to it (user.max_pid_namespaces)")
        }
        Fact::ThirtyLevels => Some("run where fewer PID namespaces are nested, outside of containers"),
        _ => None,
    }
}

fn ended(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A word as a shell reads it, whatever is in it.
pub(super) fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if word.starts_with('-') && word != "-" {
        return Cow::Owned(shell_word(&format!("./{word}")).into_owned());
    }
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    if !word.contains(pidlab_scenario::is_hidden) {
        return Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")));
    }
    let quoted = |c: char| match c {
        '\\' | '\'' => format!("\\{c}"),
        c if pidlab_scenario::is_hidden(c) => c.to_string().bytes().map(|byte| format!("\\x{byte:02x}")).collect(),
        c => c.to_string(),
    };
    Cow::Owned(format!("$'{}'", word.chars().map(quoted).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_shell_reads_the_word_back() {
        assert_eq!(shell_word("orphans/told-in-order"), "orphans/told-in-order");
        assert_eq!(shell_word("-"), "-");
        assert_eq!(shell_word("-x.toml"), "./-x.toml");
        assert_eq!(shell_word("a b's.toml"), r"'a b'\''s.toml'");
        assert_eq!(shell_word("$(reboot)"), "'$(reboot)'");
        assert_eq!(shell_word("a\u{1b}[31m'\u{202e}"), r"$'a\x1b[31m\'\xe2\x80\xae'");
    }
}
