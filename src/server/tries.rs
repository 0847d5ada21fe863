//! When another session is tried for, and how hard. Pure.

use jiff::{SignedDuration, Timestamp};

/// What can only be refused again is not asked for at each client's word: it may cost an MFA code or a derivation.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// With all that takes no person.
    Fully,
    /// What others have got meanwhile, and what their session can get: the vault stays closed, and its time until it locks itself
    /// runs on.
    WithoutTheVault,
}

pub struct Tries {
    due: Timestamp,
    /// When it was tried fully, and in vain.
    failed: Option<Timestamp>,
}

impl Tries {
    pub fn due_at(due: Timestamp) -> Self {
        Self { due, failed: None }
    }

    /// Nothing is there any more.
    pub fn at_once(&mut self) {
        self.due = Timestamp::MIN;
    }

    pub fn failed(&mut self, now: Timestamp) {
        self.failed = Some(now);
    }

    /// `asked`: whether a client wants it now, rather than the clock.
    pub fn next(&self, asked: bool, now: Timestamp) -> Option<Try> {
        // A clock that was set back says nothing of how long ago that was.
        let too_soon = self.failed.is_some_and(|failed| (failed..failed + PAUSE).contains(&now));
        match asked {
            _ if now < self.due => None,
            true if !too_soon => Some(Try::Fully),
            _ => Some(Try::WithoutTheVault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_has_the_vault_opened_and_not_again_right_after_it_was_in_vain() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut tries = Tries::due_at(at(1000));
        assert_eq!((tries.next(true, at(999)), tries.next(false, at(999))), (None, None));
        assert_eq!(tries.next(true, at(1000)), Some(Try::Fully));
        assert_eq!(tries.next(false, at(1000)), Some(Try::WithoutTheVault));
        tries.failed(at(1000));
        for (second, asked, expected) in [
            (1000, true, Try::WithoutTheVault),
            (1014, true, Try::WithoutTheVault),
            (1015, true, Try::Fully),
            (1015, false, Try::WithoutTheVault),
        ] {
            assert_eq!(tries.next(asked, at(second)), Some(expected), "{second}");
        }
        tries.at_once();
        assert_eq!(tries.next(true, at(0)), Some(Try::Fully), "set back");
    }
}
