//! `vault trust`.

use crate::names::ProfileName;
use crate::store::difference::{Change, Content, Difference};
use crate::store::document::{Document, Profile};
use crate::store::fingerprint::Fingerprint;
use crate::store::pin::{Distrust, Reason};
use crate::store::vault::{Opened, Remembered, TrustError, Unproven};

use super::agent_access;
use super::failure::{Failure, Need, Refusal};
use super::opening::{self, Unlocked};
use super::report;
use super::setting_change;
use super::terminal::Terminal;
use super::trusting;
use super::world::World;

/// So often a fingerprint may be mistyped.
const TRIES: usize = 3;

/// Accept a vault that is not what this machine remembers
///
/// For a file that was put back on purpose, for one of two machines that both saved, and for new keys of the vault. Shows
/// which access keys each side has and which settings would change, and needs a person at a terminal; for new keys also
/// the fingerprint that `vault status` shows on the machine that made them. The file is saved at once as a later
/// generation than both.
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: Args, world: &World) -> Result<(), Failure> {
    let mut terminal = Terminal::open().map_err(|error| Failure::prompt(error, Need::Trust))?;
    let Unlocked { opened, passphrase, typed } = opening::in_person(world)?;
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
    terminal.show("Keep the other copy: a profile that only it has comes back by `vault import --vault FILE`.\n\n");
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
    if typed {
        agent_access::keep(world, &vault);
    }
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
    let mut attempt = 0;
    loop {
        attempt += 1;
        let typed = terminal.ask(question).map_err(failed)?;
        if typed.is_empty() {
            return Err(Failure::Declined);
        }
        match typed.parse::<Fingerprint>() {
            Ok(expected) if expected == *found => return Ok(()),
            // It says that this is another vault; which one, nobody is to copy from here.
            Ok(_) => return Err(Failure::TypedAnother),
            Err(error) if attempt < TRIES => terminal.show(&format!("{error}; once more\n")),
            Err(error) => return Err(Failure::TypedFingerprint(error)),
        }
    }
}

/// Which access keys would go, and which would come, and what else would be otherwise from now on.
fn show_sides(terminal: &mut Terminal, unproven: &Unproven, distrust: &Distrust) {
    const GONE: &str = "What this machine remembers no longer stands beside the vault";
    let found = unproven.document();
    let (side, other) = match unproven.remembered(distrust) {
        None => {
            let last = distrust.pin.generation;
            let lost = format!("what only its generation {last} had is lost, unless a copy of that lies elsewhere");
            return terminal.show(&format!("{GONE}, so the two can't be compared: {lost}.\n\n"));
        }
        Some(Remembered::Itself(other)) => ("what is remembered".to_owned(), other),
        Some(Remembered::BeforeAndHere) => {
            let (here, last) = (found.meta.generation, distrust.pin.generation);
            let lacks = format!(
                "This file is its generation {here}: what was saved after that, up to generation {last}, is not in it"
            );
            return terminal.show(&format!("{GONE}. {lacks}.\n\n"));
        }
        Some(Remembered::Before(other)) => {
            let (before, last) = (other.meta.generation, distrust.pin.generation);
            let lacks = if before + 1 == last {
                format!("generation {last}")
            } else {
                format!("generations {} to {last}", before + 1)
            };
            terminal.show(&format!(
                "{GONE}: what {lacks} changed can't be shown. Beside generation {before}, the newest before:\n"
            ));
            (format!("generation {before}"), other)
        }
    };
    let difference = Content::of(&other).difference(&Content::of(found));
    let sides = [("this file", found), (&*side, &other)];
    let keys = sides.iter().flat_map(|(side, document)| {
        let keys = keys(&difference, document).into_iter();
        keys.map(move |(name, key)| format!("  only in {side}: `{name}`, {key}\n"))
    });
    let changes = changes(&difference, &other, found).into_iter().map(|what| format!("  would change: {what}\n"));
    let lines: String = keys.chain(changes).collect();
    let same = "Both have the same profiles, access keys and settings.\n";
    terminal.show(&format!("{}\n", if lines.is_empty() { same } else { &lines }));
}

/// Of the profiles that have another one on the other side, or are not there.
fn keys<'d>(difference: &'d Difference, document: &Document) -> Vec<(&'d ProfileName, String)> {
    let others = difference.profiles.iter().filter(|(_, change)| !matches!(change, Change::Changed { key: false, .. }));
    let told = others.filter_map(|(name, _)| {
        let key = document.profiles.get(name)?.access_key.as_ref();
        Some((name, key.map_or("no access key".to_owned(), |key| format!("access key {}", key.id.short()))))
    });
    told.collect()
}

/// But for what is told of keys, and of recipients that came or went. What a profile that is new here would run counts too.
fn changes(difference: &Difference, remembered: &Document, found: &Document) -> Vec<String> {
    let new = difference.profiles.iter().filter(|(_, change)| *change == Change::Added);
    let new = new.flat_map(|(name, _)| setting_change::of_profile(name, &Profile::default(), &found.profiles[name]));
    let settings = setting_change::between(difference, remembered, found).into_iter().chain(new);
    let recipients = difference.recipients.iter().flat_map(|(name, change)| {
        change.settings().iter().map(move |setting| report::difference::of_recipient(name, setting))
    });
    settings.map(|change| report::difference::setting(&change)).chain(recipients).collect()
}
