//! Two keys of one profile, ours and another vault's: after a fork one of them may have been rotated away, and taking the
//! wrong one loses the user's only key.

use jiff::Timestamp;

/// What is known of one of the two after AWS was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rival {
    pub added: Option<Timestamp>,
    /// Whether AWS takes what it signs.
    pub active: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    Ours,
    Theirs,
}

/// An active key before one that is not; of two active ones the newer. Ours stays where nothing speaks for theirs.
pub fn winner(ours: Rival, theirs: Rival) -> Winner {
    match (ours.active, theirs.active) {
        (false, true) => Winner::Theirs,
        (true, true) if theirs.added > ours.added => Winner::Theirs,
        _ => Winner::Ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_active_key_wins_and_ours_stays_in_doubt() {
        let rival = |second: i64, active| Rival { added: Timestamp::from_second(second).ok(), active };
        for (ours, theirs, expected) in [
            (rival(1, true), rival(2, true), Winner::Theirs),
            (rival(2, true), rival(1, true), Winner::Ours),
            (rival(1, true), rival(1, true), Winner::Ours),
            (rival(1, true), rival(2, false), Winner::Ours),
            (rival(2, false), rival(1, true), Winner::Theirs),
            (rival(1, false), rival(2, false), Winner::Ours),
        ] {
            assert_eq!(winner(ours, theirs), expected, "{ours:?} {theirs:?}");
        }
    }
}
