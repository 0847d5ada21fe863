//! `vault trust`.

use std::collections::BTreeMap;

use crate::names::ProfileName;
use crate::store::document::{Document, Profile};
use crate::store::fingerprint::Fingerprint;
use crate::store::pin::{Distrust, Reason};
use crate::store::vault::{Opened, TrustError, Unproven};

use super::failure::{Failure, Need, Refusal};
use super::opening::{self, Unlocked};
use super::report;
use super::terminal::Terminal;
use super::trusting;
use super::world::World;

/// Accept a vault that is not what this machine remembers
///
/// For a file that was put back on purpose, for one of two machines that both saved, and for new keys of the vault. Shows
/// what changed and which access keys each side has, and needs a person at a terminal; for new keys also the fingerprint
/// that `vault status` shows on the machine that made them. The file is saved at once as a later generation than both.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: Args, world: &World) -> Result<(), Failure> {
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, Need::Trust))?;
    let Unlocked { opened, passphrase, .. } = opening::in_person(world)?;
    let by_passphrase = passphrase.is_some();
    // Not held while a person decides.
    drop(passphrase);
    let (unproven, distrust) = match opened {
        Opened::Distrusted(unproven, distrust) => (unproven, distrust),
        opened => {
            trusting::believe(world, opened)?;
            world.say("this vault is what this machine remembers; there is nothing to decide");
            return Ok(());
        }
    };
    let refusal = Refusal { distrust: *distrust, found: unproven.document().meta.clone() };
    // A recovery key that somebody else has put on this machine must not decide; who knows the passphrase may.
    if !by_passphrase && unproven.document().kdf().is_some() {
        return Err(Failure::TrustByPassphrase);
    }
    if refusal.distrust.reason == Reason::ReplacedSigningKey {
        return Err(Failure::Distrusted(Box::new(refusal)));
    }
    terminal.show(&format!("{}.\n\n", report::what_changed(&refusal)));
    show_sides(&mut terminal, &unproven, &refusal.distrust);
    if refusal.distrust.reason != Reason::AnotherVault {
        report::recipients_changed(world, &refusal.distrust.pin.recipient_change(unproven.document()));
    }
    let undecided = unproven.close();
    decide(&mut terminal, refusal.distrust.reason, undecided.fingerprint())?;
    let trusted = undecided.trust(&refusal.distrust, &world.stamp());
    let vault = trusted.map_err(|error| match error {
        TrustError::ReplacedSigningKey => Failure::Distrusted(Box::new(refusal)),
        TrustError::KnownElsewhere(itself) => {
            Failure::KnownElsewhere(Box::new(Refusal { distrust: *itself, found: refusal.found }))
        }
        TrustError::Reopen(error) => Failure::Reopen(error),
        TrustError::NotCommitted(error) => Failure::NotCommitted(error),
        TrustError::NotDurable(error) => Failure::NotDurable(error),
    })?;
    world.say(&format!("accepted, and saved as generation {}", vault.version().generation));
    vault.warnings().iter().for_each(|warning| report::vault_warning(world, warning));
    world.say("a profile that only another copy has comes back by `vault import --vault FILE`");
    Ok(())
}

/// New keys, or another vault: only the machine that made them can say that they are right. Else the person decides.
fn decide(terminal: &mut Terminal, reason: Reason, found: &Fingerprint) -> Result<(), Failure> {
    let failed = |error| Failure::prompt(error, Need::Trust);
    if !matches!(reason, Reason::NewSigningKey | Reason::AnotherVault) {
        let agreed = terminal.confirm_in_full("Go on with this file? Type yes if so: ").map_err(failed)?;
        return if agreed { Ok(()) } else { Err(Failure::Declined) };
    }
    let question = "Type the fingerprint that `vault status` shows where this vault was last saved: ";
    let typed = terminal.ask(question).map_err(failed)?;
    if typed.is_empty() {
        return Err(Failure::Declined);
    }
    match typed.parse::<Fingerprint>() {
        Ok(expected) if expected == *found => Ok(()),
        Ok(expected) => Err(Failure::OtherFingerprint { expected, found: found.clone() }),
        Err(error) => Err(Failure::TypedFingerprint(error)),
    }
}

/// Which access keys would go, and which would come.
fn show_sides(terminal: &mut Terminal, unproven: &Unproven, distrust: &Distrust) {
    let Some(remembered) = unproven.remembered(distrust) else {
        terminal
            .show("What this machine remembers no longer stands beside the vault, so the two can't be compared.\n\n");
        return;
    };
    let (here, there) = (keys(unproven.document()), keys(&remembered));
    let mut shown = false;
    for (side, keys, other) in [("this file", &here, &there), ("what is remembered", &there, &here)] {
        for (name, key) in keys.iter().filter(|(name, key)| other.get(*name) != Some(*key)) {
            let key = key.as_deref().map_or("no access key".to_owned(), |id| format!("access key {id}"));
            terminal.show(&format!("  only in {side}: `{name}`, {key}\n"));
            shown = true;
        }
    }
    terminal.show(if shown { "\n" } else { "Both have the same profiles and access keys.\n\n" });
}

fn keys(document: &Document) -> BTreeMap<&ProfileName, Option<String>> {
    let key = |profile: &Profile| profile.access_key.as_ref().map(|key| key.id.short());
    document.profiles.iter().map(|(name, profile)| (name, key(profile))).collect()
}
