//! The catalogue: every rule that the model follows, one constant each, in teaching order.
//!
//! Most rules are named at the very branch that they decide; the others describe a situation that other rules have made
//! ([`Kind`]). Everything else about rules (lists, explanations, coverage) is made from this table.
//!
//! Kernels differ, and a sentence is true on every kernel on which its rule fires. So where a
//! [`Fact`] decides, there are two rules, one for each side, and [`Rule::about`] says which is whose.

use pidlab_scenario::Fact;

mod numbers;

mod creation;

mod views;

mod lookups;

mod death;

mod waiting;

mod signals;

mod threads;

mod users;

mod tracing;

pub use creation::*;
pub use death::*;
pub use lookups::*;
pub use numbers::*;
pub use signals::*;
pub use threads::*;
pub use tracing::*;
pub use users::*;
pub use views::*;
pub use waiting::*;

/// One rule of Linux.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its permanent name.
    pub id: &'static str,
    /// What is true.
    pub sentence: &'static str,
    /// Where the kernel does it: `file:function`.
    pub kernel: &'static str,
    /// The manual page, and the section of it, if one says so.
    pub manual: Option<&'static str>,
    /// The first kernel with it, where that is not all that matter.
    pub since: Option<&'static str>,
    /// The last kernel with it.
    pub until: Option<&'static str>,
    /// Where manual and kernel differ, or another trap.
    pub note: Option<&'static str>,
    /// The fact that decides whether a kernel follows this rule, and the side of it. A rule without one is true on every kernel.
    pub about: Option<(Fact, bool)>,
    /// What it means that the rule fired.
    pub kind: Kind,
}

/// What it means that a rule fired.
///
/// Exhaustive on purpose: there are no others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// The branch that it stands for was taken: without the rule the outcome would be another.
    Decides,
    /// The situation that it is about came up, and what follows there follows from other rules.
    Describes,
}

/// Every rule, in teaching order.
pub const CATALOGUE: &[&Rule] = &CHAPTERS;

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    CATALOGUE.iter().copied().find(|rule| rule.id == id)
}

const PARTS: [&[&Rule]; 10] = [NUMBERS, CREATION, VIEWS, LOOKUPS, DEATH, WAITING, SIGNALS, THREADS, USERS, TRACING];

const COUNT: usize = {
    let (mut count, mut part) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

const CHAPTERS: [&Rule; COUNT] = {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[at] = PARTS[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
};

/// Declares rules, and the list of them in the same order.
macro_rules! rules {
    ($list:ident; $($name:ident = $id:literal, $sentence:literal, $kernel:literal $(, manual: $manual:literal)?
        $(, since: $since:literal)? $(, until: $until:literal)? $(, note: $note:literal)?
        $(, fact: $fact:ident = $holds:literal)? $(, kind: $kind:ident)? ;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $sentence, ".")]
            pub const $name: $crate::Rule = $crate::Rule {
                id: $id,
                sentence: $sentence,
                kernel: $kernel,
                manual: rules!(@option $($manual)?),
                since: rules!(@option $($since)?),
                until: rules!(@option $($until)?),
                note: rules!(@option $($note)?),
                about: rules!(@about $($fact $holds)?),
                kind: rules!(@kind $($kind)?),
            };
        )*
        pub(in crate::rule) const $list: &[&$crate::Rule] = &[$(&$name),*];
    };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
    (@about) => { None };
    (@about $fact:ident $holds:literal) => { Some((pidlab_scenario::Fact::$fact, $holds)) };
    (@kind) => { $crate::rule::Kind::Decides };
    (@kind $kind:ident) => { $crate::rule::Kind::$kind };
}
use rules;
