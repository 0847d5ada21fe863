//! Where a session goes: the credentials file, a child's environment, a shell, an AWS tool that asks; and what long-term keys
//! are taken out of.

pub mod config_file;
pub mod container;
pub mod credentials_file;
pub mod environment;
pub mod error;
pub mod plaintext;
pub mod precedence;
pub mod process;
pub mod process_line;
mod saving;
#[cfg(feature = "program")]
pub mod shell; // a choice on the command line
