//! What the targets share: whom the seeds are sealed for, and how two texts are compared.

pub mod lines;
pub mod values;

use vault::secret::IdentityText;

/// The pair of the age crate's own tests; it guards nothing.
pub const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
pub const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

pub fn identity() -> IdentityText {
    IdentityText::new(IDENTITY.to_owned())
}
