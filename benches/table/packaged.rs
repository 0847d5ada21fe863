//! The programs as packages have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::machine::{Machine, PROGRAM};

/// The large one, with the small one beside it.
pub fn vault(machine: &Machine) -> PathBuf {
    let folder = machine.path("package");
    fs::create_dir(&folder).expect("the folder is ours");
    for (name, program) in [("vault", Path::new(PROGRAM)), ("vault-quick", &quick())] {
        fs::copy(program, folder.join(name)).expect("both were built");
    }
    folder.join("vault")
}

/// The small one, made by the script that makes it for them.
pub fn quick() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(source.join(".ci/quick")).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let made = made.expect("bash is here, and cargo");
    assert!(made.status.success(), "it was not built");
    source.join(String::from_utf8_lossy(&made.stdout).trim_end())
}
