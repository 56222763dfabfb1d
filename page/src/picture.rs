//! A moment as a picture: namespaces as boxes in one another, in each the tree of its members, and beside each process one coloured number
//! a namespace.
//!
//! It is SVG with classes. What they look like is `picture.css`, which a page has once and a picture that stands alone has inside. What a
//! viewer may want to fade out carries the numbers of its namespaces (`data-in`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pidlab_scenario::{Line, ProcessLine, State};

use crate::html::escaped;
use crate::scene::{Member, Nest, Node, Spaces, nest};

/// The look of the pictures.
pub const STYLE: &str = include_str!("../web/picture.css");

const ROW: i32 = 30;
const PILL: i32 = 24;
const INDENT: i32 = 21;
const PAD: i32 = 10;
const HEAD: i32 = 26;
const GAP: i32 = 8;
/// What is deeper stands no further to the right: nobody would find it.
const DEEPEST: i32 = 40;
/// A number of so many namespaces has a colour of its own; then they begin again.
const COLOURS: u16 = 7;

/// What a picture shows.
pub(crate) struct Moment<'a> {
    /// The world.
    pub(crate) line: &'a Line,
    /// The world before, to show what is new.
    pub(crate) before: Option<&'a Line>,
    /// What the namespaces are called.
    pub(crate) spaces: &'a Spaces,
    /// In which call each blocked process sleeps.
    pub(crate) sleeping: &'a BTreeMap<String, String>,
}

/// The picture as an SVG element.
pub(crate) fn draw(moment: &Moment<'_>, title: &str, style: bool) -> String {
    let mut drawing = Drawing { moment, body: String::new() };
    let root = nest(moment.line, moment.spaces);
    let (right, bottom) = drawing.nest(&root, (1, 1), 0);
    let (width, height) = (right + 1, bottom + 1);
    let style = if style { format!("<style>{STYLE}</style>") } else { String::new() };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"world\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\"><title>{}</title><desc>{}</desc>{style}{}</svg>",
        escaped(title),
        escaped(&described(moment)),
        drawing.body
    )
}

/// The same as a text: each process with its numbers, its parent and its state.
fn described(moment: &Moment<'_>) -> String {
    let one = |process: &ProcessLine| {
        let numbers = crate::changes::numbers(process, moment.spaces);
        let of = match (&process.thread_of, &process.parent) {
            (Some(leader), _) => format!("; thread of {leader}"),
            (None, Some(parent)) => format!("; child of {parent}"),
            (None, None) => String::new(),
        };
        let notes: Vec<String> = notes(moment, process).into_iter().map(|note| format!("; {note}")).collect();
        format!("{}: {numbers}{of}{}.", process.name, notes.concat())
    };
    moment.line.processes.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What is to be said of a process beside its numbers.
fn notes(moment: &Moment<'_>, process: &ProcessLine) -> Vec<String> {
    let mut notes = Vec::new();
    match process.state {
        State::Running => {}
        State::Blocked => {
            let call = moment.sleeping.get(&process.name).map_or("a call", String::as_str);
            notes.push(format!("sleeps in {call}"));
        }
        State::Zombie => notes.push("zombie".to_owned()),
        State::Exiting => notes.push("leaving: waits for the others".to_owned()),
        State::Stopped => notes.push("stopped".to_owned()),
        State::Traced => notes.push("held by its tracer".to_owned()),
    }
    if process.thread_of.is_some() {
        notes.push("thread".to_owned());
    }
    let was = moment.before.map(|before| before.processes.iter().find(|was| was.name == process.name));
    match was {
        Some(None) => notes.push("new".to_owned()),
        Some(Some(was)) if was.parent != process.parent => {
            notes.extend(was.parent.as_ref().map(|parent| format!("was {parent}'s")));
        }
        _ => {}
    }
    notes
}

struct Drawing<'a> {
    moment: &'a Moment<'a>,
    body: String,
}

impl Drawing<'_> {
    /// Draws a namespace with its upper left corner here; answers where it ends. Namespaces lie no deeper than 32, so this ends.
    fn nest(&mut self, nest: &Nest<'_>, (x, top): (i32, i32), depth: i32) -> (i32, i32) {
        let label = format!("PID namespace of {}", self.moment.spaces.label(nest.space));
        let begin = self.body.len();
        let mut right = x + PAD + width(&label, SMALL_BOLD);
        let mut y = top + HEAD;
        for node in &nest.nodes {
            let (node_right, bottom) = self.node(node, (x + PAD, y), depth + 1);
            (right, y) = (right.max(node_right), bottom);
        }
        let (right, bottom) = (right + PAD, y + PAD - 4);
        let space = nest.space;
        let frame = format!(
            "<g class=\"nest n{}\" data-in=\"{space}\"><rect x=\"{x}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"10\"/>\
             <text class=\"label\" x=\"{}\" y=\"{}\">{}</text></g>",
            space % COLOURS,
            right - x,
            bottom - top,
            x + PAD,
            top + 18,
            escaped(&label)
        );
        // The frame lies below what it holds, and its size is known last.
        self.body.insert_str(begin, &frame);
        (right, bottom)
    }

    fn node(&mut self, node: &Node<'_>, (x, y): (i32, i32), depth: i32) -> (i32, i32) {
        match node {
            Node::Process(member) => self.member(member, (x, y), depth),
            Node::Nest(nest) => {
                let (right, bottom) = self.nest(nest, (x, y + 4), depth);
                (right, bottom + GAP)
            }
        }
    }

    fn member(&mut self, member: &Member<'_>, (x, y): (i32, i32), depth: i32) -> (i32, i32) {
        let mut right = self.row(member, x, y);
        let mut bottom = y + ROW;
        let inner = if depth < DEEPEST { x + INDENT } else { x };
        let mut last = None;
        for node in &member.below {
            let middle = match node {
                Node::Process(_) => bottom + ROW / 2,
                Node::Nest(_) => bottom + 4 + HEAD + ROW / 2,
            };
            let _ = write!(self.body, "<path class=\"line\" d=\"M{} {middle}H{}\"/>", x + 10, inner);
            last = Some(middle);
            let (node_right, node_bottom) = self.node(node, (inner, bottom), depth + 1);
            (right, bottom) = (right.max(node_right), node_bottom);
        }
        if let Some(last) = last {
            let _ = write!(self.body, "<path class=\"line\" d=\"M{} {}V{last}\"/>", x + 10, y + ROW - 3);
        }
        (right, bottom)
    }

    /// The name of a process in a pill, its numbers, and what is to be said of it.
    fn row(&mut self, member: &Member<'_>, x: i32, y: i32) -> i32 {
        let process = member.process;
        let pill = width(&process.name, BOLD) + 18;
        let spaces: Vec<String> = process.namespaces.iter().map(ToString::to_string).collect();
        let _ = write!(
            self.body,
            "<g class=\"{}\" data-name=\"{}\" data-in=\"{}\"><rect class=\"pill\" x=\"{x}\" y=\"{}\" width=\"{pill}\" height=\"{PILL}\" \
             rx=\"7\"/><text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            self.classes(process),
            escaped(&process.name),
            spaces.join(" "),
            y + 3,
            x + pill / 2,
            y + 20,
            escaped(&process.name)
        );
        let mut right = x + pill + 6;
        for (number, space) in process.pids.iter().zip(&process.namespaces) {
            let number = number.to_string();
            let chip = width(&number, MONO) + 12;
            let _ = write!(
                self.body,
                "<g class=\"num n{}\" data-in=\"{space}\"><rect x=\"{right}\" y=\"{}\" width=\"{chip}\" height=\"19\" rx=\"5\"/>\
                 <text x=\"{}\" y=\"{}\">{number}</text></g>",
                space % COLOURS,
                y + 6,
                right + chip / 2,
                y + 20
            );
            right += chip + 4;
        }
        let mut notes = notes(self.moment, process);
        notes.extend(member.parent_elsewhere.map(|parent| format!("child of {parent}, outside")));
        if !notes.is_empty() {
            let note = notes.join(" · ");
            let _ = write!(
                self.body,
                "<text class=\"note\" x=\"{}\" y=\"{}\">{}</text>",
                right + 3,
                y + 19,
                escaped(&note)
            );
            right += 3 + width(&note, SMALL_BOLD);
        }
        self.body.push_str("</g>");
        right
    }

    fn classes(&self, process: &ProcessLine) -> String {
        let mut classes = format!("task {}", process.state);
        if self.moment.line.by.as_deref() == Some(&process.name) {
            classes += " actor";
        }
        match self.moment.before.map(|before| before.processes.iter().find(|was| was.name == process.name)) {
            Some(None) => classes += " new",
            Some(Some(was)) if was.parent != process.parent => classes += " moved",
            Some(Some(was)) if was.state != process.state => classes += " turned",
            _ => {}
        }
        if process.thread_of.is_some() {
            classes += " thread";
        }
        classes
    }
}

/// How wide letters are, in hundredths of a pixel: narrow ones, most, wide ones.
#[derive(Clone, Copy)]
struct Face(i32, i32, i32);

/// Names, 14 px and bold. Measured on DejaVu Sans, which is wider than most: in others there is room left.
const BOLD: Face = Face(540, 990, 1460);
/// Labels, and notes, which are bold where they tell of a change.
const SMALL_BOLD: Face = Face(440, 850, 1250);
const MONO: Face = Face(783, 783, 783);

/// How wide a text is, about: in an SVG nobody measures.
fn width(text: &str, Face(narrow, most, wide): Face) -> i32 {
    let of = |letter: char| match letter {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | 'I' | ' ' | '.' | ',' | ':' | '\'' | '(' | ')' | '·' => narrow,
        'm' | 'w' | 'M' | 'W' => wide,
        _ => most,
    };
    text.chars().map(of).sum::<i32>() / 100 + 1
}
