//! What goes wrong with PID namespaces, as lessons; and all that pidlab has to teach, as one site.
//!
//! [`incidents`] are real ones, each with the public thread that it is from, the scenarios of the library that show it, the rules behind it, and
//! what to do; where something is stuck, with what `pidlab why` said when that state was made on a real kernel. [`beside`] are commands of the tools
//! that every machine has, lesson by lesson. Both are data in files of this crate, read strictly, and tested: each rule decides in one of the
//! scenarios, each command is run and writes what is said that it writes.
//!
//! [`Site`] makes a static site of these, of the lessons, of every page of documentation that it is given, and of the library: a page for each
//! scenario, with a player for each chapter. It needs no server and no network.
//!
//! # Why not mdBook
//!
//! mdBook was measured for this (its crate `mdbook-driver` 0.5, without default features): 59 packages that this workspace does not have, and 105 seconds of processor time to
//! compile them; the parser that it stands on, `pulldown-cmark`, is three packages and 4 seconds. Most of this site is no Markdown either: it is
//! made from the catalogue of rules, the table of lessons, and runs of the model. What mdBook would add (themes, a search index of 600 KB,
//! editable code) is not needed for it.
//!
//! Modules in reading order: `incident`, `beside` (the data), `names` (of pages and places), `tell` (an incident as a text), `markdown` (from
//! Markdown to HTML, with links to what there is), `frame` (what all pages have in common), `scenarios`, `course` (the pages), `site`, `check` (whether all links lead somewhere).
#![forbid(unsafe_code)]

mod beside;
mod check;
mod course;
mod frame;
mod incident;
mod markdown;
mod names;
mod scenarios;
mod site;
mod tell;

pub use beside::{Beside, beside};
pub use check::faults;
pub use incident::{Command, Incident, Why, incidents};
pub use site::{Document, Site};
pub use tell::{HOW_TO_TYPE, markdown, page, title};
