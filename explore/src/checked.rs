//! The properties, held against a whole space.

use pidlab_scenario::Scenario;

use crate::property::{Property, When};
use crate::space::Space;
use crate::written;

/// A property, held against a whole space.
pub struct Checked {
    /// Which.
    pub property: &'static Property,
    /// The shortest scenario that shows it to be so, or for what is always so, that it is not.
    pub shown: Option<Scenario>,
}

impl Checked {
    /// Whether it is as it is to be.
    pub fn is_right(&self) -> bool {
        (self.property.when == When::Sometimes) == self.shown.is_some()
    }
}

impl Space {
    /// What is always so, and what sometimes: each with the shortest scenario that shows it, or shows it to be wrong.
    pub fn properties(&self) -> Vec<Checked> {
        let all = self.hits.all().map(|(property, transition)| {
            let shown = transition.and_then(|transition| {
                let (from, _) = self.graph().edge_endpoints(transition)?;
                let last = self.graph()[transition];
                let mut path = self.path(from);
                path.push((last.step, last.way));
                Some(written::scenario(self.plan(), &path, property.sentence))
            });
            Checked { property, shown }
        });
        all.collect()
    }
}
