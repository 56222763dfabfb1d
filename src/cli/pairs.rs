//! Which two rules never meet in one random scenario: what the generator does not bring together, nothing tests together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use pidlab_sim::rule;

/// How many pairs are listed.
const LISTED: usize = 40;

/// Counts in how many scenarios each two rules fired.
pub(super) struct Pairs {
    /// The place of a rule in the catalogue, by its id.
    places: BTreeMap<&'static str, usize>,
    /// A row a rule, with a count for itself and each rule before it.
    met: Vec<Vec<u64>>,
    scenarios: u64,
}

impl Default for Pairs {
    fn default() -> Pairs {
        let places = rule::CATALOGUE.iter().enumerate().map(|(place, rule)| (rule.id, place)).collect();
        Pairs { places, met: (0..rule::CATALOGUE.len()).map(|place| vec![0; place + 1]).collect(), scenarios: 0 }
    }
}

impl Pairs {
    /// Takes in the rules that one scenario fired.
    pub(super) fn add(&mut self, fired: &BTreeSet<&'static str>) {
        self.scenarios += 1;
        let places = self.places(fired);
        for (index, later) in places.iter().enumerate() {
            for earlier in &places[..=index] {
                self.met[*later][*earlier] += 1;
            }
        }
    }

    fn places(&self, fired: &BTreeSet<&'static str>) -> Vec<usize> {
        let mut places: Vec<usize> = fired.iter().filter_map(|id| self.places.get(id).copied()).collect();
        places.sort_unstable();
        places
    }

    /// How rare the pairs among these rules are, all together: one that never met counts as much as two that met once.
    pub(super) fn rarity(&self, fired: &BTreeSet<&'static str>) -> f64 {
        let places = self.places(fired);
        let pairs = places.iter().enumerate().flat_map(|(index, later)| {
            places[..index].iter().map(|earlier| 1.0 / (1 + self.met[*later][*earlier]) as f64)
        });
        pairs.sum()
    }

    /// How many pairs met.
    pub(super) fn met(&self) -> usize {
        self.pairs().filter(|pair| pair.met).count()
    }

    /// How many pairs met, the chapters that meet least, and the pairs that never met although both rules are frequent.
    pub(super) fn text(&self) -> String {
        let pairs: Vec<Pair> = self.pairs().collect();
        let mut text = format!("pairs of rules in one scenario: {} of {} met\n", self.met(), pairs.len());
        text += &self.chapters(&pairs);
        let mut never: Vec<&Pair> = pairs.iter().filter(|pair| !pair.met && pair.expected > 0.0).collect();
        never.sort_by(|left, right| right.expected.total_cmp(&left.expected));
        if !never.is_empty() {
            let _ = writeln!(text, "pairs that never met, of {}; how often they would by chance", never.len());
        }
        for pair in never.into_iter().take(LISTED) {
            let [one, other] = pair.ids;
            let _ = writeln!(text, "  {one:<34} {other:<34} {:>7.1}", pair.expected);
        }
        text
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> + '_ {
        let scenarios = self.scenarios.max(1) as f64;
        let fired = |place: usize| self.met[place][place] as f64;
        (0..self.met.len()).flat_map(move |later| {
            (0..later).map(move |earlier| Pair {
                ids: [rule::CATALOGUE[earlier].id, rule::CATALOGUE[later].id],
                met: self.met[later][earlier] > 0,
                expected: fired(earlier) * fired(later) / scenarios,
            })
        })
    }

    /// The two chapters of rules that meet least, a line each.
    fn chapters(&self, pairs: &[Pair]) -> String {
        let mut counts: BTreeMap<[&str; 2], (usize, usize)> = BTreeMap::new();
        for pair in pairs {
            let mut key = pair.ids.map(|id| id.split('.').next().unwrap_or(id));
            key.sort_unstable();
            let (met, all) = counts.entry(key).or_default();
            *met += usize::from(pair.met);
            *all += 1;
        }
        let mut counts: Vec<([&str; 2], usize, usize)> =
            counts.into_iter().filter(|(_, (met, all))| met < all).map(|(key, (met, all))| (key, met, all)).collect();
        counts.sort_by_key(|(_, met, all)| met * 1000 / all);
        let lines =
            counts.iter().take(LISTED).map(|([one, other], met, all)| format!("{one} with {other} {met}/{all}"));
        let list = lines.collect::<Vec<_>>().join(", ");
        format!("least\n{}\n", textwrap::fill(&list, crate::words::page().initial_indent("  ").subsequent_indent("  ")))
    }
}

/// Two rules.
struct Pair {
    ids: [&'static str; 2],
    met: bool,
    /// In how many scenarios both would have fired if they had nothing to do with each other.
    expected: f64,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pidlab_sim::rule;

    use super::Pairs;

    #[test]
    fn what_fires_in_one_scenario_has_met() {
        let [one, other, third] = [0, 1, 2].map(|place| rule::CATALOGUE[place].id);
        let mut pairs = Pairs::default();
        pairs.add(&BTreeSet::from([other, one]));
        pairs.add(&BTreeSet::from([third]));
        let text = pairs.text();
        let count = rule::CATALOGUE.len();
        assert!(text.starts_with(&format!("pairs of rules in one scenario: 1 of {} met\n", count * (count - 1) / 2)));
        assert!(text.contains(&format!("{one:<34} {third:<34}")), "{text}");
        assert!(!text.contains(&format!("{one:<34} {other:<34}")), "{text}");
    }
}
