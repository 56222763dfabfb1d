//! What the pages are called, and how words are written in them.

/// The page of a lesson, counted from 1.
pub(crate) fn lesson(number: usize) -> String {
    format!("lesson-{number:02}.html")
}

/// The page of an incident.
pub(crate) fn incident(id: &str) -> String {
    format!("incident-{id}.html")
}

/// The page of a scenario.
pub(crate) fn scenario(name: &str) -> String {
    format!("scenario-{}.html", name.replace('/', "-"))
}

/// Where a scenario can be stepped through: the page of its chapter, which is told which scenario to show.
pub(crate) fn player(name: &str) -> String {
    format!("play-{}.html#s={name}", chapter(name))
}

/// The chapter that a scenario is in.
pub(crate) fn chapter(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

/// The page that a document becomes.
pub(crate) fn document(name: &str) -> String {
    format!("{}.html", name.trim_end_matches(".md").to_lowercase())
}

/// The anchor of a heading, as others make it who show Markdown.
pub(crate) fn slug(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | ' '));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::{document, player, slug};

    #[test]
    fn names_are_those_that_others_link_to() {
        assert_eq!(slug("What `pidlab why` says: it's \"x\""), "what-pidlab-why-says-its-x");
        assert_eq!(document("README.md"), "readme.html");
        assert_eq!(player("death/not-gone-yet"), "play-death.html#s=death/not-gone-yet");
    }
}
