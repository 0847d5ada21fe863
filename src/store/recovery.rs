//! A recovery key: an age identity that opens the vault when the passphrase is forgotten. It is shown once, to be printed
//! or stored elsewhere; the vault keeps its public half only.

use super::identity;
use crate::secret::IdentityText;

pub struct RecoveryKey {
    pub identity: IdentityText,
    /// `age1...`
    pub recipient: String,
}

impl RecoveryKey {
    pub fn generate() -> Self {
        let identity = identity::generate();
        let recipient = identity::recipient(&identity).expect("generate makes age identities");
        Self { identity, recipient }
    }
}
