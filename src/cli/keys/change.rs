//! `vault keys disable`, `enable` and `delete`: what they could break is found by a pure function before IAM is asked.

use super::{KeyError, UserKeys};
use crate::aws::{AwsError, KeyStatus, ListedKey, Refusal};
use crate::cli::confirming;
use crate::cli::failure::{Failure, Need};
use crate::cli::report;
use crate::cli::sign_in::{ChangeArgs, Purpose};
use crate::cli::world::World;
use crate::log::{self, Event};
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::held::Part;

#[derive(clap::Args)]
pub struct KeyArgs {
    /// The profile
    name: ProfileName,
    /// The key: its id, or the last four of it [default: the only one]
    key: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    signing: ChangeArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Disable,
    Enable,
    Delete,
}

impl Act {
    fn logged(self) -> log::Act {
        match self {
            Self::Disable => log::Act::KeyDisabled,
            Self::Enable => log::Act::KeyEnabled,
            Self::Delete => log::Act::KeyDeleted,
        }
    }
}

/// What a change could break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// No other key of the user works.
    OnlyWorkingKey,
    /// The vault makes sessions with it.
    InTheVault,
    /// Somebody may be using it.
    Active,
    /// The vault has it, and a newer one of the user works: very likely that took its place on another machine.
    Replaced,
}

pub fn change(args: KeyArgs, act: Act, world: &World) -> Result<(), Failure> {
    let user_keys = UserKeys::read(Some(args.name), &args.signing.into(), Purpose::Change, world)?;
    let key = chosen(&user_keys.keys, args.key.as_deref(), &user_keys.user)?;
    let rotating = user_keys.rotating(&key.id);
    // What a rotation decides next rests on both keys being as it left them; `--yes` is no word about that. The profile's own
    // was active whenever it left them.
    if let Some(held) = rotating.filter(|held| !(act == Act::Enable && held.part == Part::Current)) {
        return Err(user_keys.unfinished(&held.profile, world.now()));
    }
    let profiles = user_keys.profiles_with(&key.id);
    if already(act, key) {
        report::key_unchanged(world, act, &key.id, &user_keys.user);
        return Ok(());
    }
    let risks = risks(act, key, &user_keys.keys, !profiles.is_empty());
    if !args.yes && !risks.is_empty() {
        let could_be_rotated = act == Act::Disable && user_keys.keys.len() == 1;
        report::key_risks(world, &risks, &key.id, &user_keys.user, profiles, could_be_rotated);
        confirm(act, &key.id)?;
    }
    carry_out(&user_keys, act, &key.id).map_err(|error| user_keys.access.failed(error))?;
    world.log(&Event { act: act.logged(), profile: Some(&user_keys.profile), access_key: Some(&key.id), role: None });
    report::key_changed(world, act, &key.id, &user_keys.user, &user_keys.profile, profiles);
    if let Some(held) = rotating {
        report::rotation_goes_on(world, &held.profile);
    }
    Ok(())
}

fn chosen<'a>(keys: &'a [ListedKey], given: Option<&str>, user: &str) -> Result<&'a ListedKey, KeyError> {
    let ids = || keys.iter().map(|key| key.id.clone()).collect();
    let Some(given) = given else {
        return match keys {
            [only] => Ok(only),
            _ => Err(KeyError::NotSaid { user: user.to_owned(), keys: ids() }),
        };
    };
    let mut meant = keys.iter().filter(|key| key.id.is_meant_by(given));
    match (meant.next(), meant.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(KeyError::NoSuchKey { given: given.to_owned(), user: user.to_owned(), keys: ids() }),
        (Some(_), Some(_)) => Err(KeyError::NotSaid { user: user.to_owned(), keys: ids() }),
    }
}

fn already(act: Act, key: &ListedKey) -> bool {
    match act {
        Act::Disable => key.status == KeyStatus::Inactive,
        Act::Enable => key.status == KeyStatus::Active,
        Act::Delete => false,
    }
}

/// Gravest first. What can be undone by the very next command is no risk.
fn risks(act: Act, key: &ListedKey, all: &[ListedKey], in_the_vault: bool) -> Vec<Risk> {
    let active = key.status == KeyStatus::Active;
    let another_works = all.iter().any(|other| other.id != key.id && other.status == KeyStatus::Active);
    let newer_works = all.iter().any(|other| other.created > key.created && other.status == KeyStatus::Active);
    let found = [
        (Risk::OnlyWorkingKey, act != Act::Enable && active && !another_works),
        (Risk::InTheVault, act != Act::Enable && in_the_vault),
        (Risk::Active, act == Act::Delete && active),
        (Risk::Replaced, act == Act::Enable && in_the_vault && newer_works),
    ];
    found.into_iter().filter_map(|(risk, applies)| applies.then_some(risk)).collect()
}

fn confirm(act: Act, id: &AccessKeyId) -> Result<(), Failure> {
    let question = match act {
        Act::Disable => format!("Switch {} off?", id.short()),
        Act::Enable => format!("Switch {} on?", id.short()),
        Act::Delete => format!("Delete {} for good?", id.short()),
    };
    confirming::confirm(&question, Need::Confirmation { flag: "--yes" })
}

fn carry_out(user_keys: &UserKeys, act: Act, id: &AccessKeyId) -> Result<(), AwsError> {
    let UserKeys { access, user, .. } = user_keys;
    let signer = access.signer();
    match act {
        Act::Disable => access.aws.set_access_key_status(&signer, user, id, KeyStatus::Inactive),
        Act::Enable => access.aws.set_access_key_status(&signer, user, id, KeyStatus::Active),
        // Listed a moment ago: it is gone by the call whose reply was lost, or by somebody else's. Either is what was asked.
        Act::Delete => match access.aws.delete_access_key(&signer, user, id) {
            Err(AwsError::Refused { refusal: Refusal::NoSuchEntity, .. }) => Ok(()),
            deleted => deleted,
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const ONE: &str = "AKIAAAAAAAAAAAAA1111";
    const TWO: &str = "AKIAAAAAAAAAAAAA2222";

    fn key(id: &str, status: KeyStatus) -> ListedKey {
        ListedKey { id: id.parse().unwrap(), status, created: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn the_only_working_key_and_the_vaults_own_are_not_changed_unasked() {
        use KeyStatus::{Active, Inactive};
        use Risk::{InTheVault, OnlyWorkingKey};
        for (act, status, other, in_the_vault, expected) in [
            (Act::Disable, Active, None, true, &[OnlyWorkingKey, InTheVault][..]),
            (Act::Disable, Active, Some(Inactive), false, &[OnlyWorkingKey]),
            (Act::Disable, Active, Some(Active), true, &[InTheVault]),
            (Act::Disable, Active, Some(Active), false, &[]),
            (Act::Delete, Active, None, true, &[OnlyWorkingKey, InTheVault, Risk::Active]),
            (Act::Delete, Active, Some(Active), false, &[Risk::Active]),
            (Act::Delete, Inactive, Some(Active), true, &[InTheVault]),
            (Act::Delete, Inactive, None, false, &[]),
            (Act::Enable, Inactive, None, true, &[]),
        ] {
            let key_ = key(ONE, status);
            let all: Vec<ListedKey> = [key_.clone()].into_iter().chain(other.map(|status| key(TWO, status))).collect();
            assert_eq!(risks(act, &key_, &all, in_the_vault), expected, "{act:?} {status:?} {other:?} {in_the_vault}");
        }
    }

    #[test]
    fn a_key_is_meant_by_its_id_or_its_end_and_never_guessed() {
        let keys = [key(ONE, KeyStatus::Active), key(TWO, KeyStatus::Active)];
        for given in [TWO, "AKIA...2222", "2222", "A2222"] {
            let meant = chosen(&keys, Some(given), "alice").ok().unwrap();
            assert_eq!(meant.id.as_str(), TWO, "{given}");
        }
        for given in ["222", "", "3333", "AKIA", "akia...2222"] {
            assert!(matches!(chosen(&keys, Some(given), "alice"), Err(KeyError::NoSuchKey { .. })), "{given}");
        }
        assert!(matches!(chosen(&keys, None, "alice"), Err(KeyError::NotSaid { .. })));
        assert_eq!(chosen(&keys[..1], None, "alice").ok().unwrap().id.as_str(), ONE);
        let alike = [key(ONE, KeyStatus::Active), key("AKIABBBBBBBBBBBB1111", KeyStatus::Active)];
        assert!(matches!(chosen(&alike, Some("1111"), "alice"), Err(KeyError::NotSaid { .. })));
    }
}
