//! Why nothing came of a command about recipients; the words are in report/recipient.rs.

pub enum RecipientFailure {
    Name(String),
    Exists(String),
    Unknown(String),
    NotARecipient,
    /// An identity, which is secret, was given where a recipient was meant.
    Identity,
    /// Nobody else could open the vault.
    Last,
    /// What was given opens the vault, and would not any more.
    Own(String),
}
