//! The environment of what we start: without credentials, without our own variables, and with no folder on PATH that others can
//! put a program into.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use rustix::process::Pid;

use super::program::{only_ours, path_folders};
use crate::paths::Environment;

/// The environment for a configured command.
pub(super) fn reduced(environment: &Environment) -> Vec<(OsString, OsString)> {
    let mut variables = without_ours(environment);
    variables.push((STARTED_BY_US.into(), std::process::id().to_string().into()));
    variables
}

/// Without credentials, our own variables and folders that others can put programs into.
pub(super) fn without_ours(environment: &Environment) -> Vec<(OsString, OsString)> {
    let ours = |name: &str| name.starts_with("AWS_") || OUR_VARIABLES.contains(&name);
    let kept = environment.all().filter(|(name, _)| !name.to_str().is_some_and(ours) && *name != "PATH");
    let path = path_of_what_we_start(environment);
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).chain([("PATH".into(), path)]).collect()
}

/// An empty PATH would mean the current folder.
pub(super) fn path_of_what_we_start(environment: &Environment) -> OsString {
    let path = std::env::join_paths(safe_folders(environment)).unwrap_or_default();
    if path.is_empty() { OsString::from("/usr/bin:/bin") } else { path }
}

/// What we start must not start us: each would wait for the other, or start it once more. It has our number, since what that
/// starts in its turn, such as a service that a hook restarts, may run on for days. Not one of [`OUR_VARIABLES`]: no person sets
/// it, and what `exec` runs never has it.
const STARTED_BY_US: &str = "VAULT_RECURSION";

/// What this process has for its environment; None where a command, a plugin or a hook started it that waits to be heard out.
pub fn unless_started_by_us(environment: Environment) -> Option<Environment> {
    match environment.get(STARTED_BY_US) {
        None => Some(environment),
        Some(starter) if may_be_running(starter) => None,
        Some(_) => Some(environment.all().filter(|(name, _)| *name != STARTED_BY_US).collect()),
    }
}

/// Of what is no number nothing says that it has ended.
fn may_be_running(process: &OsStr) -> bool {
    let number = process.to_str().and_then(|number| number.parse::<u32>().ok()?.try_into().ok());
    // Another user's has the number of one of ours that ended.
    number.and_then(Pid::from_raw).is_none_or(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// Every variable this program reads as its own. HashiCorp's program of the same name has others, which are left alone.
pub const OUR_VARIABLES: [&str; 6] =
    ["VAULT_FILE", "VAULT_PASSPHRASE_FILE", "VAULT_IDENTITY", "VAULT_MFA_CODE", "VAULT_FINGERPRINT", "VAULT_NO_AGENT"];

/// PATH without relative folders and those that others can write to.
fn safe_folders(environment: &Environment) -> Vec<PathBuf> {
    path_folders(environment).into_iter().filter(|folder| folder.is_absolute() && only_ours(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_folder_that_others_can_write_is_not_searched() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let path = format!("{}:/usr/bin", folder.path().display());
        assert_eq!(safe_folders(&environment(&[("PATH", &path)])), [Path::new("/usr/bin")]);
    }

    #[test]
    fn what_runs_on_when_we_have_ended_may_start_us_and_hands_nothing_of_it_on() {
        let mut ended = Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let left = unless_started_by_us(environment(&[("VAULT_RECURSION", &ended.id().to_string()), ("A", "b")]));
        assert_eq!(left.unwrap().all().collect::<Vec<_>>(), [("A".as_ref(), "b".as_ref())]);
        for no_number in ["0", "-1", "yes", "99999999999"] {
            assert!(unless_started_by_us(environment(&[("VAULT_RECURSION", no_number)])).is_none(), "{no_number}");
        }
    }

    #[test]
    fn without_a_safe_folder_on_path_the_current_one_is_not_searched() {
        assert!(reduced(&environment(&[("PATH", ".:relative")])).contains(&("PATH".into(), "/usr/bin:/bin".into())));
    }
}
