//! Words about who opens the vault beside its passphrase.

use crate::cli::escape::escape;
use crate::cli::recipient::RecipientFailure;

use super::{Report, Status};

pub fn report(failure: &RecipientFailure) -> Report {
    let state = |message: String| Report::new(Status::State, message);
    let usage = |message: String| Report::new(Status::Usage, message);
    match failure {
        RecipientFailure::Name(name) => usage(format!("`{}` can't be a recipient's name", escape(name)))
            .hint("1 to 64 letters, digits and _.@:/+-, and not `passphrase`, which is the passphrase's own"),
        RecipientFailure::Exists(name) => {
            state(format!("that is recipient `{}` already", escape(name))).hint("`vault recipient list` shows them")
        }
        RecipientFailure::Unknown(name) => {
            state(format!("no recipient named `{}`", escape(name))).hint("`vault recipient list` shows them")
        }
        RecipientFailure::Identity => {
            usage("that is an identity, which is secret; a recipient starts with age1".into())
                .hint("`age-keygen -y FILE` prints the recipient of an identity")
        }
        // The text is not shown: it may be a passphrase that came one question too early.
        RecipientFailure::NotARecipient => usage("that is not an age recipient".into())
            .hint("one starts with age1; `age-keygen` makes an identity and shows its recipient"),
        RecipientFailure::Last => state("nobody could open the vault any more; nothing was changed".into())
            .hint("add another recipient first: `vault recipient add NAME`"),
        RecipientFailure::Own(name) => {
            state(format!("you opened the vault as recipient `{}`; nothing was changed", escape(name)))
                .hint("open it by another one to remove this")
        }
    }
}
