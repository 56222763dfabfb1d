//! What many believe and Linux does not do: the model can be told to follow it, to see which scenarios prove it wrong.
//!
//! Each is a claim from teaching material or from a public thread, put into the one branch of the model where it would be decided. A
//! harness that does not notice a wrong model is worth nothing; this is how it shows that it does.

/// A wrong belief about Linux.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Misconception {
    /// "An orphan goes to its grandparent." It goes to a subreaper above its dead parent, else to that parent's namespace's init.
    OrphansGoToGrandparent,
    /// "A subreaper outside collects the orphans of a namespace." The search ends at the border of the dead parent's
    /// namespace.
    SubreaperReachesInside,
    /// "`kill -9 1` inside a container ends it." The signal is dropped.
    InitDiesFromInside,
    /// "Numbers start again at 2." They start again at 300.
    NumbersRestartAtTwo,
}

impl Misconception {
    /// Every one.
    pub const ALL: &[Misconception] = &[
        Misconception::OrphansGoToGrandparent,
        Misconception::SubreaperReachesInside,
        Misconception::InitDiesFromInside,
        Misconception::NumbersRestartAtTwo,
    ];

    /// Its word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Misconception::OrphansGoToGrandparent => "orphans-go-to-grandparent",
            Misconception::SubreaperReachesInside => "subreaper-reaches-inside",
            Misconception::InitDiesFromInside => "init-dies-from-inside",
            Misconception::NumbersRestartAtTwo => "numbers-restart-at-two",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Misconception> {
        Misconception::ALL.iter().copied().find(|known| known.word() == word)
    }
}
