//! Programs that we did not write judge what ours writes, how it speaks and what it leaves when the machine fails. Ignored
//! by default, since they have to be installed first: `.ci/run` does that and puts them on PATH.

mod agent;
mod aws_tools;
mod clock;
mod completions;
mod configure;
mod container;
mod credential_process;
mod credentials_file;
mod doctor;
mod endpoint;
mod faults;
mod full_disk;
mod interchange;
mod load;
mod machine;
mod many_keys;
mod memory;
mod mounts;
mod plugins;
mod policies;
mod rotation;
mod schedule;
mod sdks;
mod shells;
mod threads;
mod warm;

use std::path::PathBuf;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");

/// The judge as found on the PATH of the tests; the cases have a PATH of their own.
fn judge(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not on PATH; `.ci/run` installs it"))
}
