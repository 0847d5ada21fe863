//! What is kept of an issued session: the credentials, and all that tells later readers whether they are theirs.

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::chain::Chain;
use super::ladder::{Ladder, Rung};
use super::plan::Lifetime;
use super::request::{Request, Slot};
use crate::aws_files::config::ConfigFile;
use crate::credentials::SessionCredentials;
use crate::disk::Status;
use crate::log::{Act, Event};
use crate::names::{ProfileName, RoleArn, arn_account};

/// Written only into an encrypted file. No Debug: it holds credentials.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    /// All calls that led here; the last made this session.
    pub ladder: Ladder,
    pub credentials: SessionCredentials,
    /// By this machine's clock; the expiration is by AWS's.
    pub made_at: Timestamp,
    /// AWS's clock minus this machine's when it was made, in seconds.
    pub clock_offset: i64,
    /// Whether the profile by itself would get this session too, and not only who assumes a role with it.
    pub stands_alone: bool,
    /// The section of `~/.aws/credentials` that `login` writes it to. None where nobody has asked for this profile itself yet.
    pub destination: Option<ProfileName>,
    pub stamps: Stamps,
}

impl Record {
    /// Where it is kept.
    pub fn slot(&self) -> &Slot {
        &self.rung().slot
    }

    /// What it was made for.
    pub fn request(&self) -> Request {
        self.ladder.request(self.ladder.last())
    }

    pub fn rung(&self) -> &Rung {
        &self.ladder.rungs[self.ladder.last()]
    }

    /// The role whose session it is; None for a user's.
    pub fn role(&self) -> Option<&RoleArn> {
        self.rung().role.as_ref().map(|role| &role.role_arn)
    }

    /// What the log has of its use for this profile.
    pub fn event<'a>(&'a self, act: Act, profile: &'a ProfileName) -> Event<'a> {
        Event {
            act,
            profile: Some(profile),
            access_key: Some(&self.ladder.access_key_id),
            role: self.role().map(RoleArn::as_str),
        }
    }

    /// Whose account the session works in: the last role's, else the user's.
    pub fn account(&self) -> Option<&str> {
        match self.role() {
            Some(role) => Some(role.account()),
            None => self.ladder.user_arn.as_deref().and_then(arn_account),
        }
    }

    /// By this machine's clock, which may be as wrong now as it was when the session was made.
    pub fn lifetime(&self) -> Lifetime {
        let offset = SignedDuration::from_secs(self.clock_offset);
        let expiration = self.credentials.expiration;
        Lifetime { made_at: self.made_at, expires: expiration.saturating_sub(offset).unwrap_or(expiration) }
    }

    /// What time it is by AWS's clock when it is `now` by this machine's, if the two have not moved apart since.
    pub fn aws_time(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(SignedDuration::from_secs(self.clock_offset)).unwrap_or(now)
    }

    /// Whether its ladder is what a caller without flags would climb, so that who has no vault may renew it.
    pub(super) fn shows_how_to_renew(&self) -> bool {
        !self.ladder.duration_asked || self.slot().asked.duration_seconds.is_some()
    }
}

/// The state of the files that a session's request was read from. While they are the same, a reader needs no vault to
/// know that the request is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    pub vault: FileStamp,
    pub config: ConfigStamp,
    /// Of the chain's profiles, the user first. The chain goes by these alone, whatever else the config file says.
    pub sections: Vec<SectionStamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds since 1970, as text: JSON numbers are not that long everywhere.
    #[serde(with = "as_text")]
    pub modified: i128,
    #[serde(with = "as_text")]
    pub changed: i128,
}

/// The config file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigStamp {
    Absent,
    File(FileStamp),
    /// It had been written to a moment before, and another write in the same moment would leave no trace in a stamp.
    Unsettled,
}

/// What the config file says of one profile: SHA-256 in hex, also of nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionStamp {
    pub profile: ProfileName,
    pub digest: String,
}

/// Longer than one tick of any file system's clock; FAT's is two seconds.
const SETTLES_AFTER: SignedDuration = SignedDuration::from_secs(3);

impl Stamps {
    pub fn of(vault: &Status, chain: &Chain, config: &ConfigFile, now: Timestamp) -> Self {
        let names = [&chain.user.profile].into_iter().chain(chain.roles.iter().map(|role| &role.profile));
        Self {
            vault: vault.into(),
            config: ConfigStamp::of(config.status(), now),
            sections: names.map(|name| SectionStamp::of(name, config)).collect(),
        }
    }

    /// Of what the session of this profile depends on, when it was made on behalf of another.
    pub(super) fn up_to(&self, profile: &ProfileName) -> Self {
        let place = self.sections.iter().position(|section| section.profile == *profile);
        let sections = &self.sections[..place.map_or(self.sections.len(), |place| place + 1)];
        Self { sections: sections.to_vec(), ..self.clone() }
    }

    /// Whether the config file still says the same of these profiles.
    pub fn fit(&self, config: &ConfigFile) -> bool {
        self.sections.iter().all(|section| *section == SectionStamp::of(&section.profile, config))
    }
}

impl SectionStamp {
    fn of(profile: &ProfileName, config: &ConfigFile) -> Self {
        let digest = HEXLOWER.encode(&config.digest(profile));
        Self { profile: profile.clone(), digest }
    }
}

impl ConfigStamp {
    pub fn of(status: Option<&Status>, now: Timestamp) -> Self {
        match status {
            None => Self::Absent,
            Some(status) if status.changed > now.as_nanosecond() - SETTLES_AFTER.as_nanos() => Self::Unsettled,
            Some(status) => Self::File(status.into()),
        }
    }

    /// Whether the file is certainly the one that was read.
    pub fn is_of(&self, status: Option<&Status>) -> bool {
        match (self, status) {
            (Self::Absent, None) => true,
            (Self::File(stamp), Some(status)) => *stamp == status.into(),
            _ => false,
        }
    }
}

impl From<&Status> for FileStamp {
    fn from(status: &Status) -> Self {
        let Status { device, inode, size, modified, changed, .. } = *status;
        Self { device, inode, size, modified, changed }
    }
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{config, now, record, role_record, status};
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_all_the_time_counts_the_right_time_left() {
        let mut slow = record("prod");
        slow.clock_offset = 1200;
        let expires = now() + SignedDuration::from_mins(12 * 60 - 20);
        assert_eq!(slow.lifetime(), Lifetime { made_at: now(), expires });
        slow.clock_offset = -7200;
        assert_eq!(slow.lifetime().expires, now() + SignedDuration::from_hours(14));
    }

    #[test]
    fn the_account_is_the_last_roles_else_the_users() {
        assert_eq!(record("prod").account(), Some("111111111111"));
        assert_eq!(role_record().account(), Some("222222222222"));
    }

    #[test]
    fn a_record_that_lacks_what_tells_a_later_reader_or_has_no_calls_is_none() {
        let whole = serde_json::to_value(role_record()).unwrap();
        assert!(serde_json::from_value::<Record>(whole.clone()).is_ok());
        for part in ["ladder", "stands_alone", "stamps"] {
            let mut old = whole.clone();
            old.as_object_mut().unwrap().remove(part);
            assert!(serde_json::from_value::<Record>(old).is_err(), "{part}");
        }
        let mut empty = whole;
        empty["ladder"]["rungs"] = serde_json::json!([]);
        assert!(serde_json::from_value::<Record>(empty).is_err());
    }

    #[test]
    fn a_session_depends_on_the_profiles_that_lead_to_it_and_on_no_other() {
        let text = "[profile alice]\nregion = a\n[profile ops]\nregion = b\n[profile other]\nregion = c\n";
        let stamps = |text: &str, of: &[&str]| Stamps {
            sections: of.iter().map(|name| SectionStamp::of(&name.parse().unwrap(), &config(text))).collect(),
            ..record("x").stamps
        };
        let role = stamps(text, &["alice", "ops"]);
        let user = role.up_to(&"alice".parse().unwrap());
        assert_eq!(user, stamps(text, &["alice"]));
        for (edit, role_fits, user_fits) in [
            (text.replace("= c", "= changed"), true, true),
            (text.replace("= b", "= changed"), false, true),
            (text.replace("= a", "= changed"), false, false),
            (text.replace("[profile ops]", "# a comment\n[profile ops]"), true, true),
            (text.replace("[profile ops]\n", ""), false, false),
            (format!("{text}[profile ops]\n"), false, true),
        ] {
            assert_eq!((role.fit(&config(&edit)), user.fit(&config(&edit))), (role_fits, user_fits), "{edit}");
        }
    }

    #[test]
    fn a_config_file_is_known_by_its_stamp_unless_it_was_written_just_before() {
        let stamp = |changed| ConfigStamp::of(Some(&status(changed)), now());
        let long_ago = now().as_nanosecond() - SETTLES_AFTER.as_nanos();
        assert_eq!(stamp(long_ago), ConfigStamp::File((&status(long_ago)).into()));
        assert!(stamp(long_ago).is_of(Some(&status(long_ago))));
        assert_eq!(stamp(long_ago + 1), ConfigStamp::Unsettled);
        assert_eq!(stamp(now().as_nanosecond() + 1), ConfigStamp::Unsettled);
        assert!(!ConfigStamp::Unsettled.is_of(Some(&status(long_ago + 1))));
        assert!(!ConfigStamp::Unsettled.is_of(None));
        assert_eq!(ConfigStamp::of(None, now()), ConfigStamp::Absent);
        assert!(ConfigStamp::Absent.is_of(None) && !ConfigStamp::Absent.is_of(Some(&status(0))));
        let read = status(5);
        let others = [
            Status { device: 9, ..read },
            Status { inode: 9, ..read },
            Status { size: 9, ..read },
            Status { modified: 9, ..read },
            Status { changed: 9, ..read },
        ];
        for other in others {
            assert!(!stamp(5).is_of(Some(&other)), "{other:?}");
        }
    }
}
