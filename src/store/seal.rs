//! Opens and closes the container: age around a signature around the document. No cryptography of our own, only an order
//! of checks: bounds, then age's authentication of every byte, then the text, then its signature.

use std::collections::HashSet;
use std::io::{Read, Write};

use age::{DecryptError, Decryptor, Encryptor};
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer};
use thiserror::Error;
use zeroize::Zeroizing;

use super::document::{Document, DocumentError, RecipientKind};
use super::header::{self, HeaderError};
use super::identity;
use super::kdf::KdfParameters;
use super::passphrase::KDF_TAG;
use crate::secret::{IdentityText, SecretBytes};

/// Half of what is read, so that whatever we write, we open.
const MAX_PAYLOAD: usize = 8 * 1024 * 1024;
const MAX_RECIPIENTS: usize = 24;

/// Keeps a signature over a payload from being one over anything else.
const SIGNED_AS: &[u8] = b"vault-payload-v1\0";
const SIGNATURE_LABEL: &[u8] = b"#sig ";
/// 64 bytes in padded base64.
const SIGNATURE_LENGTH: usize = 88;

/// Why a file does not open.
#[derive(Debug, Error)]
pub enum UnsealError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("not an age identity")]
    NotAnIdentity,
    /// No recipient of the file is this identity's: for a passphrase, a wrong one.
    #[error("the identity does not open this file")]
    WrongIdentity,
    /// The identity is the right one, but the header was changed or damaged since it was written.
    #[error("the header does not authenticate")]
    HeaderDamaged,
    /// Changed, damaged or cut short after the header.
    #[error("the content does not authenticate")]
    ContentDamaged,
    /// Encrypted by somebody who could not sign it.
    #[error("the signature does not verify")]
    Signature,
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Somebody changed the header and made the file open by other means.
    #[error("header and content disagree about the passphrase")]
    HeaderDisagrees,
}

/// Why a document can't be sealed.
#[derive(Debug, Error)]
pub enum SealError {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("larger than {MAX_PAYLOAD} bytes")]
    TooLarge,
    #[error("more than {MAX_RECIPIENTS} recipients")]
    TooManyRecipients,
    #[error("nobody could open it")]
    NoRecipients,
    #[error("two passphrases")]
    TwoPassphrases,
    /// By its name; of a kind that this version can't encrypt to.
    #[error("recipient `{0}` is of an unknown kind")]
    Recipient(String),
    #[error("encryption failed")]
    Encryption,
}

/// Opens a file with one identity. Several are tried one after another by the caller: age would stop at the first that
/// fails in an unusual way.
pub fn unseal(file: &[u8], identity: &IdentityText) -> Result<Document, UnsealError> {
    let kdf = header::scan(file)?;
    let payload = decrypt(file, identity)?;
    let document = verify(&payload)?;
    if document.kdf() != kdf.as_ref() {
        return Err(UnsealError::HeaderDisagrees);
    }
    Ok(document)
}

fn decrypt(file: &[u8], identity: &IdentityText) -> Result<SecretBytes, UnsealError> {
    let identity = identity::parse(identity).ok_or(UnsealError::NotAnIdentity)?;
    let decryptor = Decryptor::new_buffered(file).map_err(|_| UnsealError::from(HeaderError::Malformed))?;
    let opened = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
    let mut content = opened.map_err(|error| match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => UnsealError::WrongIdentity,
        _ => UnsealError::HeaderDamaged,
    })?;
    // Room for all of it: a vector that grows leaves its former self behind in freed memory.
    let mut payload = Zeroizing::new(Vec::with_capacity(file.len()));
    content.read_to_end(&mut payload).map_err(|_| UnsealError::ContentDamaged)?;
    Ok(payload)
}

/// The key that must have signed is inside the document: being able to encrypt to the vault's recipients, which takes only
/// public keys, is not being able to write a vault.
fn verify(payload: &[u8]) -> Result<Document, UnsealError> {
    let (signature, text) = split_signature(payload).ok_or(UnsealError::Signature)?;
    let document = Document::decode(text)?;
    let key = document.signing_key()?.verifying_key();
    key.verify_strict(&signed(text), &signature).map_err(|_| UnsealError::Signature)?;
    Ok(document)
}

fn split_signature(payload: &[u8]) -> Option<(Signature, &[u8])> {
    let rest = payload.strip_prefix(SIGNATURE_LABEL)?;
    let (signature, rest) = rest.split_at_checked(SIGNATURE_LENGTH)?;
    let signature = BASE64.decode(signature).ok()?;
    Some((Signature::from_slice(&signature).ok()?, rest.strip_prefix(b"\n")?))
}

fn signed(text: &[u8]) -> SecretBytes {
    Zeroizing::new([SIGNED_AS, text].concat())
}

/// Encrypts a document to the recipients it names itself; those in an old header, which anybody could have written, play
/// no part.
pub fn seal(document: &Document) -> Result<Vec<u8>, SealError> {
    let payload = sign(document)?;
    if payload.len() > MAX_PAYLOAD {
        return Err(SealError::TooLarge);
    }
    encrypt(&payload, &recipients(document)?)
}

fn encrypt(payload: &[u8], recipients: &[Box<dyn age::Recipient>]) -> Result<Vec<u8>, SealError> {
    let recipients = recipients.iter().map(|recipient| &**recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(|_| SealError::Encryption)?;
    let mut file = Vec::new();
    let written = encryptor.wrap_output(&mut file).and_then(|mut writer| {
        writer.write_all(payload)?;
        writer.finish()
    });
    written.map_err(|_| SealError::Encryption)?;
    Ok(file)
}

fn sign(document: &Document) -> Result<SecretBytes, SealError> {
    let text = document.encode()?;
    let signature = document.signing_key()?.sign(&signed(text.as_bytes()));
    let signature = BASE64.encode(signature.to_bytes());
    Ok(Zeroizing::new([SIGNATURE_LABEL, signature.as_bytes(), b"\n", text.as_bytes()].concat()))
}

fn recipients(document: &Document) -> Result<Vec<Box<dyn age::Recipient>>, SealError> {
    if document.recipients.is_empty() {
        return Err(SealError::NoRecipients);
    }
    if document.recipients.len() > MAX_RECIPIENTS {
        return Err(SealError::TooManyRecipients);
    }
    if document.recipients.iter().filter(|recipient| recipient.kind == RecipientKind::Passphrase).count() > 1 {
        return Err(SealError::TwoPassphrases);
    }
    let mut recipients: Vec<Box<dyn age::Recipient>> = Vec::new();
    if let Some(kdf) = document.kdf() {
        recipients.push(Box::new(KdfStanza(*kdf)));
    }
    for recipient in &document.recipients {
        let parsed: age::x25519::Recipient =
            recipient.recipient.parse().map_err(|_| SealError::Recipient(recipient.name.clone()))?;
        recipients.push(Box::new(parsed));
    }
    Ok(recipients)
}

/// Our own stanza, in the only place where age lets one be added. It wraps nothing.
struct KdfStanza(KdfParameters);

impl age::Recipient for KdfStanza {
    fn wrap_file_key(&self, _: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let stanza = Stanza { tag: KDF_TAG.to_owned(), args: self.0.words().to_vec(), body: Vec::new() };
        Ok((vec![stanza], HashSet::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::document::Recipient;
    use jiff::Timestamp;

    /// A small vault that two identities open, the first of them as if a passphrase had derived it.
    fn vault() -> (Document, IdentityText, IdentityText) {
        let (derived, recovery) = (identity::generate(), identity::generate());
        let mut document = Document::new(Timestamp::UNIX_EPOCH, "host".into(), identity::generate()).unwrap();
        document.recipients = vec![recipient("passphrase", &derived), recipient("recovery", &recovery)];
        (document, derived, recovery)
    }

    fn recipient(name: &str, identity: &IdentityText) -> Recipient {
        let kdf = (name == "passphrase").then(|| KdfParameters::new([5; 16], 8192, 3, 4).unwrap());
        Recipient {
            name: name.into(),
            kind: name.to_owned().into(),
            recipient: identity::recipient(identity).unwrap(),
            added: Timestamp::UNIX_EPOCH,
            kdf,
            rest: toml::Table::new(),
        }
    }

    fn refused(file: &[u8], identity: &IdentityText) -> UnsealError {
        unseal(file, identity).err().expect("opened")
    }

    #[test]
    fn every_recipient_opens_what_was_sealed_and_nobody_else_does() {
        let (document, derived, recovery) = vault();
        let file = seal(&document).unwrap();
        for identity in [&derived, &recovery] {
            let opened = unseal(&file, identity).unwrap();
            assert_eq!(*opened.encode().unwrap(), *document.encode().unwrap());
        }
        assert!(matches!(refused(&file, &identity::generate()), UnsealError::WrongIdentity));
        assert!(matches!(refused(&file, &IdentityText::new("AGE-SECRET".into())), UnsealError::NotAnIdentity));
    }

    #[test]
    fn the_header_says_how_the_passphrase_derives_and_does_not_hold_its_recipient() {
        let (document, ..) = vault();
        let file = seal(&document).unwrap();
        let expected =
            "age-encryption.org/v1\n-> vault-format.v1/argon2id BQUFBQUFBQUFBQUFBQUFBQ 8192 3 4\n\n-> X25519 ";
        assert!(file.starts_with(expected.as_bytes()));
        let public = document.recipients[0].recipient.as_bytes();
        assert!(!file.windows(public.len()).any(|window| window == public));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let (document, derived, _) = vault();
        let file = seal(&document).unwrap();
        let header = file.windows(5).position(|window| window == b"\n--- ").unwrap() + 50;
        for position in 0..file.len() {
            // All eight where the structure is; one of them, in turn, where every byte is under the same authentication.
            let bits = if position < header { 0..8 } else { position % 8..position % 8 + 1 };
            for bit in bits {
                let mut flipped = file.clone();
                flipped[position] ^= 1 << bit;
                assert!(unseal(&flipped, &derived).is_err(), "bit {bit} of byte {position} was not missed");
            }
        }
    }

    #[test]
    fn a_file_cut_short_or_continued_at_any_byte_is_refused() {
        let (document, derived, _) = vault();
        let mut file = seal(&document).unwrap();
        for length in 0..file.len() {
            assert!(unseal(&file[..length], &derived).is_err(), "the first {length} bytes opened");
        }
        file.push(0);
        assert!(matches!(refused(&file, &derived), UnsealError::ContentDamaged));
    }

    #[test]
    fn who_can_encrypt_to_the_recipients_still_cannot_write_a_vault() {
        let (document, derived, _) = vault();
        let text = document.encode().unwrap();
        let recipients = recipients(&document).unwrap();
        let forge = |payload: &[u8]| refused(&encrypt(payload, &recipients).unwrap(), &derived);
        let unsigned = forge(text.as_bytes());
        assert!(matches!(unsigned, UnsealError::Signature));
        let other_key = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
        let signature = BASE64.encode(other_key.sign(&signed(text.as_bytes())).to_bytes());
        assert!(matches!(forge(format!("#sig {signature}\n{}", *text).as_bytes()), UnsealError::Signature));
        let genuine = sign(&document).unwrap();
        let genuine = str::from_utf8(&genuine).unwrap();
        assert!(matches!(forge(genuine.replace("host", "ghost").as_bytes()), UnsealError::Signature));
        assert!(matches!(forge(genuine.replacen('\n', "\r\n", 1).as_bytes()), UnsealError::Signature));
        let without_label = BASE64.encode(document.signing_key().unwrap().sign(text.as_bytes()).to_bytes());
        assert!(matches!(forge(format!("#sig {without_label}\n{}", *text).as_bytes()), UnsealError::Signature));
    }

    #[test]
    fn a_header_that_derives_otherwise_than_the_content_says_is_refused() {
        let (document, derived, recovery) = vault();
        let payload = sign(&document).unwrap();
        let changed: Box<dyn age::Recipient> = Box::new(KdfStanza(KdfParameters::new([5; 16], 8192, 3, 3).unwrap()));
        let public = || Box::new(document.recipients[1].recipient.parse::<age::x25519::Recipient>().unwrap());
        for header in [vec![changed, public()], vec![public() as Box<dyn age::Recipient>]] {
            let file = encrypt(&payload, &header).unwrap();
            assert!(matches!(refused(&file, &recovery), UnsealError::HeaderDisagrees));
            assert!(matches!(refused(&file, &derived), UnsealError::WrongIdentity));
        }
    }

    #[test]
    fn a_vault_that_opens_by_identity_only_has_no_line_for_a_passphrase() {
        let (mut document, _, recovery) = vault();
        document.recipients.remove(0);
        let file = seal(&document).unwrap();
        assert_eq!(header::scan(&file), Ok(None));
        assert!(unseal(&file, &recovery).is_ok());
    }

    #[test]
    fn what_could_not_be_opened_again_is_not_sealed() {
        let (document, derived, recovery) = vault();
        let with = |recipients: Vec<Recipient>| {
            let mut changed = document.clone();
            changed.recipients = recipients;
            seal(&changed).expect_err("sealed")
        };
        assert!(matches!(with(vec![]), SealError::NoRecipients));
        assert!(matches!(with(vec![recipient("r", &recovery); 25]), SealError::TooManyRecipients));
        assert!(matches!(with(vec![recipient("passphrase", &derived); 2]), SealError::TwoPassphrases));
        let mut plugin = recipient("hardware", &recovery);
        plugin.recipient = "age1yubikey1x".into();
        assert!(matches!(with(vec![plugin]), SealError::Recipient(name) if name == "hardware"));
        let mut large = document.clone();
        large.rest.insert("x".into(), toml::Value::String("x".repeat(MAX_PAYLOAD)));
        assert!(matches!(seal(&large), Err(SealError::TooLarge)));
    }

    #[test]
    fn the_largest_payload_for_the_most_recipients_is_within_what_is_read() {
        let (mut document, derived, recovery) = vault();
        document.recipients.extend(vec![recipient("r", &recovery); MAX_RECIPIENTS - 2]);
        let payload = vec![b'x'; MAX_PAYLOAD];
        let file = encrypt(&payload, &recipients(&document).unwrap()).unwrap();
        assert_eq!(header::scan(&file).unwrap().as_ref(), document.kdf());
        assert!(*decrypt(&file, &derived).unwrap() == payload);
    }
}
