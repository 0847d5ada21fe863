//! What the tests of this room share.

use std::path::Path;

use jiff::Timestamp;

use super::cache::Cache;
use super::key::SessionKey;
use super::record::{Record, Stamps, VaultStamp};
use super::request::{Asked, Request, Slot};
use crate::aws_files::config::ConfigFile;
use crate::credentials::SessionCredentials;
use crate::disk::RealDisk;
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

pub fn stamps() -> Stamps {
    let vault = VaultStamp { device: 1, inode: 2, size: 3, modified: i128::from(i64::MAX) + 1, changed: -5 };
    Stamps { vault, config: "00".into() }
}

/// A user's plain session of 12 hours, made now.
pub fn record(profile: &str) -> Record {
    Record {
        slot: Slot { profile: profile.parse().unwrap(), asked: Asked::default(), serial: None },
        request: Request {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            endpoint: None,
            serial: None,
            roles: Vec::new(),
            duration_seconds: 43_200,
            duration_asked: false,
        },
        credentials: SessionCredentials {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".parse().unwrap(),
            secret_access_key: SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            session_token: SessionToken::new("token".into()),
            expiration: now() + jiff::SignedDuration::from_hours(12),
        },
        user_arn: Some("arn:aws:iam::111111111111:user/alice".into()),
        region: Region::fallback(),
        made_at: now(),
        clock_offset: 0,
        stamps: stamps(),
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
