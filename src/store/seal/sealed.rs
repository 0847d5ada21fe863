//! A sealed document with the proof that it opens, made while it is sealed. A save of ten thousand profiles would wait for
//! its text to be read, and for its signature to be verified, if the new file were opened as any other.
//!
//! Opening is decrypting, then reading and verifying what was decrypted; and the same bytes read as the same document
//! whenever they are read. So the text is read while it is signed and encrypted, and of the file itself remains to be shown
//! that each identity finds those very bytes in it.

use super::{LINE, SIGNED_FROM, SealError, UnsealError, signature_in};
use super::{agree, encrypt_to_its_recipients, header_and_payload, signature_line, unsigned};
use crate::process::{at_once, leaving_no_trace};
use crate::secret::SecretBytes;
use crate::store::document::Document;
use crate::store::opener::Opener;
use crate::store::plugin::Plugins;

pub struct Sealed {
    file: Vec<u8>,
    line: Vec<u8>,
    /// What the line signs; the text is the rest of the payload.
    unsigned: SecretBytes,
    /// What reading and verifying the payload gives.
    read: Result<Document, UnsealError>,
}

impl Sealed {
    pub fn of(document: &Document, plugins: &Plugins) -> Result<Self, SealError> {
        leaving_no_trace(|| Self::seal_and_read(document, plugins))
    }

    fn seal_and_read(document: &Document, plugins: &Plugins) -> Result<Self, SealError> {
        let unsigned = unsigned(document)?;
        let text = &unsigned[LINE..];
        let seal = || {
            let line = signature_line(document, &unsigned)?;
            let file = encrypt_to_its_recipients(&[&line, text], document, plugins)?;
            let key = document.auth.verifying_key()?;
            let signature = signature_in(&line).filter(|one| key.verify_strict(&unsigned[SIGNED_FROM..], one).is_ok());
            Ok::<_, SealError>((line, file, signature.map(|_| key)))
        };
        let (read, sealed) = at_once(|| Document::decode(text), seal);
        let (line, file, verified_by) = sealed?;
        // Who opens the file takes the key from what was read.
        let read =
            read.map_err(UnsealError::from).and_then(|read| match verified_by == Some(read.auth.verifying_key()?) {
                true => Ok(read),
                false => Err(UnsealError::Signature),
            });
        Ok(Self { file, line, unsigned, read })
    }

    /// Whether this opens the file, to this very document.
    pub fn prove(&self, opener: &Opener, plugins: &Plugins) -> Result<(), UnsealError> {
        leaving_no_trace(|| {
            let (kdf, payload) = header_and_payload(&self.file, opener, plugins)?;
            if payload.split_at_checked(LINE) != Some((&self.line, &self.unsigned[LINE..])) {
                return Err(UnsealError::ContentDamaged);
            }
            self.read.as_ref().map_or(Ok(()), |document| agree(document, kdf.as_ref()))
        })
    }

    /// The file, and the document as it opens.
    pub fn opened(self) -> Result<(Vec<u8>, Document), UnsealError> {
        Ok((self.file, self.read?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::vault;
    use super::*;
    use crate::secret::IdentityText;
    use crate::store::recovery::RecoveryKey;
    use crate::store::seal::unseal;

    fn sealed() -> (Sealed, IdentityText) {
        let (document, derived, _) = vault();
        (Sealed::of(&document, &Plugins::none()).unwrap(), derived)
    }

    #[test]
    fn what_is_proved_opens_to_the_same_document() {
        let (sealed, identity) = sealed();
        sealed.prove(&identity.clone().into(), &Plugins::none()).unwrap();
        let (file, document) = sealed.opened().unwrap();
        let opened = unseal(&file, &identity, &Plugins::none()).unwrap();
        assert_eq!(*opened.encode().unwrap(), *document.encode().unwrap());
    }

    #[test]
    fn neither_another_identity_nor_another_file_is_proved() {
        let (mut sealed, identity) = sealed();
        let (other, stranger) = self::sealed();
        let nobody = RecoveryKey::generate().identity;
        let refused = |sealed: &Sealed, identity: &IdentityText| {
            sealed.prove(&identity.clone().into(), &Plugins::none()).expect_err("proved")
        };
        assert!(matches!(refused(&sealed, &nobody), UnsealError::WrongIdentity));
        let genuine = std::mem::replace(&mut sealed.file, other.file);
        assert!(matches!(refused(&sealed, &stranger), UnsealError::ContentDamaged), "it opens, to something else");
        sealed.file = genuine;
        *sealed.file.last_mut().unwrap() ^= 1;
        assert!(matches!(refused(&sealed, &identity), UnsealError::ContentDamaged));
    }

    #[test]
    fn what_was_written_and_cannot_be_read_is_not_opened() {
        let (mut document, identity, _) = vault();
        document.meta.vault_id = "no id".to_owned();
        let sealed = Sealed::of(&document, &Plugins::none()).unwrap();
        sealed.prove(&identity.clone().into(), &Plugins::none()).unwrap();
        assert!(matches!(sealed.opened(), Err(UnsealError::Document(_))));
    }
}
