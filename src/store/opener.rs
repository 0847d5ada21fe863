//! What opened a vault, and opens it again after a save or a wait: an identity in this process, or one that another process
//! holds and never gives away.

use std::sync::Arc;

use age_core::format::{FileKey, Stanza};

use crate::secret::IdentityText;

/// An identity that another process holds.
pub trait HeldIdentity: Send + Sync {
    /// The key of the file with these stanzas. None where it opens none of them, and where nobody answers any more: whoever
    /// has another way to open the file must not be kept from trying it.
    fn unwrap(&self, stanzas: &[Stanza]) -> Option<FileKey>;
}

#[derive(Clone)]
pub enum Opener {
    Identity(IdentityText),
    Held(Arc<dyn HeldIdentity>),
}

impl Opener {
    /// The identity, where it is in this process.
    pub fn identity(&self) -> Option<&IdentityText> {
        match self {
            Self::Identity(identity) => Some(identity),
            Self::Held(_) => None,
        }
    }
}

impl From<IdentityText> for Opener {
    fn from(identity: IdentityText) -> Self {
        Self::Identity(identity)
    }
}

/// A held identity as age wants it.
pub struct AtAge(pub Arc<dyn HeldIdentity>);

impl age::Identity for AtAge {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    /// All at once: one question a file.
    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        self.0.unwrap(stanzas).map(Ok)
    }
}
