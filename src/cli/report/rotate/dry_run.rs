//! What a rotation would do.

use std::time::Duration;

use super::report;
use crate::cli::report::Report;
use crate::cli::report::point_in_time::minute;
use crate::cli::rotate::{RotateFailure, Why};
use crate::duration;
use crate::names::AccessKeyId;
use crate::rotate::plan::End;
use crate::rotate::preview::Deed;

/// In the place of a code that would be asked for.
pub fn session_at_hand(age: Duration) -> String {
    format!("use the session with MFA that is at hand, {} old: no code is needed", duration::words(age))
}

/// Something that a rotation would do.
pub fn deed(deed: &Deed) -> String {
    let key = |key: &Option<AccessKeyId>| key.as_ref().map_or_else(|| "the new key".to_owned(), AccessKeyId::short);
    match deed {
        Deed::AskCode => "ask for an MFA code".to_owned(),
        Deed::Create => "make a new key, and save it in the vault".to_owned(),
        Deed::Prove(id) => format!("try {} until it works everywhere", key(id)),
        Deed::Use(id) => format!("use {} from then on", key(id)),
        Deed::SwitchOff(id) => format!("switch {} off", key(id)),
        Deed::SwitchOn(id) => format!("switch {} on again", id.short()),
        Deed::Delete(id) => format!("delete {}", key(id)),
        Deed::Finish => "that is the end of the rotation".to_owned(),
    }
}

/// The last step to where it would rest, if that is any; else what would stop it.
pub fn ended_words(failure: &RotateFailure) -> Result<Option<String>, Report> {
    Ok(match &failure.why {
        Why::End(End::Grace { old, until }) => Some(format!("delete {} after {}", old.short(), minute(*until))),
        Why::End(End::AlreadyUndone { old, until }) => {
            Some(format!("nothing: it is undone already; {} is deleted after {}", old.short(), minute(*until)))
        }
        Why::End(End::Done) => None,
        Why::End(End::OldKept { old }) => Some(format!("leave {} active", old.short())),
        Why::End(End::Young { created }) => {
            Some(format!("nothing: the key is younger than that, made {}", minute(*created)))
        }
        _ => return Err(report(failure)),
    })
}
