//! New keys for the vault itself: after a changed passphrase, or when somebody may no longer open it. What they can still
//! open, the file as it was, tells them nothing about what comes, and what they sign is not heard.

use super::{EditError, NotCommitted, Stamp, Vault};
use crate::secret::{IdentityText, Passphrase};
use crate::store::document::{Document, Recipient, RecipientKind};
use crate::store::identity;
use crate::store::kdf::KdfParameters;
use crate::store::kept::Keep;
use crate::store::opener::Opener;
use crate::store::passphrase::{self, DeriveError};
use crate::store::pin::public_key;
use crate::store::seal::SealError;

/// A passphrase that was derived with a salt of its own, before anything is locked.
pub struct NewPassphrase {
    identity: IdentityText,
    kdf: KdfParameters,
}

impl NewPassphrase {
    /// Its name among the recipients.
    pub const NAME: &str = "passphrase";

    /// With the memory that this may take, as for [`passphrase::derive`].
    pub fn derive(passphrase: &Passphrase, kdf: KdfParameters, memory: Option<u64>) -> Result<Self, DeriveError> {
        Ok(Self { identity: passphrase::derive(passphrase, &kdf, memory)?, kdf })
    }

    /// The entry among the recipients that it is to be.
    pub(super) fn recipient(&self, stamp: &Stamp) -> Recipient {
        let recipient = identity::recipient(&self.identity).expect("derive makes age identities");
        let kind = RecipientKind::Passphrase;
        let recipient = Recipient::new(Self::NAME, kind, recipient, stamp.now, &stamp.writer);
        Recipient { kdf: Some(self.kdf.into()), ..recipient }
    }

    pub(super) fn identity(&self) -> &IdentityText {
        &self.identity
    }
}

impl Vault<'_> {
    /// Changes the document, replaces the vault's signing key and session identity, and saves. Earlier generations beside
    /// the vault are deleted once that is durable. A new passphrase takes the place of the one there is, or stands beside the
    /// other recipients where there is none.
    pub fn rekey<T, E>(
        &mut self,
        passphrase: Option<NewPassphrase>,
        stamp: &Stamp,
        mut edit: impl FnMut(&mut Document) -> Result<T, E>,
    ) -> Result<T, EditError<E>> {
        // Kept until that is durable, and then deleted with all before it.
        let edit = |document: &mut Document| Ok((edit(document)?, Keep::Predecessor));
        self.change(stamp, edit, |vault, next| vault.replace_keys(passphrase.as_ref(), next, stamp))
    }

    fn replace_keys(
        &self,
        passphrase: Option<&NewPassphrase>,
        next: &mut Document,
        stamp: &Stamp,
    ) -> Result<Vec<Opener>, NotCommitted> {
        next.meta.rekeyed_at = stamp.now;
        next.meta.rekeyed_generation = next.meta.generation;
        next.replace_keys(identity::generate()).map_err(SealError::from)?;
        let provers = match passphrase {
            None => vec![self.opener.clone()],
            Some(new) => self.take_passphrase(new, next, stamp),
        };
        let key = public_key(next).map_err(SealError::from)?;
        self.place.pins().announce(&next.meta.vault_id, &key).map_err(NotCommitted::Announce)?;
        Ok(provers)
    }

    /// Puts the new passphrase in. Gives what the new file must open by: who came by the old passphrase goes on with the
    /// new, others keep what they opened it with.
    fn take_passphrase(&self, new: &NewPassphrase, next: &mut Document, stamp: &Stamp) -> Vec<Opener> {
        next.set_passphrase_recipient(new.recipient(stamp));
        match self.opened_by_passphrase() {
            true => vec![new.identity().clone().into()],
            false => vec![self.opener.clone(), new.identity().clone().into()],
        }
    }
}
