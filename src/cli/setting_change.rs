//! Settings that differ between two states, with what they are in both: as `vault show` tells them, and no other values, since
//! what this version does not know may be a secret.

use crate::names::ProfileName;
use crate::store::difference::{Change, Difference};
use crate::store::document::{Document, Profile};

use super::settings::{OF_A_PROFILE, OF_THE_VAULT, Setting};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// None where it is the whole vault's.
    pub profile: Option<ProfileName>,
    pub setting: String,
    /// None where they are not for showing.
    pub values: Option<Values>,
}

/// None where it is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    pub from: Option<String>,
    pub to: Option<String>,
}

/// All between two vaults, but of profiles that only one of them has.
pub fn between(difference: &Difference, from: &Document, to: &Document) -> Vec<SettingChange> {
    let mut all = of_vault(difference, from, to);
    for (name, _) in &difference.profiles {
        if let (Some(from), Some(to)) = (from.profiles.get(name), to.profiles.get(name)) {
            all.extend(of_profile(name, from, to));
        }
    }
    all
}

/// A key's change is none.
pub fn of_profile(name: &ProfileName, from: &Profile, to: &Profile) -> Vec<SettingChange> {
    let change = Change::of_profile(from, to);
    let settings = change.iter().flat_map(Change::settings);
    settings.map(|setting| valued(Some(name), setting, &OF_A_PROFILE, from, to)).collect()
}

pub fn of_vault(difference: &Difference, from: &Document, to: &Document) -> Vec<SettingChange> {
    let (from, to) = (&from.settings, &to.settings);
    difference.settings.iter().map(|setting| valued(None, setting, &OF_THE_VAULT, from, to)).collect()
}

fn valued<T>(profile: Option<&ProfileName>, setting: &str, known: &[Setting<T>], from: &T, to: &T) -> SettingChange {
    let known = known.iter().find(|known| known.name == setting);
    let values = known.map(|known| Values { from: (known.get)(from), to: (known.get)(to) });
    // Two that look the same in words are none to show.
    let values = values.filter(|values| values.from != values.to);
    SettingChange { profile: profile.cloned(), setting: setting.to_owned(), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings;
    use crate::store::difference::Content;
    use crate::store::identity;
    use jiff::Timestamp;

    fn value_for(name: &str) -> &str {
        match name {
            "mfa_serial" => "arn:aws:iam::123456789012:mfa/alice",
            "duration_seconds" | "mfa_max_age" | "session_duration" => "3600",
            "role_arn" => "arn:aws:iam::123456789012:role/admin",
            "session_tags" => "team=blue",
            "protected" | "agent.enabled" => "true",
            "rotate_every" | "grace" => "90d",
            "rotate_on_login" => "always",
            "agent.idle" | "agent.max" | "agent.session" => "600",
            _ => "eu-central-1",
        }
    }

    fn from_nothing(profile: Option<ProfileName>, name: &str) -> [SettingChange; 1] {
        let values = Values { from: None, to: Some(value_for(name).to_owned()) };
        [SettingChange { profile, setting: name.to_owned(), values: Some(values) }]
    }

    fn prod() -> ProfileName {
        "prod".parse().unwrap()
    }

    #[test]
    fn each_setting_that_can_be_set_is_told_with_both_values() {
        for setting in &OF_A_PROFILE {
            let mut set = Profile::default();
            assert!(settings::change(&OF_A_PROFILE, &mut set, setting.name, Some(value_for(setting.name))).is_ok());
            assert_eq!(of_profile(&prod(), &Profile::default(), &set), from_nothing(Some(prod()), setting.name));
        }
        let empty = Document::new(Timestamp::UNIX_EPOCH, "host".to_owned(), identity::generate()).unwrap();
        for setting in &OF_THE_VAULT {
            let mut set = empty.clone();
            let value = Some(value_for(setting.name));
            assert!(settings::change(&OF_THE_VAULT, &mut set.settings, setting.name, value).is_ok());
            let difference = Content::of(&empty).difference(&Content::of(&set));
            assert_eq!(between(&difference, &empty, &set), from_nothing(None, setting.name));
        }
    }

    #[test]
    fn what_this_version_does_not_know_is_told_by_its_name_alone() {
        let profile = |text: &str| toml::from_str::<Profile>(text).unwrap();
        let told = of_profile(&prod(), &profile("token = 'a secret'\n"), &profile("token = 'another'\n"));
        assert_eq!(told, [SettingChange { profile: Some(prod()), setting: "token".to_owned(), values: None }]);
        let (one, other) = ("session_tags = { a = 'b,c=d' }", "session_tags = { a = 'b', c = 'd' }");
        assert_eq!(of_profile(&prod(), &profile(one), &profile(other))[0].values, None, "the same in words");
    }
}
