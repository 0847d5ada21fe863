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
mod tests {
    use super::*;

    fn unlock() -> Unlock {
        Unlock {
            place: Place::from(Path::new("/home/alice/vault.age")),
            vault_id: "id".to_owned(),
            vault_identity: IdentityText::new("AGE-SECRET-KEY-1V".to_owned()),
            session_identity: IdentityText::new("AGE-SECRET-KEY-1S".to_owned()),
            name_key: Zeroizing::new([7; 32]),
            idle: Duration::from_secs(900),
            max: Duration::from_secs(28_800),
            session: Duration::ZERO,
        }
    }

    fn text(message: Option<SecretBytes>) -> String {
        String::from_utf8(message.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn requests_have_the_form_that_other_programs_may_rely_on() {
        let stanza = Stanza { tag: "X25519".into(), args: vec!["a".into()], body: vec![1, 2, 3] };
        let unwrap =
            Request::Unwrap { vault_id: "id".into(), which: Which::Session, stanzas: vec![WireStanza::from(&stanza)] };
        let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        for (request, form) in [
            (Request::Hello { place: Path::new("/v").into() }, r#"{"hello":{"place":"/v"}}"#.to_owned()),
            (
                Request::Unlock(unlock()),
                format!(
                    r#"{{"unlock":{{"place":"/home/alice/vault.age","vault_id":"id","vault_identity":"AGE-SECRET-KEY-1V","session_identity":"AGE-SECRET-KEY-1S","name_key":"{key}","idle":900,"max":28800,"session":0}}}}"#
                ),
            ),
            (
                unwrap,
                r#"{"unwrap":{"vault_id":"id","which":"session","stanzas":[{"tag":"X25519","args":["a"],"body":"AQID"}]}}"#
                    .to_owned(),
            ),
            (Request::Status, r#""status""#.to_owned()),
            (Request::Lock, r#""lock""#.to_owned()),
            (Request::Quit, r#""quit""#.to_owned()),
        ] {
            assert_eq!(text(encode_request(&request)), form);
            assert_eq!(text(encode_request(&decode_request(form.as_bytes()).unwrap())), form);
        }
    }

    #[test]
    fn replies_have_the_form_that_other_programs_may_rely_on() {
        let version: Version = "1.20.3".parse().unwrap();
        let vault = HeldVault {
            vault_id: "id".into(),
            state: State::SessionsOnly,
            session_recipient: "age1".into(),
            name_key: Zeroizing::new([0; 32]),
        };
        let status = VaultStatus {
            place: Path::new("/v").into(),
            vault_id: "id".into(),
            state: State::Unlocked,
            idle_left: Some(1),
            vault_left: Some(2),
            session_left: None,
        };
        for (reply, form) in [
            (
                Reply::Hello(Hello { version, pid: 7, vault: Some(vault) }),
                r#"{"hello":{"version":"1.20.3","pid":7,"vault":{"vault_id":"id","state":"sessions_only","session_recipient":"age1","name_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}}"#,
            ),
            (
                Reply::Hello(Hello { version, pid: 7, vault: None }),
                r#"{"hello":{"version":"1.20.3","pid":7,"vault":null}}"#,
            ),
            (Reply::FileKey { key: Zeroizing::new([0; 16]) }, r#"{"file_key":{"key":"AAAAAAAAAAAAAAAAAAAAAA=="}}"#),
            (Reply::None, r#""none""#),
            (
                Reply::Status(Status { version, pid: 7, vaults: vec![status] }),
                r#"{"status":{"version":"1.20.3","pid":7,"vaults":[{"place":"/v","vault_id":"id","state":"unlocked","idle_left":1,"vault_left":2,"session_left":null}]}}"#,
            ),
            (Reply::Done, r#""done""#),
        ] {
            assert_eq!(text(encode_reply(&reply)), form);
            assert_eq!(text(encode_reply(&decode_reply(form.as_bytes()).unwrap())), form);
        }
    }

    #[test]
    fn what_makes_no_sense_is_no_request() {
        for nonsense in [
            "",
            "lock",
            r#""LOCK""#,
            r#""lock" "lock""#,
            r#"{"hello":{}}"#,
            r#"{"hello":{"place":"/v","more":1}}"#,
            r#"{"hello":{"place":"/v","place":"/w"}}"#,
            r#"{"unwrap":{"vault_id":"id","which":"other","stanzas":[]}}"#,
            r#"{"unwrap":{"vault_id":"id","which":"vault","stanzas":[{"tag":"t","args":[],"body":"AQI"}]}}"#,
        ] {
            assert!(decode_request(nonsense.as_bytes()).is_none(), "{nonsense}");
        }
        let valid = text(encode_request(&Request::Unlock(unlock())));
        for (field, other) in
            [("900", "-1"), ("900", "1.5"), ("900", "\"900\""), ("BwcH", "BwcHBwcH"), ("Bwc=", "Bwd=")]
        {
            assert!(decode_request(valid.replacen(field, other, 1).as_bytes()).is_none(), "{other}");
        }
        assert!(decode_request(valid.as_bytes()).is_some());
    }

    #[test]
    fn a_message_that_is_too_long_is_not_made() {
        let long = "x".repeat(frame::LONGEST - 20);
        assert!(encode_request(&Request::Hello { place: Path::new(&long).into() }).is_none());
    }

    /// Deeper, it would end the whole test program.
    #[test]
    fn messages_are_made_and_read_within_half_the_depth_that_is_wiped() {
        let within = |work: fn() -> bool| {
            // Of which the thread itself takes a part.
            std::thread::Builder::new().stack_size(DEPTH / 2).spawn(work).unwrap().join().unwrap()
        };
        assert!(within(|| {
            let message = serde_json::to_vec(&Request::Unlock(unlock())).unwrap();
            serde_json::from_slice::<Request>(&message).is_ok()
        }));
        assert!(within(|| {
            let stanza = WireStanza { tag: "X25519".into(), args: vec!["a".into()], body: vec![0; 32] };
            let unwrap = Request::Unwrap { vault_id: "id".into(), which: Which::Vault, stanzas: vec![stanza] };
            let message = serde_json::to_vec(&unwrap).unwrap();
            serde_json::from_slice::<Request>(&message).is_ok()
        }));
        assert!(within(|| {
            let message = serde_json::to_vec(&Reply::FileKey { key: Zeroizing::new([7; 16]) }).unwrap();
            serde_json::from_slice::<Reply>(&message).is_ok()
        }));
    }

    #[test]
    fn places_that_are_no_text_are_told_apart() {
        use std::ffi::OsStr;
        let place = |bytes: &[u8]| Place::from(Path::new(OsStr::from_bytes(bytes)));
        assert_ne!(place(b"/v\xff"), place(b"/v\xfe"));
        assert_eq!(place("/vä".as_bytes()).as_str(), "/vä");
    }
}
