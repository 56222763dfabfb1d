//! Sizes: what is too much is refused with a message, quickly, and what is odd but allowed is read.
#![forbid(unsafe_code)]

use pidlab_scenario::{Call, CloneFlags, Scenario, Signal, Target};

fn refused(text: &str) -> String {
    let Err(diagnostics) = Scenario::parse("big", "big.toml", text) else { panic!("it is accepted") };
    let shown = diagnostics.render(false);
    assert!(shown.len() < 20_000, "the message has {} bytes", shown.len());
    shown
}

fn read(text: &str) -> Scenario {
    Scenario::parse("odd", "odd.toml", text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn with_steps(steps: impl Iterator<Item = String>) -> String {
    format!("title = \"A claim\"\nsteps = [\n{}]\n", steps.collect::<String>())
}

#[test]
fn a_scenario_has_at_most_4096_steps() {
    let steps = |count| with_steps((0..count).map(|_| "{ by = \"host\", call = \"getpid\" },\n".to_owned()));
    assert_eq!(read(&steps(4096)).steps.len(), 4096);
    assert!(refused(&steps(4097)).contains("the scenario has 4097 steps"));
}

#[test]
fn a_scenario_has_at_most_1024_processes() {
    let forks =
        |count| with_steps((0..count).map(|n| format!("{{ by = \"host\", call = \"fork\", child = \"p{n}\" }},\n")));
    assert_eq!(read(&forks(1023)).roles.len(), 1024);
    assert!(refused(&forks(1024)).contains("too many processes"));
}

#[test]
fn only_the_first_of_very_many_mistakes_are_shown() {
    let shown = refused(&with_steps((0..4000).map(|_| "{ by = \"host\", call = \"frok\" },\n".to_owned())));
    assert_eq!(shown.matches("did you mean `fork`?").count(), 20);
    assert!(shown.ends_with("error: 3980 more in big.toml"), "{shown}");
}

#[test]
fn a_file_of_more_than_a_mebibyte_is_no_scenario() {
    let text = format!("title = \"A claim\"\n# {}\n", "x".repeat(1 << 20));
    assert!(refused(&text).contains("larger than 1048576 bytes"));
}

#[test]
fn a_very_long_line_is_shown_cut() {
    let ask = "why? ".repeat(100_000);
    let text = with_steps([format!("{{ by = \"host\", ask = \"{ask}\", call = \"frok\" }},\n")].into_iter());
    assert!(refused(&text).contains("did you mean `fork`?"));
}

#[test]
fn nesting_without_end_is_refused() {
    for open in ["[", "{ a = "] {
        assert!(refused(&format!("steps = {}", open.repeat(100_000))).contains("this is not TOML"));
    }
    let dotted = format!("{} = 1", ["a"; 100_000].join("."));
    assert!(refused(&dotted).contains("error: "));
}

#[test]
fn numbers_may_be_written_as_toml_allows() {
    let scenario = read(&with_steps(
        ["0x7fff_ffff", "-2_147_483_648", "0o17", "+1"]
            .iter()
            .map(|number| format!("{{ by = \"host\", call = \"kill\", pid = {number}, signal = 0b1001 }},\n")),
    ));
    let pids: Vec<&Call> = scenario.steps.iter().map(|step| &step.call).collect();
    for (call, number) in pids.iter().zip([i32::MAX, i32::MIN, 15, 1]) {
        let target = pidlab_scenario::KillTarget::Pid(Target::Number(number));
        assert_eq!(**call, Call::Kill { target, signal: Some(Signal::KILL) });
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = "\u{feff}title = \"A claim\"\r\nsteps = [\r\n  { by = \"host\", call = \"unshare\" },\r\n]\r\n";
    assert_eq!(read(text).steps[0].call, Call::Unshare { flags: CloneFlags::CLONE_NEWPID });
    assert!(refused(&text.replace("unshare", "unsharee")).contains("big.toml:3:25"));
}

#[test]
fn a_name_may_come_again_only_after_a_step_that_fails() {
    let twice = |first: &str| {
        with_steps(
            [first, ""].iter().map(|rest| format!("{{ by = \"host\", call = \"fork\", child = \"a\"{rest} }},\n")),
        )
    };
    let scenario = read(&twice(", fails = \"ENOMEM\""));
    assert_eq!(scenario.roles, ["host", "a"]);
    assert!(refused(&twice(", returns = 2")).contains("made twice"));
}
