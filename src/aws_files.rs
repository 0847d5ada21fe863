//! `~/.aws/config` and `~/.aws/credentials`: the one reader and editor of their bytes, for all rooms above.

pub mod config;
pub mod credentials;
pub mod file;
pub mod ini;
pub mod our_process;
pub mod provider;
pub mod role_source;
