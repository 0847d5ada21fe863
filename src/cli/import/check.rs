//! Each key before it is stored: whether AWS takes it, whose it is, which device belongs to it.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::aws::{Aws, CallerIdentity};
use crate::import::found::FoundKey;
use crate::import::plan::{Conflict, Plan, Row, Step};
use crate::names::{MfaSerial, ProfileName};
use crate::rotate::held::{Held, Part, held};
use crate::store::document::{Document, Profile, StoredAccessKey};

use crate::cli::failure::Failure;
use crate::cli::key_check::{self, Checked};
use crate::cli::mfa_device::{self, Devices};
use crate::cli::report;
use crate::cli::world::World;

use super::compare::{Verdict, compare};

/// A profile as it will stand in the vault.
pub struct Ready {
    /// Its place in the plan.
    pub row: usize,
    pub name: ProfileName,
    pub profile: Profile,
    pub identity: Option<CallerIdentity>,
    /// What AWS says of the devices, where no source named one.
    pub devices: Option<Devices>,
    /// Who answered for the key, to be asked more.
    pub aws: Option<Aws>,
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

/// What checking a profile came to.
pub enum Checking {
    Ready(Box<Ready>),
    /// The vault's own key is to stay.
    Kept,
    /// What AWS says shows that nobody but a person can decide.
    Conflict(Conflict),
}

/// Asks AWS of the profile's key, if it has one, and stores nothing.
pub fn check(
    index: usize,
    row: &Row,
    ours: Option<&Profile>,
    no_verify: bool,
    world: &World,
) -> Result<Checking, Failure> {
    let (Some(found), Some(name)) = (&row.found, row.profile()) else { return Ok(Checking::Kept) };
    let mut ready = Ready {
        row: index,
        name,
        profile: found.settings.clone(),
        identity: None,
        devices: None,
        aws: None,
        step: row.step.clone(),
        rival: ours.and_then(|ours| ours.access_key.clone()),
    };
    match &found.key {
        None => {}
        Some(key) if no_verify => ready.profile.access_key = Some(stored(key, None, world)),
        Some(key) => {
            let theirs = key_check::check(&key.pair, ready.profile.region.as_ref(), world);
            if let (Some(ours), Some(held)) = (ours, &ready.rival) {
                match compare(ours, held, key, theirs.as_ref(), world)? {
                    Verdict::Ours => return Ok(Checking::Kept),
                    Verdict::Nobody(conflict) => return Ok(Checking::Conflict(conflict)),
                    // All else stays as its owner has it here.
                    Verdict::Theirs => ready.keep_settings_of(ours),
                }
            }
            ready.take(key, theirs?, world)?;
        }
    }
    Ok(Checking::Ready(Box::new(ready)))
}

impl Ready {
    fn keep_settings_of(&mut self, ours: &Profile) {
        let serial = ours.mfa_serial.clone().or(self.profile.mfa_serial.take());
        self.profile = Profile { mfa_serial: serial, ..ours.clone() };
    }

    /// AWS's own word, where it gave one, counts before that of the vault that the key comes from.
    pub fn created(&mut self, date: Option<Timestamp>) {
        if let (Some(key), Some(date)) = (&mut self.profile.access_key, date) {
            key.created = Some(date);
        }
    }

    fn take(&mut self, key: &FoundKey, checked: Checked, world: &World) -> Result<(), Failure> {
        self.devices = find_device(&mut self.profile, key, &checked)?;
        self.profile.access_key = Some(stored(key, Some(&checked), world));
        self.identity = Some(checked.identity);
        self.aws = Some(checked.aws);
        Ok(())
    }
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
    let stored = key_check::stored(key.pair.clone(), checked, key.created, world.now());
    // A key is as old as the vault that had it first says.
    StoredAccessKey { added: key.added.unwrap_or(stored.added), ..stored }
}

/// Puts them all into the vault, or none: it may have changed since the plan was made. Gives what rotations of other profiles
/// have to do with their keys, by their places.
pub fn put(document: &mut Document, ready: &[Ready]) -> Result<Vec<(usize, Held)>, Failure> {
    for one in ready {
        let standing = document.profiles.get(&one.name);
        if standing.is_some_and(Profile::is_rotating) {
            return Err(Failure::RotationUnfinished(one.name.clone()));
        }
        let standing = standing.map(|profile| profile.access_key.as_ref());
        let as_planned = match (&one.step, standing) {
            (Step::Replace, _) | (Step::Add, None) => true,
            (Step::Newer, Some(Some(held))) => {
                one.rival.as_ref().is_some_and(|rival| rival.access_key().is_same_pair(&held.access_key()))
            }
            _ => false,
        };
        if !as_planned {
            return Err(Failure::NameTaken(one.name.clone()));
        }
        document.profiles.insert(one.name.clone(), one.profile.clone());
    }
    Ok(held_by_others(document, ready))
}

/// Of a key that both profiles have it is said anyway that they do.
fn held_by_others(document: &Document, ready: &[Ready]) -> Vec<(usize, Held)> {
    let all = held(document);
    let of = |one: &Ready| all.get(&one.profile.access_key.as_ref()?.id).cloned();
    let found = ready.iter().enumerate().filter_map(|(place, one)| Some((place, of(one)?)));
    found.filter(|(place, held)| held.profile != ready[*place].name && held.part != Part::Current).collect()
}

pub fn say_held(ready: &Ready, held: &Held, world: &World) {
    if let Some(key) = &ready.profile.access_key {
        report::say_held(world, &ready.name, &key.id, held);
    }
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

    const ONE: &str = "AKIAIOSFODNN7EXAMPL1";
    const TWO: &str = "AKIAIOSFODNN7EXAMPL2";

    fn key(id: &str) -> StoredAccessKey {
        StoredAccessKey {
            id: id.parse().unwrap(),
            secret: SecretAccessKey::new("s".to_owned()),
            user_arn: None,
            added: Timestamp::UNIX_EPOCH,
            created: None,
            verified: None,
            endpoint: None,
            rest: toml::Table::new(),
        }
    }

    fn with(id: &str) -> Profile {
        Profile { access_key: Some(key(id)), ..Profile::default() }
    }

    fn ready(name: &ProfileName, profile: Profile, step: Step, rival: Option<StoredAccessKey>) -> Ready {
        Ready { row: 0, name: name.clone(), profile, identity: None, devices: None, aws: None, step, rival }
    }

    #[test]
    fn a_rotation_that_began_since_the_plan_was_made_keeps_its_keys() {
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), identity::generate()).unwrap();
        let name: ProfileName = "prod".parse().unwrap();
        let mut rotating = with(ONE);
        rotating.rest.insert("rotation".to_owned(), toml::Table::new().into());
        document.profiles.insert(name.clone(), rotating);
        for step in [Step::Replace, Step::Newer] {
            let (profile, rival) = (with(TWO), Some(key(ONE)));
            let ready = ready(&name, profile, step, rival);
            let refused = put(&mut document, &[ready]);
            assert!(matches!(refused, Err(Failure::RotationUnfinished(of)) if of == name));
            assert_eq!(document.profiles[&name].access_key.as_ref().map(|key| key.id.as_str()), Some(ONE));
        }
    }

    /// What stands in the vault as `prod` after a new key for it was put there by this step, if it was.
    fn standing(step: Step, rival: Option<&str>, before: Option<&str>) -> Option<String> {
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), identity::generate()).unwrap();
        let name: ProfileName = "prod".parse().unwrap();
        document.profiles.extend(before.map(|id| (name.clone(), with(id))));
        let (profile, rival) = (with("AKIAIOSFODNN7EXAMPLN"), rival.map(key));
        let ready = ready(&name, profile, step, rival);
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
