//! What is said between the agent and those who ask it. Requests and replies are JSON, one a frame. Nothing here has Debug:
//! most of it is secret.
//!
//! [`Request::Lock`] and [`Request::Quit`], and the [`Reply::Done`] to them, are the same in every version of the protocol:
//! `vault lock` reaches agents of any.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use age_core::format::Stanza;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::encoding::{in_base64, in_seconds, key_in_base64};
use super::frame;
use super::version::Version;
use crate::process::leaving_no_trace_within;
use crate::secret::{IdentityText, SecretBytes, in_sealed_bytes};

/// Part of the socket's name: agents of different versions stand side by side.
pub const PROTOCOL: u32 = 1;

/// Of stack: twice what making or reading a message takes, unoptimised too.
const DEPTH: usize = 32 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Who is there, and is the vault of this place unlocked?
    Hello {
        place: Place,
    },
    Unlock(Unlock),
    /// The key of the file with these stanzas.
    Unwrap {
        vault_id: String,
        which: Which,
        stanzas: Vec<WireStanza>,
    },
    Status,
    /// Forget everything.
    Lock,
    /// Forget everything, and end.
    Quit,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    Hello(Hello),
    FileKey {
        #[serde(with = "key_in_base64")]
        key: Zeroizing<[u8; 16]>,
    },
    /// No identity that is held opens this.
    None,
    Status(Status),
    Done,
}

/// Where a vault is, as far as the agent needs it: text that is the same for the same path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(String);

impl Place {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        let bytes = path.as_os_str().as_bytes();
        Self(path.to_str().map_or_else(|| bytes.escape_ascii().to_string(), str::to_owned))
    }
}

/// What is to be held of a vault, and for how long.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    pub place: Place,
    pub vault_id: String,
    #[serde(with = "in_sealed_bytes")]
    pub vault_identity: IdentityText,
    #[serde(with = "in_sealed_bytes")]
    pub session_identity: IdentityText,
    #[serde(with = "key_in_base64")]
    pub name_key: Zeroizing<[u8; 32]>,
    /// Of the vault identity, since its last use.
    #[serde(with = "in_seconds")]
    pub idle: Duration,
    /// Of the vault identity, from now.
    #[serde(with = "in_seconds")]
    pub max: Duration,
    /// Of the session identity, from now; zero: it goes with the vault identity.
    #[serde(with = "in_seconds")]
    pub session: Duration,
}

/// One of the two identities of a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    Vault,
    Session,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The agent's.
    pub version: Version,
    pub pid: u32,
    /// None where nothing is held for the place.
    pub vault: Option<HeldVault>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldVault {
    pub vault_id: String,
    pub state: State,
    /// `age1...`
    pub session_recipient: String,
    #[serde(with = "key_in_base64")]
    pub name_key: Zeroizing<[u8; 32]>,
}

/// What is held of a vault. Where nothing is, it is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Unlocked,
    SessionsOnly,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    pub version: Version,
    pub pid: u32,
    pub vaults: Vec<VaultStatus>,
}

/// How long a vault's identities are held on. Nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultStatus {
    /// Where it was unlocked last.
    pub place: Place,
    pub vault_id: String,
    pub state: State,
    /// Seconds until the vault identity goes, if it is not used meanwhile; none where it is gone.
    pub idle_left: Option<u64>,
    /// Seconds until it goes though it is used; none where it is gone.
    pub vault_left: Option<u64>,
    /// Seconds until the session identity goes; none where it goes with the vault identity.
    pub session_left: Option<u64>,
}

/// A stanza of an age file's header.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireStanza {
    tag: String,
    args: Vec<String>,
    #[serde(with = "in_base64")]
    body: Vec<u8>,
}

impl From<&Stanza> for WireStanza {
    fn from(stanza: &Stanza) -> Self {
        Self { tag: stanza.tag.clone(), args: stanza.args.clone(), body: stanza.body.clone() }
    }
}

impl From<WireStanza> for Stanza {
    fn from(stanza: WireStanza) -> Self {
        Self { tag: stanza.tag, args: stanza.args, body: stanza.body }
    }
}

/// None where it makes no sense.
pub fn decode_request(message: &[u8]) -> Option<Request> {
    leaving_no_trace_within::<DEPTH, _>(|| serde_json::from_slice(message).ok())
}

pub fn decode_reply(message: &[u8]) -> Option<Reply> {
    leaving_no_trace_within::<DEPTH, _>(|| serde_json::from_slice(message).ok())
}

/// None where it is longer than any message may be.
pub fn encode_request(request: &Request) -> Option<SecretBytes> {
    encode(request)
}

pub fn encode_reply(reply: &Reply) -> Option<SecretBytes> {
    encode(reply)
}

/// Into memory that is wiped, like what it outgrows on the way: by the allocator.
fn encode(message: &impl Serialize) -> Option<SecretBytes> {
    let encoded = leaving_no_trace_within::<DEPTH, _>(|| serde_json::to_vec(message).map(Zeroizing::new).ok());
    encoded.filter(|encoded| encoded.len() <= frame::LONGEST)
}

#[cfg(test)]
mod tests;
