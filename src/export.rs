//! Where a session goes: the credentials file, a child's environment, a shell.

pub mod config_file;
pub mod credentials_file;
pub mod environment;
pub mod error;
mod saving;
pub mod shell;
