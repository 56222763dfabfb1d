//! Places in a text as a browser counts them: in units of UTF-16.

use pidlab_scenario::{Place, Scenario, Step};

/// So many units of UTF-16 are before this byte.
pub(crate) fn units(text: &str, byte: usize) -> usize {
    let end = (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].encode_utf16().count()
}

/// Longer files are shown with all that they claim.
const MOST_CLAIMED: usize = 60;

/// Where the steps of a file say what comes of them.
pub(crate) fn claims(scenario: &Scenario, text: &str) -> Vec<Vec<(usize, usize)>> {
    if scenario.steps.len() > MOST_CLAIMED {
        return Vec::new();
    }
    let of_step = |(index, step): (usize, &Step)| {
        let mut keys: Vec<String> = step.claimed().map(|claim| claim.written(scenario).keys[0].clone()).collect();
        keys.dedup();
        let places = keys.iter().filter_map(|key| Place::find(text, index + 1, std::slice::from_ref(key)));
        places.map(|place| (units(text, place.pair.start), units(text, place.pair.end))).collect()
    };
    scenario.steps.iter().enumerate().map(of_step).collect()
}
