//! How a key's rotation ended, in the one or two words that the table and JSON have for it.

use crate::rotate::plan::End;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Done,
    InGrace,
    /// In grace, with the key that was replaced in its place again.
    Undone,
    Young,
    OldKeyKept,
    NothingToUndo,
    TwoKeys,
    InUse,
    NoWorkingKey,
    RotatedElsewhere,
    UnknownKey,
    NewKeyOff,
    OldKeyOn,
    NotToDelete,
    NotTried,
    Stopped,
    NeedsACode,
    Interrupted,
}

impl Ending {
    /// As a program takes it.
    pub fn name(self) -> String {
        self.words().replace(' ', "-")
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::InGrace => "in grace",
            Self::Undone => "undone",
            Self::Young => "young",
            Self::OldKeyKept => "old key kept",
            Self::NothingToUndo => "nothing to undo",
            Self::TwoKeys => "two keys",
            Self::InUse => "in use",
            Self::NoWorkingKey => "no working key",
            Self::RotatedElsewhere => "rotated elsewhere",
            Self::UnknownKey => "unknown key",
            Self::NewKeyOff => "new key off",
            Self::OldKeyOn => "old key on",
            Self::NotToDelete => "not to delete",
            Self::NotTried => "not tried",
            Self::Stopped => "stopped",
            Self::NeedsACode => "needs a code",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<&End> for Ending {
    fn from(end: &End) -> Self {
        match end {
            End::Done => Self::Done,
            End::Young { .. } => Self::Young,
            End::OldKept { .. } => Self::OldKeyKept,
            End::Grace { .. } | End::GraceNotOver { .. } => Self::InGrace,
            End::NothingToUndo | End::OldKeyGone { .. } | End::AlreadyUndone { .. } => Self::NothingToUndo,
            End::TwoKeys => Self::TwoKeys,
            End::InUse { .. } => Self::InUse,
            End::CurrentGone | End::CurrentOff | End::NoWorkingKey => Self::NoWorkingKey,
            End::RotatedElsewhere => Self::RotatedElsewhere,
            End::Orphan { .. } => Self::UnknownKey,
            End::NewKeyOff { .. } => Self::NewKeyOff,
            End::OldKeyOn { .. } => Self::OldKeyOn,
            End::NotToDelete { .. } => Self::NotToDelete,
        }
    }
}
