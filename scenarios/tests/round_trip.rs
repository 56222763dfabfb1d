//! A scenario written as a file is read back as the same scenario.
#![forbid(unsafe_code)]

use pidlab_scenario::words::{Argument, CallWords, Kind, calls};
use pidlab_scenario::{
    CloneFlags, Errno, Expect, Fact, NamespaceTypes, Need, ReturnValue, Role, Scenario, Signal, WaitOptions, library,
};
use proptest::prelude::*;

/// The scenario without the places of its steps, which a rewritten file moves.
fn without_places(mut scenario: Scenario) -> Scenario {
    for step in &mut scenario.steps {
        step.span = 0..0;
    }
    scenario
}

#[test]
fn the_library_parses_and_survives_being_written() {
    let mut wrong = String::new();
    let mut files = 0;
    for file in library::files() {
        files += 1;
        match Scenario::parse(&file.name, &file.path, file.text) {
            Err(diagnostics) => wrong += &format!("{diagnostics}\n\n"),
            Ok(scenario) => {
                let written = scenario.to_toml();
                let again = Scenario::parse(&file.name, "written.toml", &written)
                    .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
                assert_eq!(without_places(again), without_places(scenario), "{written}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(files >= 40, "only {files} files");
}

/// Turns bytes into scenarios: every call of the table, with every kind of its arguments.
struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::from(self.byte()) % items.len()]
    }

    fn number(&mut self) -> i32 {
        let byte = self.byte();
        self.one_of(&[0, 1, -1, i32::MIN, i32::MAX, i32::from(byte), i32::from_le_bytes([byte; 4])])
    }

    fn flag(&mut self) -> bool {
        self.byte().is_multiple_of(2)
    }

    fn role(&mut self, made: &[String]) -> Role {
        Role(u16::from(self.byte()) % u16::try_from(made.len()).expect("a test makes few processes"))
    }

    fn target(&mut self, made: &[String]) -> String {
        if self.flag() { quoted(&made[self.role(made).index()]) } else { self.number().to_string() }
    }

    fn signal(&mut self) -> String {
        let number = i64::from(self.byte() % 64) + 1;
        let name = Signal::new(number).expect("1 to 64 are signals").to_string();
        // Two have no name.
        if Signal::from_name(&name).is_some() { quoted(&name) } else { number.to_string() }
    }

    fn names<'n>(&mut self, names: impl Iterator<Item = (&'n str, bool)>) -> String {
        let some: Vec<String> =
            names.filter(|(_, known)| *known && self.byte().is_multiple_of(4)).map(|(name, _)| quoted(name)).collect();
        format!("[{}]", some.join(", "))
    }

    /// An argument as a writer writes it.
    fn argument(&mut self, kind: Kind, made: &[String]) -> String {
        match kind {
            Kind::NewProcess => quoted(&format!("{}{}", self.one_of(&["p", "P-", "a_"]), made.len())),
            Kind::Process => quoted(&made[self.role(made).index()]),
            Kind::WaitPid if self.byte().is_multiple_of(4) => quoted("any"),
            Kind::WaitGroup if self.byte().is_multiple_of(4) => quoted("own"),
            Kind::Target | Kind::WaitPid | Kind::WaitGroup => self.target(made),
            Kind::CloneFlags => self.names(CloneFlags::all().iter_names().map(|(name, _)| (name, true))),
            Kind::PidfdFlags(all) => self.names(all.iter_names().map(|(name, _)| (name, true))),
            Kind::NamespaceTypes => self.names(NamespaceTypes::all().iter_names().map(|(name, _)| (name, true))),
            Kind::WaitOptions => self.names(WaitOptions::all().iter_names().map(|(name, _)| (name, name != "WEXITED"))),
            Kind::WaitidOptions => self.names(WaitOptions::all().iter_names().map(|(name, _)| (name, true))),
            Kind::SignalOrZero if self.byte().is_multiple_of(4) => "0".to_owned(),
            Kind::Signal | Kind::SignalOrZero => self.signal(),
            Kind::Signals => {
                let signals: Vec<String> = (0..=self.byte() % 3).map(|_| self.signal()).collect();
                format!("[{}]", signals.join(", "))
            }
            Kind::Numbers => {
                let numbers: Vec<String> = (0..=self.byte() % 3).map(|_| self.number().to_string()).collect();
                format!("[{}]", numbers.join(", "))
            }
            Kind::Status | Kind::Value => self.number().to_string(),
            Kind::Uid | Kind::Number => (self.number().unsigned_abs() / 2).to_string(),
            Kind::Flag => self.flag().to_string(),
            Kind::Word(words) => quoted(self.one_of(words)),
        }
    }

    /// The arguments of a call, without some of those that may be absent.
    fn arguments(&mut self, words: &CallWords, made: &[String]) -> Vec<(&'static str, String)> {
        let (several, needed) = words.one_of.clone().unwrap_or_default();
        let one = if several.is_empty() || (!needed && self.flag()) { None } else { Some(self.one_of(&several)) };
        let mut given = Vec::new();
        for Argument { name, kind, required, .. } in &words.arguments {
            let wanted = if several.contains(name) { one == Some(name) } else { *required || self.byte() >= 64 };
            if wanted {
                given.push((*name, self.argument(*kind, made)));
            }
        }
        given
    }

    fn step(&mut self, made: &mut Vec<String>) -> Drawn {
        let words = &calls()[usize::from(self.byte()) % calls().len()];
        let by = quoted(&made[self.role(made).index()]);
        let arguments = self.arguments(words, made);
        if let Some((_, child)) = arguments.iter().find(|(name, _)| *name == "child") {
            made.push(child.trim_matches('"').to_owned());
        }
        let given: Vec<String> = arguments.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let pairs = [vec![format!("by = {by}"), format!("call = \"{}\"", words.name)], given.clone()].concat();
        let expect = if words.returns { self.expect(made) } else { None };
        Drawn { text: format!("  {{ {} }},\n", pairs.join(", ")), given, expect }
    }

    fn expect(&mut self, made: &[String]) -> Option<Expect> {
        match self.byte() % 8 {
            0 => Some(Expect::Returns(ReturnValue::Number(i64::from(self.number()) << (self.byte() % 32)))),
            1 => Some(Expect::Returns(ReturnValue::Role(self.role(made)))),
            2 => Some(Expect::Fails(self.one_of(Errno::ALL))),
            3 => Some(Expect::Blocks),
            _ => None,
        }
    }
}

/// A step as a writer writes it, but for what may be left out.
struct Drawn {
    text: String,
    /// Its arguments.
    given: Vec<String>,
    expect: Option<Expect>,
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The scenario that bytes and some texts make, and the arguments that its steps were given.
fn scenario(bytes: &[u8], texts: [&str; 3]) -> (Scenario, Vec<Vec<String>>) {
    let mut bytes = Bytes(bytes.iter());
    let mut made = vec!["host".to_owned()];
    let drawn: Vec<Drawn> = (0..=bytes.byte() % 12).map(|_| bytes.step(&mut made)).collect();
    let steps: String = drawn.iter().map(|step| &step.text[..]).collect();
    let text = format!("title = \"A claim\"\nsteps = [\n{steps}]\n");
    let read = Scenario::parse("made/here", "made.toml", &text);
    let mut scenario = without_places(read.unwrap_or_else(|wrong| panic!("{wrong}\n{text}")));
    for (step, drawn) in scenario.steps.iter_mut().zip(&drawn) {
        step.expect = drawn.expect;
        step.ask = bytes.flag().then(|| texts[2].to_owned());
    }
    texts[0].clone_into(&mut scenario.title);
    texts[1].clone_into(&mut scenario.about);
    if bytes.flag() {
        scenario.rules = vec!["reap.subreaper".to_owned(), "a-b_c.9".to_owned()];
    }
    let needed: Vec<Fact> = Fact::ALL.iter().copied().filter(|_| bytes.flag()).collect();
    scenario.needs = needed.into_iter().map(|fact| Need { fact, holds: bytes.flag() }).collect();
    (scenario, drawn.into_iter().map(|step| step.given).collect())
}

/// What a file says is in the scenario: it is written again, but for empty lists, which say no more than their absence.
#[track_caller]
fn holds_all(text: &str, given: &[Vec<String>]) {
    let (_, steps) = text.rsplit_once("\nsteps = [\n").expect("a file has steps");
    let steps = steps.lines().filter(|line| line.starts_with("  { by = "));
    for (line, pairs) in steps.zip(given) {
        let lost = pairs.iter().find(|pair| !pair.ends_with("= []") && !line.contains(pair.as_str()));
        assert_eq!(lost, None, "{line}");
    }
}

proptest! {
    #[test]
    fn every_scenario_survives_being_written(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        title in "\\S[\\S ]{0,30}",
        about in any::<String>(),
        ask in "(?s).{0,20}",
    ) {
        prop_assume!(!title.trim().is_empty());
        let (made, given) = scenario(&bytes, [&title, &about, &ask]);
        let text = made.to_toml();
        holds_all(&text, &given);
        match Scenario::parse("made/here", "made.toml", &text) {
            Ok(read) => prop_assert_eq!(without_places(read), made, "{}", text),
            Err(wrong) => prop_assert!(false, "{}\n{}", wrong, text),
        }
    }
}
