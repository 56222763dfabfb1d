use super::opening::PREPARED;
use super::theme::Theme;
use crate::CallName;

/// What random scenarios are like.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RandomConfig {
    /// The calls, each with its weight.
    pub calls: Vec<(CallName, u32)>,
    /// How many processes may be there at once, zombies and host included. It also bounds how deep PID namespaces nest:
    /// each has an init.
    pub live: usize,
    /// What the arguments of the calls are like, and what the scenarios begin with.
    pub theme: Theme,
}

impl RandomConfig {
    /// Scenarios about one theme.
    pub fn about(theme: Theme) -> RandomConfig {
        let live = match theme {
            Theme::Depth => usize::from(PREPARED) + 10,
            Theme::Mixed => 12,
            _ => 10,
        };
        RandomConfig { calls: theme.calls(), live, theme }
    }
}

impl Default for RandomConfig {
    fn default() -> RandomConfig {
        RandomConfig::about(Theme::Everything)
    }
}
