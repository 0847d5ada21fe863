//! The vault file: what is in it, how it is sealed, and how it is loaded and saved.

pub mod difference; // what two states of a vault differ in
pub mod document; // what the vault holds
pub mod file; // where it is kept: loading and saving bytes
pub mod fingerprint; // what people compare to know that they mean the same vault
pub mod group; // many threads' changes in few saves
pub mod header; // the first lines of the file, checked before anything else
pub mod history; // what is in earlier generations
pub mod identity; // age identities as text
pub mod kdf; // salt and costs of the passphrase
pub mod kept; // earlier generations beside the vault
mod lanes; // the threads that Argon2 computes on
mod on_login; // what `login` does about a key that is due
mod open_table; // keys that this version does not know
pub mod opener; // what opened it, and opens it again
pub mod passphrase; // from a passphrase to the vault identity
pub mod pin; // what this machine remembers of a vault
pub mod pins; // the file with what it remembers of all of them
pub mod plugin; // recipients and identities that other programs hold
mod profile; // an entry of the document
pub mod recovery; // recovery keys
pub mod restoring; // what an earlier generation brings back
pub mod seal; // age around a signature around the document
pub mod search; // an access key in what stands beside the vault
mod temporary; // files being written
pub mod untrusted; // what others could change
pub mod vault; // an opened vault
