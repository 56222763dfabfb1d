//! A sentence on many kernels, and the facts that its verdict hangs on.

use pidlab_scenario::{Fact, Facts};

use crate::case::Case;
use crate::trial::Undecided;
use crate::verdict::{Heard, Ruling, Verdict};

/// A kernel that a sentence is heard on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// What it is called.
    pub name: String,
    /// Its release.
    pub release: String,
    /// What it is like.
    pub facts: Facts,
}

/// What a sentence is, on all kernels that it was heard on.
///
/// Exhaustive on purpose: who tells of it has words for each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Overall {
    /// The same wherever it can be decided.
    Always(Verdict),
    /// Not the same: one of these facts, switched alone, changes the verdict.
    Depends(Vec<Fact>),
    /// Nothing here can decide it.
    NotHere,
}

/// A sentence on the kernels of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Record {
    /// What it is in all.
    pub overall: Overall,
    /// What it is on each kernel, in the order of the table.
    pub rulings: Vec<Ruling>,
}

impl Case {
    /// Hears it on the models of these kernels, and of the newest, the oldest, and one with all that only vendors have.
    ///
    /// # Errors
    /// A trial decides nothing.
    pub fn record(&self, kernels: &[Kernel]) -> Result<Record, Undecided> {
        let ruling = |facts: &Facts| self.on_facts(facts).map(|heard| heard.ruling);
        let rulings = kernels.iter().map(|kernel| ruling(&kernel.facts)).collect::<Result<Vec<_>, _>>()?;
        let ends = self.ends().iter().map(ruling).collect::<Result<Vec<_>, _>>()?;
        let mut verdicts: Vec<Verdict> = rulings.iter().chain(&ends).filter_map(Ruling::verdict).collect();
        verdicts.sort_unstable();
        verdicts.dedup();
        let overall = match verdicts[..] {
            [] => Overall::NotHere,
            [verdict] => Overall::Always(verdict),
            _ => Overall::Depends(self.hangs_on(kernels)?),
        };
        Ok(Record { overall, rulings })
    }

    /// The facts of which one, switched alone on one of these kernels or at an end of the model, changes the verdict.
    ///
    /// # Errors
    /// A trial decides nothing.
    pub fn hangs_on(&self, kernels: &[Kernel]) -> Result<Vec<Fact>, Undecided> {
        let given: Vec<Facts> = kernels.iter().map(|kernel| kernel.facts.clone()).chain(self.ends()).collect();
        let verdict = |facts: &Facts| self.on_facts(facts).map(|heard| heard.ruling.verdict());
        let before = given.iter().map(verdict).collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        for fact in Fact::ALL {
            for (facts, before) in given.iter().zip(&before) {
                let switched = facts.clone().with(*fact, !facts.holds(*fact));
                if let (Some(before), Some(after)) = (before, verdict(&switched)?)
                    && *before != after
                {
                    found.push(*fact);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The newest kernel, the oldest, and the newest with all that only vendors have; and the newest with either side of what a trial needs.
    fn ends(&self) -> Vec<Facts> {
        let vendors = Fact::ALL.iter().filter(|fact| fact.is_of_a_vendor());
        let of_vendors = vendors.fold(Facts::newest(), |facts, fact| facts.with(*fact, true));
        let mut ends = vec![Facts::newest(), Facts::oldest(), of_vendors];
        for need in self.needs() {
            ends.extend([true, false].map(|holds| Facts::newest().with(need.fact, holds)));
        }
        ends.dedup();
        ends
    }
}

/// A sentence that was heard: on the kernel at hand, or one in its place, and on those of a table.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Hearing {
    /// The sentence.
    pub case: Case,
    /// Where `here` is: `Linux 6.18.44`.
    pub place: String,
    /// What came of it there.
    pub here: Heard,
    /// What it is on the kernels of the table.
    pub record: Record,
}

impl Hearing {
    /// A sentence that was heard at a place, and is heard on these kernels.
    ///
    /// # Errors
    /// A trial decides nothing on one of them.
    pub fn new(case: Case, place: &str, here: Heard, kernels: &[Kernel]) -> Result<Hearing, Undecided> {
        let record = case.record(kernels)?;
        Ok(Hearing { case, place: place.to_owned(), here, record })
    }
}
