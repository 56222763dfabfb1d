//! Namespaces as pictures: nested boxes with the tree of the members inside, as SVG, and as a graph for Graphviz.

use std::fmt::Write as _;

use crate::tree::Nest;

const LINE: usize = 18;
const MARGIN: usize = 10;
/// How wide a letter is, about; the font is one in which all are.
const LETTER: usize = 8;

/// The namespaces as SVG 1.1.
pub fn svg(nests: &[Nest]) -> String {
    let (mut body, mut y, mut width) = (String::new(), MARGIN, 0);
    for nest in nests {
        let (right, bottom) = boxed(&mut body, nest, MARGIN, y);
        (width, y) = (width.max(right), bottom + MARGIN);
    }
    let width = width + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{y}\" font-family=\"monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{y}\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

/// Draws one box at this place; answers where it ends. Namespaces lie no deeper than 32, so this ends.
fn boxed(body: &mut String, nest: &Nest, x: usize, top: usize) -> (usize, usize) {
    let (mut inside, mut y, mut right) = (String::new(), top + LINE, x);
    let mut line = |inside: &mut String, indent: usize, text: &str, style: &str| {
        let at = x + MARGIN + indent * 2 * LETTER;
        right = right.max(at + text.chars().count() * LETTER);
        let _ = writeln!(inside, "<text x=\"{at}\" y=\"{y}\"{style}>{}</text>", escaped(text));
        y += LINE;
    };
    line(&mut inside, 0, &nest.heading(), " font-weight=\"bold\"");
    for member in &nest.members {
        let style = match member.state {
            'Z' | 'X' => " fill=\"#a00000\"",
            _ if member.leaves => " fill=\"#a05000\"",
            _ => "",
        };
        line(&mut inside, member.depth.min(20), &member.words(), style);
    }
    for inner in &nest.inner {
        let (inner_right, bottom) = boxed(&mut inside, inner, x + MARGIN, y);
        (right, y) = (right.max(inner_right), bottom + LINE);
    }
    let (right, bottom) = (right + MARGIN, y.saturating_sub(LINE / 2));
    let _ = writeln!(
        body,
        "<rect x=\"{x}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"#0060c0\" fill-opacity=\"0.06\" stroke=\"#0060c0\"/>",
        right - x,
        bottom - top
    );
    body.push_str(&inside);
    (right, bottom)
}

/// A text within XML, which knows few of the characters below the blank.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '&' => "&amp;".to_owned(),
            '"' => "&quot;".to_owned(),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => '\u{fffd}'.to_string(),
            letter => letter.to_string(),
        })
        .collect()
}

/// The namespaces as a graph for Graphviz: a cluster each, and an edge from a parent to a child.
pub fn dot(nests: &[Nest]) -> String {
    let mut text = "digraph pid_namespaces {\n  node [shape=box, fontname=monospace];\n".to_owned();
    let mut edges = String::new();
    let mut clusters = 0;
    for nest in nests {
        cluster(&mut text, &mut edges, nest, &mut clusters);
    }
    text + &edges + "}\n"
}

fn cluster(text: &mut String, edges: &mut String, nest: &Nest, clusters: &mut usize) {
    *clusters += 1;
    let _ = writeln!(text, "  subgraph cluster_{clusters} {{\n    label = {};", quoted(&nest.heading()));
    for member in &nest.members {
        let Some(pid) = member.numbers.first() else { continue };
        let colour = if matches!(member.state, 'Z' | 'X') { ", color=\"#a00000\"" } else { "" };
        let _ = writeln!(text, "    {pid} [label={}{colour}];", quoted(&member.words()));
        if member.parent != 0 {
            let _ = writeln!(edges, "  {} -> {pid};", member.parent);
        }
    }
    for inner in &nest.inner {
        cluster(text, edges, inner, clusters);
    }
    text.push_str("  }\n");
}

/// A string of the language DOT.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
