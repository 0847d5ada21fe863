//! What the tests of this room share.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::cache::Cache;
use super::key::SessionKey;
use super::ladder::{Ladder, Rung};
use super::options::Options;
use super::record::{ConfigStamp, FileStamp, Record, Stamps};
use super::request::RoleRequest;
use super::role_options::RoleOptions;
use crate::aws_files::config::ConfigFile;
use crate::credentials::SessionCredentials;
use crate::disk::{Kind, RealDisk, Status};
use crate::names::Region;
use crate::secret::{IdentityText, SecretAccessKey, SessionToken};
use crate::store::document::Document;

pub fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub fn session_identity() -> IdentityText {
    IdentityText::new("AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33".into())
}

pub fn cache(state: &Path) -> Cache<'static> {
    Cache::new(&RealDisk, state, SessionKey::of(&session_identity(), "vault").unwrap())
}

pub fn status(changed: i128) -> Status {
    Status { kind: Kind::File, device: 1, inode: 2, size: 3, mode: 0o600, owner: 0, modified: 4, changed }
}

pub fn stamps() -> Stamps {
    let vault = FileStamp { device: 1, inode: 2, size: 3, modified: i128::from(i64::MAX) + 1, changed: -5 };
    Stamps { vault, config: ConfigStamp::Absent, sections: Vec::new() }
}

/// A user's plain session of 12 hours, made now.
pub fn record(profile: &str) -> Record {
    Record {
        ladder: Ladder {
            user: profile.parse().unwrap(),
            user_arn: Some("arn:aws:iam::111111111111:user/alice".into()),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            endpoint: None,
            endpoint_url: None,
            call_region: Region::fallback(),
            rungs: vec![rung(profile, 12)],
            duration_asked: false,
        },
        credentials: SessionCredentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret_access_key: SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            session_token: SessionToken::new("token".into()),
            expiration: now() + SignedDuration::from_hours(12),
        },
        made_at: now(),
        clock_offset: 0,
        stands_alone: true,
        destination: Some(profile.parse().unwrap()),
        stamps: stamps(),
    }
}

/// A session of an hour as the role `ops`, that alice's session assumed now.
pub fn role_record() -> Record {
    let mut record = record("alice");
    let role_arn = "arn:aws:iam::222222222222:role/ops".parse().unwrap();
    let role = Some(RoleRequest { role_arn, options: RoleOptions::default() });
    record.ladder.rungs.push(Rung { role, ..rung("ops", 1) });
    record.credentials.expiration = now() + SignedDuration::from_hours(1);
    record
}

fn rung(profile: &str, hours: u64) -> Rung {
    Rung {
        protected: false,
        slot: Options::default().slot(&profile.parse().unwrap()),
        region: None,
        role: None,
        duration: Duration::from_secs(hours * 3600),
        device: None,
        notes: Vec::new(),
    }
}

/// A vault with these profiles, in TOML.
pub fn document(profiles: &str) -> Document {
    let head = "[meta]\nformat = 1\nvault_id = \"AAAAAAAAAAAAAAAAAAAAAA\"\ngeneration = 1\n\
                rekeyed_at = \"2026-01-01T00:00:00Z\"\nrekeyed_generation = 1\nwritten_at = \"2026-01-01T00:00:00Z\"\nwriter = \"here\"\n\
                [auth]\ned25519_seed = \"\"\n[session]\nidentity = \"\"\n";
    Document::decode(format!("{head}{profiles}").as_bytes()).unwrap()
}

/// An access key of alice in account 111111111111, for a profile's table.
pub fn key_of(profile: &str) -> String {
    format!(
        "[profile.{profile}.access_key]\nid = \"AKIAIOSFODNN7EXAMPLE\"\nsecret = \"s\"\nadded = \"2026-01-01T00:00:00Z\"\n\
         user_arn = \"arn:aws:iam::111111111111:user/alice\"\nverified = \"2026-01-01T00:00:00Z\"\n"
    )
}

pub fn config(text: &str) -> ConfigFile {
    ConfigFile::parse(Path::new("/home/alice/.aws/config"), text.as_bytes())
}
