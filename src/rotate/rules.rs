//! What holds for the rotation of a profile's key: the profile's own settings, else the vault's, else what is usual.

use std::time::Duration;

use crate::duration::DurationText;
use crate::store::document::{Profile, RotateOnLogin, Settings};

/// AWS tells of a key's last use up to four hours late, and what runs once a day must be missed once.
const GRACE: Duration = Duration::from_secs(24 * 3600);
/// Also where somebody wrote less into the vault by hand: before that nobody can know whether the old key is in use.
const LEAST_GRACE: Duration = Duration::from_secs(4 * 3600);
const MOST_GRACE: Duration = Duration::from_secs(90 * 86_400);
/// Policies that ask for MFA not older than an hour are the usual ones, our own templates among them; calls take time.
pub const MFA_MAX_AGE: Duration = Duration::from_secs(55 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How old the key may grow; None: it is never due by itself.
    pub every: Option<Duration>,
    pub grace: Duration,
    pub on_login: RotateOnLogin,
    /// How old a session with MFA may be to change keys.
    pub mfa_max_age: Duration,
}

impl Rules {
    pub fn of(profile: &Profile, vault: &Settings) -> Self {
        let length = |own: &Option<DurationText>, of_all: &Option<DurationText>| {
            own.as_ref().or(of_all.as_ref()).map(DurationText::length)
        };
        let on_login = profile.rotate_on_login.as_ref().or(vault.rotate_on_login.as_ref());
        let mfa_max_age = profile.mfa_max_age.map(|seconds| Duration::from_secs(seconds.into()));
        Self {
            every: length(&profile.rotate_every, &vault.rotate_every),
            grace: length(&profile.grace, &vault.grace).unwrap_or(GRACE).clamp(LEAST_GRACE, MOST_GRACE),
            on_login: match on_login {
                Some(known @ (RotateOnLogin::Always | RotateOnLogin::Never)) => known.clone(),
                Some(RotateOnLogin::Ask | RotateOnLogin::Other(_)) | None => RotateOnLogin::Ask,
            },
            mfa_max_age: mfa_max_age.unwrap_or(MFA_MAX_AGE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn rules(profile: &str, vault: &str) -> Rules {
        Rules::of(&toml::from_str(profile).unwrap(), &toml::from_str(vault).unwrap())
    }

    #[test]
    fn the_profiles_own_word_goes_before_the_vaults_and_that_before_what_is_usual() {
        let usual = rules("", "");
        assert_eq!((usual.every, usual.grace.as_secs()), (None, 24 * HOUR));
        assert_eq!((usual.on_login, usual.mfa_max_age.as_secs()), (RotateOnLogin::Ask, 3300));
        let vault = "rotate_every = '90d'\ngrace = '7d'\nrotate_on_login = 'never'";
        let of_vault = rules("", vault);
        assert_eq!((of_vault.every.unwrap().as_secs(), of_vault.grace.as_secs()), (90 * 24 * HOUR, 168 * HOUR));
        assert_eq!(of_vault.on_login, RotateOnLogin::Never);
        let own = rules("rotate_every = '30d'\ngrace = '8h'\nrotate_on_login = 'always'\nmfa_max_age = 7200", vault);
        assert_eq!((own.every.unwrap().as_secs(), own.grace.as_secs()), (30 * 24 * HOUR, 8 * HOUR));
        assert_eq!((own.on_login, own.mfa_max_age.as_secs()), (RotateOnLogin::Always, 2 * HOUR));
    }

    #[test]
    fn a_grace_in_which_nothing_can_be_missed_is_none_and_a_word_of_a_later_version_asks() {
        assert_eq!(rules("grace = '1m'", "").grace.as_secs(), 4 * HOUR);
        assert_eq!(rules("rotate_on_login = 'when-idle'", "rotate_on_login = 'always'").on_login, RotateOnLogin::Ask);
    }
}
