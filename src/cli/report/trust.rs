//! Words for vaults that are not what this machine remembers.

use std::path::Path;

use jiff::Timestamp;

use crate::cli::escape::{escape, shown_path};
use crate::cli::failure::{Failure, Refusal};
use crate::cli::world::World;
use crate::store::pin::{Reason, RecipientChange};
use crate::store::pins::PinError;

use super::point_in_time::second;
use super::{Report, Status, internal, vault};

pub fn report(failure: &Failure) -> Report {
    match failure {
        Failure::Distrusted(refusal) => refused(refusal),
        Failure::OtherFingerprint { expected, found } => Report::new(
            Status::NotTrusted,
            format!("this is not the expected vault: its fingerprint is {found}, not {expected}"),
        )
        .hint("is VAULT_FILE right? `vault status` shows the fingerprint where the vault is known"),
        Failure::BadFingerprint { variable, error } => Report::new(Status::Usage, format!("{variable}: {error}")),
        Failure::TypedFingerprint(error) => Report::new(Status::NotTrusted, format!("{error}; nothing was changed"))
            .hint("`vault status` shows it on the machine that last saved the vault"),
        Failure::TypedAnother => Report::new(
            Status::NotTrusted,
            "that is not the fingerprint of this file; nothing was changed",
        )
        .hint("if it is what `vault status` shows where the vault was last saved, somebody else made this file: bring that one here"),
        Failure::TrustByPassphrase => {
            Report::new(Status::Locked, "`vault trust` takes the passphrase, not an identity")
                .hint("leave out --identity and VAULT_IDENTITY")
        }
        Failure::KnownElsewhere(refusal) => Report::new(Status::NotTrusted, what_changed(refusal))
            .hint("this vault is known in another place: bring the file that stands there, or decide there first"),
        _ => internal(),
    }
}

fn refused(refusal: &Refusal) -> Report {
    let report = Report::new(Status::NotTrusted, what_changed(refusal));
    match refusal.distrust.reason {
        Reason::ReplacedSigningKey => {
            report.hint("bring the file from a machine that has the new keys; nothing of this one is believed any more")
        }
        Reason::AnotherVault => {
            report.hint("is VAULT_FILE right? if this vault is meant to stand here now: `vault trust`")
        }
        _ => report.hint("`vault trust` shows both sides and accepts this file if you say so; nothing was changed"),
    }
}

/// In one sentence, with dates, generations and hosts.
pub fn what_changed(refusal: &Refusal) -> String {
    let (found, pin) = (&refusal.found, &refusal.distrust.pin);
    let this = state(found.generation, found.written_at, &found.writer);
    let remembered = state(pin.generation, pin.written_at, &pin.writer);
    match refusal.distrust.reason {
        Reason::AnotherVault => {
            format!("another vault stands here: {this}; this machine knows another one here, {remembered}")
        }
        Reason::NewSigningKey => format!(
            "the keys of the vault were replaced, as `vault passwd` and `vault recipient remove` do it on another machine, or this is \
             a forgery: {this}; remembered is {remembered}"
        ),
        Reason::ReplacedSigningKey => {
            format!("this file is signed with a key that was replaced: {this}; remembered is {remembered}")
        }
        Reason::RolledBack => format!("an older state of the vault was put back: {this}; remembered is {remembered}"),
        Reason::Forked => format!(
            "the vault was saved on two sides: {this} does not contain {remembered}, which this machine remembers"
        ),
        Reason::TooLongAgo => {
            format!("too many saves lie between {this} and {remembered}, which this machine remembers, to compare them")
        }
    }
}

/// Of a vault: which save of it, when and where.
pub fn state(generation: u64, written_at: Timestamp, writer: &str) -> String {
    format!("generation {generation} of {} by {}", second(written_at), escape(writer))
}

pub fn pins(error: &PinError) -> Report {
    match error {
        PinError::Damaged { path } => {
            let path = shown_path(path);
            Report::new(Status::NotTrusted, format!("{path}, where this machine remembers its vaults, is damaged"))
                .hint(format!("compare the fingerprint with `vault status` of another machine, then remove {path}"))
        }
        PinError::Newer { path } => {
            Report::new(Status::NotTrusted, format!("{} was written by a newer vault program", shown_path(path)))
                .hint("update this program")
        }
        PinError::Untrusted(untrusted) => vault::distrust(untrusted),
        PinError::Lock { path } => not_a_lock(path),
        PinError::Io { path, error } => Report::new(Status::State, format!("{}: {error}", shown_path(path))),
    }
}

/// Something else stands where a lock should be.
pub fn not_a_lock(path: &Path) -> Report {
    Report::new(Status::NotTrusted, format!("the lock {} is not a regular file", shown_path(path)))
        .hint("remove it; it is made again")
}

pub fn not_remembered(world: &World, error: &PinError) {
    let why = pins(error).message;
    world.warn(&format!("this machine can't remember the vault, and will not tell an older or forged one: {why}"));
}

pub fn recipients_changed(world: &World, change: &RecipientChange) {
    let mut removed = change.removed;
    for added in &change.added {
        let by = added.by.as_deref().map(|host| format!(" by {}", escape(host))).unwrap_or_default();
        // There is one at most, and its recipient is another when it, its salt or its cost is changed.
        if added.is_passphrase && change.passphrase && removed > 0 {
            removed -= 1;
            world.warn(&format!(
                "the passphrase or its cost was changed on {}{by}; it opens this vault",
                second(added.on)
            ));
        } else {
            let name = escape(&added.name);
            world.warn(&format!("recipient `{name}` was added on {}{by}; it opens this vault", second(added.on)));
        }
    }
    match removed {
        0 => {}
        1 => world.warn("a recipient of this vault was removed"),
        several => world.warn(&format!("{several} recipients of this vault were removed")),
    }
}
