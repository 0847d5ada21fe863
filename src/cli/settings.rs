//! The settings a person can read and change with `show`, `set` and `unset`: their names (AWS's own), and what their values
//! must look like.

use std::time::Duration;

use crate::duration::{self, DurationText};
use crate::names::Region;
use crate::store::document::{Profile, Settings};

use super::failure::Failure;
use super::world::World;

/// What GetSessionToken and AssumeRole take (STS API reference): the widest of their bounds; which call it will be, and its
/// own limit, is known only when a session is planned.
const SHORTEST_SESSION: u64 = 900;
const LONGEST_SESSION: u64 = 129_600;

/// Who wants a key to lie open for longer does not want it closed.
const LONGEST_HELD: u64 = 7 * 86_400;

/// A key that lives for less is rotated without end, and one that lives for longer never.
pub const ROTATE_EVERY: Bounds = Bounds { least: 86_400, most: 3650 * 86_400, words: "1d to 3650d" };

/// IAM tells of a key's last use up to four hours late; until then nobody knows whether the old one is missed.
pub const GRACE: Bounds = Bounds { least: 4 * 3600, most: 90 * 86_400, words: "4h to 90d" };

/// A rotation takes some minutes, and no session is older than the longest.
const MFA_MAX_AGE: Bounds = Bounds { least: 300, most: LONGEST_SESSION, words: "5m to 36h" };

/// In seconds, and as people are told them.
pub struct Bounds {
    least: u64,
    most: u64,
    pub words: &'static str,
}

impl Bounds {
    /// The nearest that they hold.
    pub fn clamp(&self, seconds: u64) -> u64 {
        seconds.clamp(self.least, self.most)
    }

    pub fn contain(&self, length: Duration) -> bool {
        (Duration::from_secs(self.least)..=Duration::from_secs(self.most)).contains(&length)
    }

    fn hold(&self, length: Duration, text: &str) -> Result<(), String> {
        match self.contain(length) {
            true => Ok(()),
            false => Err(format!("it takes {}, not `{text}`", self.words)),
        }
    }
}

/// One setting of a profile or of the whole vault: how to read it and how to change it from text.
pub struct Setting<T> {
    pub name: &'static str,
    pub get: fn(&T) -> Option<String>,
    pub set: fn(&mut T, Option<&str>) -> Result<(), String>,
}

/// A setting that parses by its type's FromStr.
macro_rules! parsed {
    ($owner:ty, $name:literal, $($field:ident).+) => {
        Setting::<$owner> {
            name: $name,
            get: |owner| owner.$($field).+.as_ref().map(ToString::to_string),
            set: |owner, text| {
                owner.$($field).+ = text.map(str::parse).transpose().map_err(|error| format!("{error}"))?;
                Ok(())
            },
        }
    };
}

/// One that is true or false.
macro_rules! flag {
    ($owner:ty, $name:literal, $($field:ident).+) => {
        Setting::<$owner> {
            name: $name,
            get: |owner| owner.$($field).+.map(|flag: bool| flag.to_string()),
            set: |owner, text| {
                let parse = |text: &str| text.parse().map_err(|_| format!("`{text}` is neither true nor false"));
                owner.$($field).+ = text.map(parse).transpose()?;
                Ok(())
            },
        }
    };
}

/// A duration that stays as it was written.
macro_rules! written {
    ($owner:ty, $name:literal, $($field:ident).+, $bounds:expr) => {
        Setting::<$owner> {
            name: $name,
            get: |owner| owner.$($field).+.as_ref().map(ToString::to_string),
            set: |owner, text| {
                owner.$($field).+ = text.map(|text| parse_written(text, &$bounds)).transpose()?;
                Ok(())
            },
        }
    };
}

macro_rules! seconds {
    ($owner:ty, $name:literal, $($field:ident).+, $parse:path) => {
        Setting::<$owner> {
            name: $name,
            get: |owner| owner.$($field).+.map(|seconds| seconds.to_string()),
            set: |owner, text| {
                owner.$($field).+ = text.map($parse).transpose()?;
                Ok(())
            },
        }
    };
}

/// What `set NAME` knows, under the AWS names.
pub const OF_A_PROFILE: [Setting<Profile>; 20] = [
    parsed!(Profile, "region", region),
    parsed!(Profile, "mfa_serial", mfa_serial),
    parsed!(Profile, "mfa_process", mfa_process),
    seconds!(Profile, "duration_seconds", duration_seconds, parse_session_seconds),
    parsed!(Profile, "role_arn", role_arn),
    parsed!(Profile, "source_profile", source_profile),
    parsed!(Profile, "external_id", external_id),
    parsed!(Profile, "role_session_name", role_session_name),
    parsed!(Profile, "source_identity", source_identity),
    parsed!(Profile, "session_tags", session_tags),
    parsed!(Profile, "transitive_session_tags", transitive_session_tags),
    parsed!(Profile, "policy_arns", policy_arns),
    flag!(Profile, "protected", protected),
    parsed!(Profile, "destination_profile", destination_profile),
    written!(Profile, "rotate_every", rotate_every, ROTATE_EVERY),
    written!(Profile, "grace", grace, GRACE),
    parsed!(Profile, "rotate_on_login", rotate_on_login),
    parsed!(Profile, "rotate_hook", rotate_hook),
    seconds!(Profile, "mfa_max_age", mfa_max_age, parse_mfa_age),
    parsed!(Profile, "endpoint_url", endpoint_url),
];

/// What `set --vault` knows: settings of the whole vault.
pub const OF_THE_VAULT: [Setting<Settings>; 9] = [
    parsed!(Settings, "default_profile", default_profile),
    seconds!(Settings, "session_duration", session_duration, parse_session_seconds),
    written!(Settings, "rotate_every", rotate_every, ROTATE_EVERY),
    written!(Settings, "grace", grace, GRACE),
    parsed!(Settings, "rotate_on_login", rotate_on_login),
    flag!(Settings, "agent.enabled", agent.enabled),
    seconds!(Settings, "agent.idle", agent.idle, parse_agent_seconds),
    seconds!(Settings, "agent.max", agent.max, parse_agent_seconds),
    seconds!(Settings, "agent.session", agent.session, parse_agent_session_seconds),
];

fn parse_written(text: &str, bounds: &Bounds) -> Result<DurationText, String> {
    let parsed: DurationText = text.parse().map_err(|error: duration::DurationError| error.to_string())?;
    bounds.hold(parsed.length(), text).map(|()| parsed)
}

fn parse_mfa_age(text: &str) -> Result<u32, String> {
    let length = duration::parse(text).map_err(|error| error.to_string())?;
    MFA_MAX_AGE.hold(length, text)?;
    u32::try_from(length.as_secs()).map_err(|error| error.to_string())
}

/// `45m`, `8h` or seconds, within what STS takes.
pub fn parse_session_seconds(text: &str) -> Result<u32, String> {
    let parsed = duration::parse(text).map_err(|error| error.to_string())?.as_secs();
    if (SHORTEST_SESSION..=LONGEST_SESSION).contains(&parsed) {
        u32::try_from(parsed).map_err(|error| error.to_string())
    } else {
        Err(format!("AWS takes durations of 15m to 36h (900 to 129600 seconds), not `{text}`"))
    }
}

/// How long the agent may hold the vault identity: a minute to a week.
pub fn parse_agent_seconds(text: &str) -> Result<u32, String> {
    match duration::parse(text).map_err(|error| error.to_string())?.as_secs() {
        seconds @ 60..=LONGEST_HELD => u32::try_from(seconds).map_err(|error| error.to_string()),
        _ => Err(format!("the agent takes durations of 1m to 7d (60 to 604800 seconds), not `{text}`")),
    }
}

/// The same for the session identity; 0 ties it to the vault identity.
pub fn parse_agent_session_seconds(text: &str) -> Result<u32, String> {
    if text == "0" { Ok(0) } else { parse_agent_seconds(text) }
}

/// `KEY=VALUE` on the command line.
pub fn parse_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some((_, "")) => Err(format!("`{text}` has no value; `vault unset` removes a setting")),
        _ => Err(format!("`{text}` is not KEY=VALUE, such as region=eu-central-1")),
    }
}

/// Sets (or with no value, removes) the setting named `key`.
pub fn change<T>(known: &[Setting<T>], owner: &mut T, key: &str, value: Option<&str>) -> Result<(), Failure> {
    let Some(setting) = known.iter().find(|setting| setting.name == key) else {
        let names = known.iter().map(|setting| setting.name).collect();
        return Err(Failure::UnknownSetting { key: key.to_owned(), known: names });
    };
    (setting.set)(owner, value).map_err(|why| Failure::BadSetting { key: key.to_owned(), why })
}

/// The region that the environment names, which wins over the profile's, as with the AWS tools.
pub fn named_region(world: &World) -> Result<Option<Region>, Failure> {
    match world.name_in("AWS_REGION")? {
        None => world.name_in("AWS_DEFAULT_REGION"),
        named => Ok(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_can_be_set_read_back_and_removed() {
        let value_for = |name: &str| match name {
            "mfa_serial" => "arn:aws:iam::123456789012:mfa/alice",
            "duration_seconds" => "3600",
            "role_arn" => "arn:aws:iam::123456789012:role/admin",
            "session_tags" => "team=blue",
            "protected" => "true",
            "rotate_every" => "90d",
            "grace" => "1w",
            "rotate_on_login" => "always",
            "mfa_max_age" => "7200",
            _ => "eu-central-1",
        };
        for setting in &OF_A_PROFILE {
            let mut profile = Profile::default();
            assert!(change(&OF_A_PROFILE, &mut profile, setting.name, Some(value_for(setting.name))).is_ok());
            assert_eq!((setting.get)(&profile).as_deref(), Some(value_for(setting.name)), "{}", setting.name);
            assert!(change(&OF_A_PROFILE, &mut profile, setting.name, None).is_ok());
            assert_eq!((setting.get)(&profile), None);
        }
    }

    #[test]
    fn a_session_lasts_15_minutes_to_36_hours() {
        assert_eq!(parse_session_seconds("15m"), Ok(900));
        assert_eq!(parse_session_seconds("36h"), Ok(129_600));
        for bad in ["899", "129601", "soon", "0"] {
            assert!(parse_session_seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_rotation_takes_has_bounds_and_stays_as_it_was_written() {
        let set = |key: &str, value: &str| {
            let mut profile = Profile::default();
            change(&OF_A_PROFILE, &mut profile, key, Some(value)).ok()?;
            OF_A_PROFILE.iter().find(|setting| setting.name == key).and_then(|setting| (setting.get)(&profile))
        };
        for (key, good) in [
            ("rotate_every", ["1d", "24h", "3650d"]),
            ("grace", ["4h", "14400", "90d"]),
            ("rotate_on_login", ["ask", "always", "never"]),
            ("mfa_max_age", ["300", "3300", "129600"]),
        ] {
            good.iter().for_each(|value| assert_eq!(set(key, value).as_deref(), Some(*value), "{key}"));
        }
        assert_eq!(set("mfa_max_age", "55m").as_deref(), Some("3300"));
        for (key, bad) in [
            ("rotate_every", ["23h", "3651d", "quarterly"]),
            ("grace", ["3h59m", "91d", "0"]),
            ("rotate_on_login", ["yes", "Ask", "always "]),
            ("mfa_max_age", ["299", "37h", "old"]),
        ] {
            bad.iter().for_each(|value| assert_eq!(set(key, value), None, "{key}={value}"));
        }
    }

    #[test]
    fn an_unknown_setting_is_an_error_that_lists_the_known() {
        let failure = change(&OF_THE_VAULT, &mut Settings::default(), "colour", Some("red")).err().unwrap();
        assert!(
            matches!(failure, Failure::UnknownSetting { known, .. } if known[..2] == ["default_profile", "session_duration"])
        );
    }
}
