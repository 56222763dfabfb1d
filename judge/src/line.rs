//! One line of a log of strace(1).
//!
//! ```text
//!   4711  12:00:00.1 wait4(-1,  <unfinished ...>           a call begins
//!   4712  --- SIGTERM {si_signo=SIGTERM, …} ---            a signal is about to be taken
//!   4712  +++ killed by SIGTERM +++                        an end
//!   4711  <... wait4 resumed>[{…}], 0, NULL) = 4712        a call has come back
//! ```

use winnow::Parser;
use winnow::Result;
use winnow::ascii::{dec_int, dec_uint, digit1, space0, space1};
use winnow::combinator::{alt, delimited, opt, preceded, repeat, separated, terminated};
use winnow::error::ContextError;
use winnow::token::{literal, none_of, rest, take_until, take_while};

/// What a line says, and of which task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line<'a> {
    /// `None` where strace names nobody: as long as there is one task.
    pub(crate) pid: Option<u32>,
    /// When it was written, if the log says it.
    pub(crate) time: Option<&'a str>,
    pub(crate) said: Said<'a>,
}

/// What a line says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said<'a> {
    /// A call, from behind its opening parenthesis on.
    Call {
        name: &'a str,
        rest: &'a str,
    },
    /// The beginning of one that comes back in another line.
    Begun {
        name: &'a str,
        arguments: &'a str,
    },
    /// The end of one that was begun in another line.
    Resumed {
        name: &'a str,
        rest: &'a str,
    },
    Exited {
        status: i32,
    },
    Killed {
        signal: &'a str,
    },
    /// An exec by another thread has put that in this one's place.
    Superseded {
        by: u32,
    },
    Signal {
        name: &'a str,
        info: &'a str,
    },
    /// A stop of the process.
    Stopped,
    /// What strace says of itself.
    Remark,
}

/// A call with its arguments and what it gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) arguments: Vec<&'a str>,
    pub(crate) result: &'a str,
}

/// Reads a line.
pub(crate) fn line(text: &str) -> Option<Line<'_>> {
    let parsed: std::result::Result<Line<'_>, _> = whole.parse(text.trim_end());
    parsed.ok()
}

fn whole<'a>(input: &mut &'a str) -> Result<Line<'a>> {
    let remark = alt((literal("strace: "), literal("Process "), literal("/usr/bin/strace: ")));
    if opt(winnow::combinator::peek(remark)).parse_next(input)?.is_some() {
        rest.parse_next(input)?;
        return Ok(Line { pid: None, time: None, said: Said::Remark });
    }
    let pid = opt(pid).parse_next(input)?;
    let time = opt(terminated(time.take(), space1)).parse_next(input)?;
    let said = said.parse_next(input)?;
    Ok(Line { pid, time, said })
}

fn pid(input: &mut &str) -> Result<u32> {
    let bracketed = delimited((literal("[pid"), space1), dec_uint, (literal("]"), space1));
    alt((bracketed, terminated(dec_uint, space1))).parse_next(input)
}

/// `12:00:00`, `12:00:00.123456`, `1700000000.123456`, or how long it took since the line before (`+0.000123`).
fn time(input: &mut &str) -> Result<()> {
    let clock = (digit1, literal(":"), digit1, literal(":"), digit1, opt((literal("."), digit1))).void();
    let seconds = (opt(literal("+")), space0, digit1, literal("."), digit1).void();
    alt((clock, seconds)).parse_next(input)
}

fn said<'a>(input: &mut &'a str) -> Result<Said<'a>> {
    alt((end, signal, resumed, call)).parse_next(input)
}

fn end<'a>(input: &mut &'a str) -> Result<Said<'a>> {
    let exited = preceded(literal("exited with "), dec_int).map(|status| Said::Exited { status });
    let killed = preceded(literal("killed by "), terminated(word, opt(literal(" (core dumped)"))));
    let superseded = preceded(literal("superseded by execve in pid "), dec_uint::<_, u32, _>);
    let what =
        alt((exited, killed.map(|signal| Said::Killed { signal }), superseded.map(|by| Said::Superseded { by })));
    delimited(literal("+++ "), what, literal(" +++")).parse_next(input)
}

fn signal<'a>(input: &mut &'a str) -> Result<Said<'a>> {
    let stopped = (literal("stopped by "), word).map(|_| Said::Stopped);
    let info = delimited(literal("{"), take_until(0.., "} ---"), literal("}"));
    let shown = (terminated(word, space1), info).map(|(name, info)| Said::Signal { name, info });
    delimited(literal("--- "), alt((stopped, shown)), literal(" ---")).parse_next(input)
}

fn resumed<'a>(input: &mut &'a str) -> Result<Said<'a>> {
    let name = delimited(literal("<... "), word, (literal(" resumed>"), space0));
    (name, rest).map(|(name, rest)| Said::Resumed { name, rest }).parse_next(input)
}

fn call<'a>(input: &mut &'a str) -> Result<Said<'a>> {
    let (name, rest): (&str, &str) = (terminated(word, literal("(")), rest).parse_next(input)?;
    Ok(match rest.strip_suffix("<unfinished ...>") {
        Some(arguments) => Said::Begun { name, arguments: arguments.trim_end() },
        None => Said::Call { name, rest },
    })
}

fn word<'a>(input: &mut &'a str) -> Result<&'a str> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '?')).parse_next(input)
}

/// Reads the arguments of a call and what it gave: what stands behind its opening parenthesis.
pub(crate) fn answered(text: &str) -> Option<Answered<'_>> {
    // Where the caller was killed, what the call would have written is left out behind a comma.
    let end = (opt(literal(",")), space0, literal(")"));
    let mut parser = (terminated(arguments, end), preceded((space0, literal("="), space1), result));
    let parsed = parser.parse(text.trim_end());
    parsed.ok().map(|(arguments, result)| Answered { arguments, result })
}

/// The arguments of a call that has not come back.
pub(crate) fn unanswered(text: &str) -> Vec<&str> {
    let all = text.trim_end().trim_end_matches(',');
    arguments.parse(all).unwrap_or_default()
}

fn arguments<'a>(input: &mut &'a str) -> Result<Vec<&'a str>> {
    let separator = (literal(","), space0);
    let found: Vec<&str> = separated(0.., argument, separator).parse_next(input)?;
    Ok(found.into_iter().map(str::trim).filter(|argument| !argument.is_empty()).collect())
}

fn argument<'a>(input: &mut &'a str) -> Result<&'a str> {
    repeat::<_, _, (), _, _>(1.., piece(&[',', ')'])).take().parse_next(input)
}

/// A string, a comment, something in brackets, or any one character but these.
fn piece<'a>(ends: &'static [char]) -> impl Parser<&'a str, (), ContextError> {
    move |input: &mut &'a str| {
        let plain = none_of(move |c: char| ends.contains(&c) || matches!(c, '"' | '{' | '[' | '(' | '}' | ']'));
        alt((quoted, comment, bracketed, plain.void())).parse_next(input)
    }
}

fn quoted(input: &mut &str) -> Result<()> {
    let escaped = (literal("\\"), none_of(|_: char| false)).void();
    let plain = none_of(|c: char| c == '"' || c == '\\').void();
    (literal("\""), repeat::<_, _, (), _, _>(0.., alt((escaped, plain))), literal("\"")).void().parse_next(input)
}

fn comment(input: &mut &str) -> Result<()> {
    (literal("/*"), take_until(0.., "*/"), literal("*/")).void().parse_next(input)
}

fn bracketed(input: &mut &str) -> Result<()> {
    let inside = || repeat::<_, _, (), _, _>(0.., piece(&[')']));
    alt((
        (literal("{"), inside(), literal("}")).void(),
        (literal("["), inside(), literal("]")).void(),
        (literal("("), inside(), literal(")")).void(),
    ))
    .parse_next(input)
}

/// What a call gave, without how long it took.
fn result<'a>(input: &mut &'a str) -> Result<&'a str> {
    let text: &str = rest.parse_next(input)?;
    let untimed = text.rsplit_once(" <").filter(|(_, took)| {
        took.strip_suffix('>').is_some_and(|took| took.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    });
    Ok(untimed.map_or(text, |(result, _)| result).trim_end())
}
