//! Keeps long-term AWS keys in an age-encrypted file and hands out short-lived sessions.

// The house, lowest level first: a room uses only rooms of lower levels.
pub mod clock; // 1: what time it is
pub mod credentials; // 1: access keys and sessions
pub mod disk; // 1: the one place that touches the file system
pub mod duration; // 1: durations as people write them
pub mod memory; // 1: how much of it there is
pub mod names; // 1: profile, key, serial, role, region: parsed once
pub mod paths; // 1: where files are
pub mod process; // 1: hardening, signals, other programs; all unsafe code
pub mod secret; // 1: types that are never shown
pub mod systemd; // 1: how a path stands in what systemd reads

#[cfg(feature = "program")]
pub mod aws; // 2: typed calls to STS, IAM and sign-in
pub mod aws_files; // 2: the bytes of ~/.aws/config and ~/.aws/credentials
pub mod log; // 2: what was issued and revealed
pub mod policy; // 2: IAM policies ready to attach
pub mod store; // 2: the vault file

pub mod agent; // 3: unlocked identities between commands
pub mod export; // 3: where a session goes: file, environment, shell
pub mod import; // 3: long-term keys that lie elsewhere
pub mod session; // 3: which sessions to get, from where, and who has them already

pub mod quick; // 4: the program that AWS tools start
#[cfg(feature = "program")]
pub mod rotate; // 4: replacing access keys

pub mod server; // 5: the container-credentials endpoint

#[cfg(feature = "program")]
pub mod cli; // 6: the commands

#[global_allocator]
static ALLOCATOR: process::ZeroOnFree = process::ZeroOnFree;

/// The program.
#[cfg(feature = "program")]
pub fn main() -> std::process::ExitCode {
    cli::main()
}
