//! Each key before it is stored: whether AWS takes it, whose it is, which device belongs to it.

use std::collections::HashMap;

use crate::aws::{AwsError, CallerIdentity, Refusal};
use crate::import::found::FoundKey;
use crate::import::plan::{Plan, Row, Step, same_pair};
use crate::import::rivals::{Rival, Winner, winner};
use crate::names::{MfaSerial, ProfileName};
use crate::store::document::{Document, Profile, StoredAccessKey};

use crate::cli::failure::Failure;
use crate::cli::key_check::{self, Checked};
use crate::cli::mfa_device::{self, Devices};
use crate::cli::report;
use crate::cli::world::World;

/// A profile as it will stand in the vault.
pub struct Ready {
    /// Its place in the plan.
    pub row: usize,
    pub name: ProfileName,
    pub profile: Profile,
    pub identity: Option<CallerIdentity>,
    /// What AWS says of the devices, where no source named one.
    pub devices: Option<Devices>,
    step: Step,
    /// The key that the comparison was with.
    rival: Option<StoredAccessKey>,
}

/// Our own profiles that another vault has too, with another key.
pub fn rivals(plan: &Plan, document: &Document) -> HashMap<String, Profile> {
    let compared = plan.rows.iter().filter(|row| row.step == Step::Newer);
    let ours = compared.filter_map(|row| Some((row.name.clone(), document.profiles.get(&row.profile()?)?.clone())));
    ours.collect()
}

/// None where the vault's own key is to stay.
pub fn check(
    index: usize,
    row: &Row,
    ours: Option<&Profile>,
    no_verify: bool,
    world: &World,
) -> Result<Option<Ready>, Failure> {
    let (Some(found), Some(name)) = (&row.found, row.profile()) else { return Ok(None) };
    let mut profile = found.settings.clone();
    let rival = ours.and_then(|ours| ours.access_key.clone());
    let ready = |profile, identity, devices| {
        Some(Ready { row: index, name, profile, identity, devices, step: row.step.clone(), rival: rival.clone() })
    };
    let Some(key) = &found.key else { return Ok(ready(profile, None, None)) };
    if no_verify {
        profile.access_key = Some(stored(key, None, world));
        return Ok(ready(profile, None, None));
    }
    let theirs = key_check::check(&key.pair, profile.region.as_ref(), world);
    if let Some(held) = &rival
        && keeps_ours(held, key, theirs.as_ref(), ours, world)?
    {
        return Ok(None);
    }
    let checked = theirs?;
    if let Some(ours) = ours {
        // The same user's newer key: all else stays as its owner has it here.
        profile = Profile { mfa_serial: ours.mfa_serial.clone().or(profile.mfa_serial), ..ours.clone() };
    }
    let devices = find_device(&mut profile, key, &checked)?;
    profile.access_key = Some(stored(key, Some(&checked), world));
    Ok(ready(profile, Some(checked.identity), devices))
}

/// Takes the only device there is; what is not that plain is given back.
fn find_device(profile: &mut Profile, key: &FoundKey, checked: &Checked) -> Result<Option<Devices>, Failure> {
    if profile.mfa_serial.is_some() {
        return Ok(None);
    }
    match mfa_device::list(&checked.aws, &key.pair, &checked.identity)? {
        Devices::Codes(mut serials) if serials.len() <= 1 => {
            profile.mfa_serial = serials.pop();
            Ok(None)
        }
        unclear => Ok(Some(unclear)),
    }
}

fn stored(key: &FoundKey, checked: Option<&Checked>, world: &World) -> StoredAccessKey {
    let stored = key_check::stored(key.pair.clone(), checked, world.now());
    // A key is as old as the vault that had it first says.
    StoredAccessKey { added: key.added.unwrap_or(stored.added), ..stored }
}

fn keeps_ours(
    held: &StoredAccessKey,
    key: &FoundKey,
    theirs: Result<&Checked, &Failure>,
    ours: Option<&Profile>,
    world: &World,
) -> Result<bool, Failure> {
    // What could not be asked decides nothing.
    if let Err(failure) = theirs
        && !is_dead(failure)
    {
        return Ok(false);
    }
    let region = ours.and_then(|profile| profile.region.as_ref());
    let held_active = match key_check::check(&held.access_key(), region, world) {
        Ok(_) => true,
        Err(failure) if is_dead(&failure) => false,
        Err(failure) => return Err(failure),
    };
    let ours = Rival { added: Some(held.added), active: held_active };
    Ok(winner(ours, Rival { added: key.added, active: theirs.is_ok() }) == Winner::Ours)
}

/// AWS says that the key does not work.
fn is_dead(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::KeyCheck {
            error: AwsError::Refused { refusal: Refusal::UnknownKey | Refusal::SignatureMismatch, .. },
            ..
        }
    )
}

/// Puts them all into the vault, or none: it may have changed since the plan was made.
pub fn put(document: &mut Document, ready: &[Ready]) -> Result<(), Failure> {
    for one in ready {
        let standing = document.profiles.get(&one.name).map(|profile| profile.access_key.as_ref());
        let as_planned = match (&one.step, standing) {
            (Step::Replace, _) | (Step::Add, None) => true,
            (Step::Newer, Some(Some(held))) => {
                one.rival.as_ref().is_some_and(|rival| same_pair(&rival.access_key(), &held.access_key()))
            }
            _ => false,
        };
        if !as_planned {
            return Err(Failure::NameTaken(one.name.clone()));
        }
        document.profiles.insert(one.name.clone(), one.profile.clone());
    }
    Ok(())
}

/// Nobody is asked for a device in the middle of an import; the line to type later is shown instead.
pub fn say_devices(ready: &Ready, world: &World) {
    let choices = match &ready.devices {
        None => return,
        Some(Devices::Codes(serials)) => serials.iter().map(MfaSerial::to_string).collect(),
        Some(Devices::Denied(usual)) => vec![usual.clone()],
        Some(none @ (Devices::Root | Devices::OnlyFido)) => return mfa_device::warn_of_none(none, world),
    };
    report::import::say_choose_device(world, &ready.name, &choices);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretAccessKey;
    use crate::store::identity;
    use jiff::Timestamp;

    const ONE: &str = "AKIAIOSFODNN7EXAMPL1";
    const TWO: &str = "AKIAIOSFODNN7EXAMPL2";

    fn key(id: &str) -> StoredAccessKey {
        StoredAccessKey {
            id: id.parse().unwrap(),
            secret: SecretAccessKey::new("s".to_owned()),
            user_arn: None,
            added: Timestamp::UNIX_EPOCH,
            verified: None,
            endpoint: None,
            rest: toml::Table::new(),
        }
    }

    fn with(id: &str) -> Profile {
        Profile { access_key: Some(key(id)), ..Profile::default() }
    }

    /// What stands in the vault as `prod` after a new key for it was put there by this step, if it was.
    fn standing(step: Step, rival: Option<&str>, before: Option<&str>) -> Option<String> {
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), identity::generate()).unwrap();
        let name: ProfileName = "prod".parse().unwrap();
        document.profiles.extend(before.map(|id| (name.clone(), with(id))));
        let (profile, rival) = (with("AKIAIOSFODNN7EXAMPLN"), rival.map(key));
        let ready = Ready { row: 0, name: name.clone(), profile, identity: None, devices: None, step, rival };
        put(&mut document, &[ready]).ok()?;
        document.profiles[&name].access_key.as_ref().map(|key| key.id.to_string())
    }

    #[test]
    fn what_came_into_the_vault_since_the_plan_was_made_is_not_overwritten() {
        let new = Some("AKIAIOSFODNN7EXAMPLN".to_owned());
        assert_eq!(standing(Step::Add, None, None), new);
        assert_eq!(standing(Step::Add, None, Some(ONE)), None);
        assert_eq!(standing(Step::Replace, None, Some(ONE)), new);
        assert_eq!(standing(Step::Newer, Some(ONE), Some(ONE)), new);
        assert_eq!(standing(Step::Newer, Some(ONE), Some(TWO)), None, "not the key that was compared");
        assert_eq!(standing(Step::Newer, Some(ONE), None), None);
    }
}
