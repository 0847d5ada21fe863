//! What the system's schedulers read to start a rotation by themselves. Texts only; who puts them where is in `cli/schedule`.

pub mod cron;
pub mod launchd;
pub mod systemd;

use std::path::{Path, PathBuf};

use jiff::civil::Time;
use thiserror::Error;

use crate::paths::{Environment, Paths, on_one_line};

/// In every text that is ours to replace and to remove.
pub const MARK: &str = "made by vault schedule";

/// Within working hours: who is there has an agent that is unlocked, and a machine that is on.
pub const USUAL_TIME: Time = Time::constant(11, 0, 0, 0);

/// What it says of itself, and is started for.
const RUN: [&str; 3] = ["rotate", "--due", "--scheduled"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    Systemd,
    Launchd,
    Cron,
}

/// What is to be started, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Absolute, and nobody else's to replace.
    pub program: PathBuf,
    /// Where this vault and its state are, as far as they are not in the usual places: a scheduler has none of the
    /// variables that led to them.
    pub variables: Vec<(&'static str, PathBuf)>,
    pub at: Time,
    pub unattended: Option<Unattended>,
}

/// Where a run that nobody attends finds what opens the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unattended {
    /// An identity file of mode 0600.
    File(PathBuf),
    /// Encrypted by systemd for this user of this machine, and handed over in a folder of the service's own.
    Credential(PathBuf),
    /// In the Keychain, which this program reads.
    Keychain(PathBuf),
}

/// The name of the credential within the service, and of the Keychain's service.
pub const CREDENTIAL: &str = "vault-identity";

/// Whose it is there. There is one schedule for a user.
pub const KEYCHAIN_ACCOUNT: &str = "vault";

/// Why a job has no such text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnitError {
    #[error("`{}` is not an absolute path", .0.display())]
    Relative(PathBuf),
    /// It would end a line, or mean something else there.
    #[error("`{}` has a character that the format can't hold", path.display())]
    Character { path: PathBuf, scheduler: Scheduler },
    /// cron cuts what is longer.
    #[error("a line of {length} characters")]
    LineTooLong { length: usize },
    /// Only systemd hands it over.
    #[error("an identity that another scheduler hands over")]
    OtherIdentity { made_for: Scheduler },
}

/// The variables for a job of this scheduler.
pub fn variables(
    paths: &Paths,
    environment: &Environment,
    scheduler: Scheduler,
    user: u32,
) -> Vec<(&'static str, PathBuf)> {
    let home = &paths.home;
    let usual_state = home.join(".local/state/vault");
    let mut found = Vec::new();
    let mut unless_usual = |name, path: &Path, usual: PathBuf| {
        if path != usual {
            found.push((name, path.to_owned()));
        }
    };
    unless_usual("VAULT_FILE", &paths.vault, home.join(".local/share/vault/vault.age"));
    unless_usual("XDG_STATE_HOME", parent(&paths.state), parent(&usual_state).to_owned());
    unless_usual("AWS_CONFIG_FILE", &paths.aws_config, home.join(".aws/config"));
    unless_usual("AWS_SHARED_CREDENTIALS_FILE", &paths.aws_credentials, home.join(".aws/credentials"));
    if !paths.sockets.starts_with(&paths.state) {
        // The agent's socket is there. systemd sets this one by itself.
        let by_systemd = PathBuf::from(format!("/run/user/{user}"));
        let usual = if scheduler == Scheduler::Systemd { by_systemd } else { PathBuf::new() };
        unless_usual("XDG_RUNTIME_DIR", parent(&paths.sockets), usual);
    }
    if let Some(certificates) = environment.path("AWS_CA_BUNDLE") {
        unless_usual("AWS_CA_BUNDLE", &certificates, PathBuf::new());
    }
    found
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// A path as text that no format of ours has to refuse for its control characters.
fn plain(path: &Path, scheduler: Scheduler) -> Result<&str, UnitError> {
    on_one_line(absolute(path)?).ok_or_else(|| refused(path, scheduler))
}

fn refused(path: &Path, scheduler: Scheduler) -> UnitError {
    UnitError::Character { path: path.to_owned(), scheduler }
}

fn absolute(path: &Path) -> Result<&Path, UnitError> {
    if path.is_absolute() { Ok(path) } else { Err(UnitError::Relative(path.to_owned())) }
}

#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    pub const WILD: &str = "/opt/my $tools/${HOME}/100%/ü&<b>";

    pub fn job() -> Job {
        Job { program: PathBuf::from("/usr/bin/vault"), variables: Vec::new(), at: USUAL_TIME, unattended: None }
    }

    /// Whatever a path may hold.
    pub fn wild() -> Job {
        let path = PathBuf::from(WILD);
        Job {
            program: path.join("vault"),
            variables: vec![("VAULT_FILE", path.join("it's \"v\".age"))],
            unattended: Some(Unattended::File(path.join("it's an \"identity\""))),
            ..job()
        }
    }

    /// In the place of each path that a job has.
    pub fn with_path_everywhere(path: &str) -> [Job; 3] {
        let path = PathBuf::from(path);
        [
            Job { program: path.clone(), ..job() },
            Job { variables: vec![("VAULT_FILE", path.clone())], ..job() },
            Job { unattended: Some(Unattended::File(path)), ..job() },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&str, &str)], scheduler: Scheduler) -> Vec<(&'static str, String)> {
        let environment: Environment = [("HOME", "/home/alice")].iter().chain(pairs).copied().collect();
        let paths = Paths::from_environment(&environment).unwrap();
        let found = variables(&paths, &environment, scheduler, 1000);
        found.into_iter().map(|(name, path)| (name, path.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn what_is_in_its_usual_place_needs_no_variable() {
        assert!(found(&[], Scheduler::Cron).is_empty());
        assert!(found(&[("XDG_RUNTIME_DIR", "/run/user/1000")], Scheduler::Systemd).is_empty());
        let same = [("XDG_DATA_HOME", "/home/alice/.local/share"), ("XDG_STATE_HOME", "/home/alice/.local/state")];
        assert!(found(&same, Scheduler::Launchd).is_empty());
    }

    #[test]
    fn what_is_elsewhere_is_found_by_a_run_that_has_no_variables() {
        let named = [
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "/s"),
            ("AWS_CONFIG_FILE", "~/c"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/k"),
            ("AWS_CA_BUNDLE", "/ca.pem"),
            ("XDG_RUNTIME_DIR", "/r"),
        ];
        for scheduler in [Scheduler::Systemd, Scheduler::Launchd, Scheduler::Cron] {
            let found = found(&named, scheduler);
            let again: Environment = [("HOME", "/home/alice")]
                .into_iter()
                .chain(found.iter().map(|(name, path)| (*name, path.as_str())))
                .collect();
            let environment: Environment = [("HOME", "/home/alice")].iter().chain(&named).copied().collect();
            assert_eq!(Paths::from_environment(&again), Paths::from_environment(&environment), "{found:?}");
            assert!(found.contains(&("AWS_CA_BUNDLE", "/ca.pem".to_owned())));
        }
        // Nobody but systemd sets it.
        let runtime = [("XDG_RUNTIME_DIR", "/run/user/1000")];
        assert_eq!(found(&runtime, Scheduler::Cron), [("XDG_RUNTIME_DIR", "/run/user/1000".to_owned())]);
    }
}
