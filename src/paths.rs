//! Where things are: the variables we read, and the files they lead to.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The process's variables, read once at the start, so that every decision about them can be tested without touching the
/// real ones.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    pub fn of_this_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// A variable that is set and not empty; the AWS tools treat an empty one as absent, and so do we.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The same, where only text makes sense.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str)
    }

    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    pub fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A path as text for a line of what other programs read, and for people; none where it would end the line. Neither XML nor people
/// take the last four.
pub fn on_one_line(path: &Path) -> Option<&str> {
    let fits = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}');
    path.to_str().filter(|text| text.chars().all(fits))
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathsError {
    #[error("HOME is not set")]
    NoHome,
    #[error("{variable} is not an absolute path: `{}`", path.display())]
    NotAbsolute { variable: &'static str, path: PathBuf },
}

/// Every file of ours and the two AWS files we read and edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub home: PathBuf,
    pub vault: PathBuf,
    pub state: PathBuf,
    /// Where the agent's socket is: a folder that is ours alone.
    pub sockets: PathBuf,
    pub aws_config: PathBuf,
    pub aws_credentials: PathBuf,
}

impl Paths {
    pub fn from_environment(environment: &Environment) -> Result<Self, PathsError> {
        let home = environment.path("HOME").ok_or(PathsError::NoHome)?;
        if !home.is_absolute() {
            return Err(PathsError::NotAbsolute { variable: "HOME", path: home });
        }
        // The XDG base directory specification has relative values ignored.
        let folder = |variable, default: &str| {
            environment.path(variable).filter(|path| path.is_absolute()).unwrap_or_else(|| home.join(default))
        };
        let vault_folder = folder("XDG_DATA_HOME", ".local/share").join("vault");
        let expand = |path: PathBuf| match path.strip_prefix("~") {
            // As the AWS SDKs do with theirs: what sets a variable without a shell leaves the ~ in.
            Ok(rest) => home.join(rest),
            Err(_) => path,
        };
        // A vault that depends on the current folder would be another one in the next.
        let vault = environment.path("VAULT_FILE").map(expand).unwrap_or_else(|| vault_folder.join("vault.age"));
        if !vault.is_absolute() {
            return Err(PathsError::NotAbsolute { variable: "VAULT_FILE", path: vault });
        }
        let state = folder("XDG_STATE_HOME", ".local/state").join("vault");
        let runtime = environment.path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
        Ok(Self {
            vault,
            // Never a folder that others may write to, such as /tmp.
            sockets: runtime.map_or_else(|| state.join("run"), |path| path.join("vault")),
            state,
            aws_config: environment.path("AWS_CONFIG_FILE").map_or_else(|| home.join(".aws/config"), expand),
            aws_credentials: environment
                .path("AWS_SHARED_CREDENTIALS_FILE")
                .map_or_else(|| home.join(".aws/credentials"), expand),
            home,
        })
    }

    /// A path as people write it, `~/...` under their home.
    pub fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(rest) if !rest.as_os_str().is_empty() => format!("~/{}", rest.display()),
            _ => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(pairs: &[(&str, &str)]) -> Result<Paths, PathsError> {
        Paths::from_environment(&pairs.iter().copied().collect())
    }

    #[test]
    fn without_any_variable_but_home_files_are_where_xdg_and_aws_put_them() {
        let paths = paths(&[("HOME", "/h")]).unwrap();
        assert_eq!(paths.vault, Path::new("/h/.local/share/vault/vault.age"));
        assert_eq!(paths.state, Path::new("/h/.local/state/vault"));
        assert_eq!(paths.sockets, Path::new("/h/.local/state/vault/run"));
        assert_eq!(paths.aws_config, Path::new("/h/.aws/config"));
        assert_eq!(paths.aws_credentials, Path::new("/h/.aws/credentials"));
        assert_eq!(paths.shown(&paths.vault), "~/.local/share/vault/vault.age");
        assert_eq!(paths.shown(Path::new("/etc/x")), "/etc/x");
    }

    #[test]
    fn every_place_can_be_named_and_empty_or_relative_folders_are_ignored() {
        let named = paths(&[
            ("HOME", "/h"),
            ("VAULT_FILE", "/v"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_RUNTIME_DIR", "/r"),
            ("XDG_DATA_HOME", "relative"),
            ("AWS_CONFIG_FILE", "~/c"),
            ("AWS_SHARED_CREDENTIALS_FILE", ""),
        ])
        .unwrap();
        assert_eq!(named.vault, Path::new("/v"));
        assert_eq!(named.state, Path::new("/s/vault"));
        assert_eq!(named.sockets, Path::new("/r/vault"));
        assert_eq!(named.aws_config, Path::new("/h/c"));
        assert_eq!(named.aws_credentials, Path::new("/h/.aws/credentials"));
    }

    #[test]
    fn no_home_is_an_error_and_not_the_root_folder() {
        assert_eq!(paths(&[]), Err(PathsError::NoHome));
        assert!(matches!(paths(&[("HOME", "x")]), Err(PathsError::NotAbsolute { variable: "HOME", .. })));
    }

    #[test]
    fn the_vault_is_the_same_file_in_every_folder() {
        let relative = paths(&[("HOME", "/h"), ("VAULT_FILE", "v.age")]);
        assert!(matches!(relative, Err(PathsError::NotAbsolute { variable: "VAULT_FILE", .. })));
        assert_eq!(paths(&[("HOME", "/h"), ("VAULT_FILE", "~/v.age")]).unwrap().vault, Path::new("/h/v.age"));
    }
}
