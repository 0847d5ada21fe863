//! Writes the man pages of the program and of all its commands, for packages: `cargo run --example man [FOLDER]`. Without a
//! folder they go to target/man.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/man"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    // The long one has lines, which a page would run together; and of which machine it is, a page does not say.
    clap_mangen::generate_to(vault::cli::described().long_version(None), &folder)
}
