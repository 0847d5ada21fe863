//! Long-term keys that lie elsewhere: one reader a source, and what is to be done with what they find. Pure: bytes in,
//! findings out. Nothing that runs a command or leads somewhere else is ever taken over, whatever the source says.

pub mod aws_mfa; // what aws-mfa's own lines are, which stay
pub mod aws_vault; // what the aws-vault program prints
pub mod config; // region and device of a found profile, from ~/.aws/config
pub mod console_csv; // the file that AWS's console gives
pub mod credentials; // ~/.aws/credentials, and what other tools make of it
pub mod found; // what a reader finds
pub mod other_vault; // another vault's profiles
pub mod plan; // what becomes of each finding
pub mod rivals; // two keys of one profile: which is to stay
