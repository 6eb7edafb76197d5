//! How long nothing has happened, as far as a page says something about it. *Runs: both.*

use serde::{Deserialize, Serialize};

/// From here on, in milliseconds, there is a hint at what may be the matter,
const A_WHILE: u64 = 30_000;
/// and from here on one at another way.
const LONG: u64 = 120_000;

/// How long nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// No longer than usual.
    Short,
    /// Half a minute.
    AWhile,
    /// Two minutes.
    Long,
}

impl Silence {
    /// After so many milliseconds without news.
    #[must_use]
    pub const fn after(milliseconds: u64) -> Self {
        match milliseconds {
            0..A_WHILE => Self::Short,
            A_WHILE..LONG => Self::AWhile,
            _ => Self::Long,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_hint_after_half_a_minute_and_another_after_two() {
        let after = [0, 29_999, 30_000, 119_999, 120_000, u64::MAX].map(Silence::after);
        let (short, a_while, long) = (Silence::Short, Silence::AWhile, Silence::Long);
        assert_eq!(after, [short, short, a_while, a_while, long, long]);
    }
}
