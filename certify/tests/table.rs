//! The table of duties, against the model's catalogue of rules.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use pidlab_certify::{DUTIES, Profile, find};
use pidlab_sim::rule::CATALOGUE;

#[test]
fn each_duty_has_rules_that_there_are_and_says_what_helps() {
    let ids: BTreeSet<&str> = CATALOGUE.iter().map(|rule| rule.id).collect();
    let names: BTreeSet<&str> = DUTIES.iter().map(|duty| duty.name).collect();
    assert_eq!(names.len(), DUTIES.len(), "a name is a duty's own");
    for duty in DUTIES {
        assert!(!duty.rules.is_empty() && duty.rules.iter().all(|rule| ids.contains(rule)), "{duty:?}");
        assert!(duty.profiles.is_empty() || duty.help.len() > 20, "{}", duty.name);
        assert_eq!(find(duty.name).map(|found| found.sentence), Some(duty.sentence));
        assert!(duty.is_for_started() || duty.is_for_running(), "{}", duty.name);
        // What is made in a container that others use is little.
        assert!(duty.orphans() <= 3, "{}", duty.name);
        // Whoever starts nothing is not asked about what it has started.
        assert!(!(duty.needs_command && duty.profiles.contains(&Profile::Pause)), "{}", duty.name);
    }
    assert!(DUTIES.iter().filter(|duty| !duty.profiles.is_empty()).count() >= 30);
}
