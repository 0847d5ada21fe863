//! Opens and closes the container: age around a signature around the document. No cryptography of our own, only an order
//! of checks: bounds, then age's authentication of every byte, then the text, then its signature.

mod sealed;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use age::{DecryptError, Decryptor, EncryptError, Encryptor};
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer};
use thiserror::Error;
use zeroize::Zeroizing;

use super::document::{Document, DocumentError, Recipient, RecipientKind};
use super::header::{self, HeaderError};
use super::identity;
use super::kdf::KdfParameters;
use super::opener::{AtAge, Opener};
use super::passphrase::KDF_TAG;
use super::plugin::{Failed, PluginError, PluginIdentity, PluginRecipient, Plugins, Trouble};
use crate::process::leaving_no_trace;
use crate::secret::{IdentityText, SecretBytes};

pub(super) use sealed::Sealed;

/// Half of what is read, so that whatever we write, we open.
const MAX_PAYLOAD: usize = 8 * 1024 * 1024;
const MAX_RECIPIENTS: usize = 24;

/// Keeps a signature over a payload from being one over anything else.
const SIGNED_AS: &[u8] = b"vault-payload-v1\0";
const SIGNATURE_LABEL: &[u8] = b"#sig ";
/// 64 bytes in padded base64.
const SIGNATURE_LENGTH: usize = 88;
/// The line of the signature; there is room in it for the words that are signed in its place.
const LINE: usize = SIGNATURE_LABEL.len() + SIGNATURE_LENGTH + b"\n".len();
const SIGNED_FROM: usize = LINE - SIGNED_AS.len();

/// Why a file does not open.
#[derive(Debug, Error)]
pub enum UnsealError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("not an age identity")]
    NotAnIdentity,
    /// It begins as one does. With the number of its characters.
    #[error("an age identity with a typing error")]
    MistypedIdentity { length: usize },
    /// The identity is one of an age plugin, named as its program is.
    #[error("{plugin}: {error}")]
    Plugin { plugin: String, error: PluginError },
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

impl UnsealError {
    /// Whether the file is not what a vault program wrote, so that an earlier one is to go back to.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Header(error) => *error != HeaderError::Newer,
            Self::Document(error) => !matches!(error, DocumentError::Newer { .. }),
            Self::HeaderDamaged | Self::ContentDamaged | Self::Signature | Self::HeaderDisagrees => true,
            Self::NotAnIdentity | Self::MistypedIdentity { .. } | Self::Plugin { .. } | Self::WrongIdentity => false,
        }
    }
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
    #[error("recipient `{recipient}`: {}: {error}", program.display())]
    Plugin { recipient: String, program: PathBuf, error: PluginError },
    /// A file for this recipient must not open for the others too: what protects it from a quantum computer does not protect
    /// them.
    #[error("recipient `{0}` can't be mixed with the others")]
    CannotMix(String),
    #[error("encryption failed")]
    Encryption,
}

/// Opens a file with one identity. Several are tried one after another by the caller: age would stop at the first that
/// fails in an unusual way.
pub fn unseal(file: &[u8], identity: &IdentityText, plugins: &Plugins) -> Result<Document, UnsealError> {
    unseal_by(file, &identity.clone().into(), plugins)
}

/// The same with what opened it before.
pub fn unseal_by(file: &[u8], opener: &Opener, plugins: &Plugins) -> Result<Document, UnsealError> {
    leaving_no_trace(|| {
        let (kdf, payload) = header_and_payload(file, opener, plugins)?;
        let document = verify(payload)?;
        agree(&document, kdf.as_ref())?;
        Ok(document)
    })
}

fn header_and_payload(
    file: &[u8],
    opener: &Opener,
    plugins: &Plugins,
) -> Result<(Option<KdfParameters>, SecretBytes), UnsealError> {
    let kdf = header::scan(file)?;
    let payload = match opener {
        Opener::Identity(identity) => decrypt_by_identity(file, identity, plugins)?,
        Opener::Held(held) => decrypt(file, &AtAge(Arc::clone(held)))?,
    };
    Ok((kdf, payload))
}

fn agree(document: &Document, kdf: Option<&KdfParameters>) -> Result<(), UnsealError> {
    if document.kdf() == kdf { Ok(()) } else { Err(UnsealError::HeaderDisagrees) }
}

fn decrypt_by_identity(file: &[u8], identity: &IdentityText, plugins: &Plugins) -> Result<SecretBytes, UnsealError> {
    match (identity::parse(identity), PluginIdentity::of(identity, plugins)) {
        (Some(identity), _) => decrypt(file, &identity),
        (None, Some(identity)) => decrypt(file, &identity).map_err(|error| match identity.failure() {
            Some((plugin, error)) => UnsealError::Plugin { plugin, error },
            None => error,
        }),
        (None, None) if identity.expose().starts_with(identity::START) => {
            Err(UnsealError::MistypedIdentity { length: identity.expose().chars().count() })
        }
        (None, None) => Err(UnsealError::NotAnIdentity),
    }
}

fn decrypt(file: &[u8], identity: &dyn age::Identity) -> Result<SecretBytes, UnsealError> {
    let decryptor = Decryptor::new_buffered(file).map_err(|_| UnsealError::from(HeaderError::Malformed))?;
    let opened = decryptor.decrypt(std::iter::once(identity));
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
fn verify(mut payload: SecretBytes) -> Result<Document, UnsealError> {
    let (signature, text) = split_signature(&payload).ok_or(UnsealError::Signature)?;
    let document = Document::decode(text)?;
    let key = document.auth.verifying_key()?;
    make_signed(&mut payload);
    key.verify_strict(&payload[SIGNED_FROM..], &signature).map_err(|_| UnsealError::Signature)?;
    Ok(document)
}

fn split_signature(payload: &[u8]) -> Option<(Signature, &[u8])> {
    let (line, text) = payload.split_at_checked(LINE)?;
    Some((signature_in(line)?, text))
}

fn signature_in(line: &[u8]) -> Option<Signature> {
    let signature = BASE64.decode(line.strip_prefix(SIGNATURE_LABEL)?.strip_suffix(b"\n")?).ok()?;
    Signature::from_slice(&signature).ok()
}

/// Puts the words before the text that are signed with it, over the end of the line that the signature is kept in.
fn make_signed(payload: &mut [u8]) {
    payload[SIGNED_FROM..LINE].copy_from_slice(SIGNED_AS);
}

/// Encrypts a document to the recipients it names itself; those in an old header, which anybody could have written, play
/// no part.
pub fn seal(document: &Document, plugins: &Plugins) -> Result<Vec<u8>, SealError> {
    leaving_no_trace(|| sign_and_encrypt(document, plugins))
}

fn sign_and_encrypt(document: &Document, plugins: &Plugins) -> Result<Vec<u8>, SealError> {
    encrypt_to_its_recipients(&[&sign(document)?], document, plugins)
}

/// The parts of its payload, one after another.
fn encrypt_to_its_recipients(parts: &[&[u8]], document: &Document, plugins: &Plugins) -> Result<Vec<u8>, SealError> {
    if length(parts) > MAX_PAYLOAD {
        return Err(SealError::TooLarge);
    }
    let trouble = Trouble::default();
    let recipients = recipients(document, plugins, &trouble)?;
    encrypt(parts, &recipients).map_err(|error| why_not(&error, &trouble))
}

fn why_not(error: &EncryptError, trouble: &Trouble) -> SealError {
    match (trouble.failed.take(), error, trouble.labelled.take()) {
        (Some(Failed { recipient, program, error }), ..) => SealError::Plugin { recipient, program, error },
        (None, EncryptError::IncompatibleRecipients { .. }, Some(labelled)) => SealError::CannotMix(labelled),
        _ => SealError::Encryption,
    }
}

fn length(parts: &[&[u8]]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

fn encrypt<'a>(parts: &[&[u8]], recipients: &[Box<dyn age::Recipient + 'a>]) -> Result<Vec<u8>, EncryptError> {
    let recipients = recipients.iter().map(|recipient| &**recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients)?;
    // The header, and a tag for each 64 KiB.
    let mut file = Vec::with_capacity(length(parts) + length(parts) / 4096 + 4096);
    let mut writer = encryptor.wrap_output(&mut file)?;
    parts.iter().try_for_each(|part| writer.write_all(part))?;
    writer.finish()?;
    Ok(file)
}

fn sign(document: &Document) -> Result<SecretBytes, SealError> {
    let mut payload = unsigned(document)?;
    let line = signature_line(document, &payload)?;
    payload[..LINE].copy_from_slice(&line);
    Ok(payload)
}

/// The payload with what is signed in it, and without the signature.
fn unsigned(document: &Document) -> Result<SecretBytes, SealError> {
    let mut text = document.encode_after(&" ".repeat(LINE))?;
    let mut payload = Zeroizing::new(std::mem::take(&mut *text).into_bytes());
    make_signed(&mut payload);
    Ok(payload)
}

fn signature_line(document: &Document, unsigned: &[u8]) -> Result<Vec<u8>, SealError> {
    let signature = document.auth.signing_key()?.sign(&unsigned[SIGNED_FROM..]);
    let signature = BASE64.encode(signature.to_bytes());
    Ok([SIGNATURE_LABEL, signature.as_bytes(), b"\n"].concat())
}

fn recipients<'a>(
    document: &'a Document,
    plugins: &'a Plugins,
    trouble: &'a Trouble,
) -> Result<Vec<Box<dyn age::Recipient + 'a>>, SealError> {
    if document.recipients.is_empty() {
        return Err(SealError::NoRecipients);
    }
    if document.recipients.len() > MAX_RECIPIENTS {
        return Err(SealError::TooManyRecipients);
    }
    if document.passphrases() > 1 {
        return Err(SealError::TwoPassphrases);
    }
    let mut recipients: Vec<Box<dyn age::Recipient + 'a>> = Vec::new();
    if let Some(kdf) = document.kdf() {
        recipients.push(Box::new(KdfStanza(*kdf)));
    }
    for recipient in &document.recipients {
        recipients
            .push(parse(recipient, plugins, trouble).ok_or_else(|| SealError::Recipient(recipient.name.clone()))?);
    }
    Ok(recipients)
}

/// Only an entry that says so is a plugin's: no other kind of recipient starts a program.
fn parse<'a>(
    recipient: &'a Recipient,
    plugins: &'a Plugins,
    trouble: &'a Trouble,
) -> Option<Box<dyn age::Recipient + 'a>> {
    if recipient.kind == RecipientKind::Plugin {
        return Some(Box::new(PluginRecipient::of(recipient, plugins, trouble)?));
    }
    Some(Box::new(recipient.recipient.parse::<age::x25519::Recipient>().ok()?))
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
mod tests;
