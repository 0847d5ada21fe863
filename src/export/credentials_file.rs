//! What to write into `~/.aws/credentials`, and when to refuse.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::error::ExportError;
use super::saving::{SECRET_MODE, save};
use crate::aws_files::config::{ConfigFile, header, outranks_credentials};
use crate::aws_files::credentials::{
    ACCESS_KEY_ID, CredentialsSection, EXPIRATION, Holds, MARK, SECRET_ACCESS_KEY, SECURITY_TOKEN, SESSION_TOKEN, mark,
};
use crate::aws_files::file;
use crate::aws_files::ini::edit::{Change, Edit, EditError};
use crate::aws_files::ini::{Ini, Section};
use crate::credentials::{AccessKey, SessionCredentials};
use crate::disk::Disk;
use crate::names::{AccessKeyId, ProfileName};
use crate::secret::SecretBytes;

/// Every key that we write or that carries a session.
const OURS: [&str; 5] = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, SECURITY_TOKEN, EXPIRATION];

/// The section that a session is to be written to.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub name: &'a ProfileName,
    /// The access key that the vault holds for the profile of that name: it may be replaced, since it isn't lost.
    pub vault_key: Option<&'a AccessKey>,
    /// Whether another long-term key may be replaced too, once the caller has saved it.
    pub replace_long_term: bool,
}

/// A target that was checked. Writing takes the session only now, so that all checks come before a code is spent on one.
pub struct Prepared<'a> {
    path: &'a Path,
    target: Target<'a>,
    replaces: Option<AccessKey>,
    credential_process: Option<usize>,
}

/// Checks what can be checked without a session; writes nothing.
pub fn prepare<'a>(
    disk: &dyn Disk,
    path: &'a Path,
    config: &ConfigFile,
    target: Target<'a>,
) -> Result<Prepared<'a>, ExportError> {
    // Python's configparser copies what stands in [DEFAULT] into every section.
    if target.name.as_str() == "DEFAULT" {
        return Err(ExportError::ReservedName { path: path.to_owned(), name: target.name.to_string() });
    }
    let profile = config.profile(target.name)?;
    if let Some((key, line)) = profile.and_then(|profile| profile.outranks_credentials()) {
        let (path, name) = (config.path().to_owned(), target.name.to_string());
        let section = header(target.name);
        return Err(ExportError::Outranked { path, line, section, name, key: key.to_owned() });
    }
    let bytes = file::read(disk, path)?;
    let replaces = replaced(path, &bytes, target)?;
    with_session(path, &bytes, target, &Lines::stand_in())?;
    let credential_process = profile.and_then(|profile| profile.line_of("credential_process"));
    Ok(Prepared { path, target, replaces, credential_process })
}

impl Prepared<'_> {
    /// A long-term key that the vault doesn't hold and that writing removes: save it in the vault before `commit`.
    pub fn replaces(&self) -> Option<&AccessKey> {
        self.replaces.as_ref()
    }

    /// The line in the config file of a `credential_process` that botocore no longer asks once a session stands in the
    /// credentials file. (The Rust SDK asks it all the same.)
    pub fn shadows_credential_process(&self) -> Option<usize> {
        self.credential_process
    }

    /// Writes the session. After `CommittedNotDurable` it stands in the file all the same.
    pub fn commit(self, disk: &dyn Disk, session: &SessionCredentials) -> Result<(), ExportError> {
        let lines = Lines::of(session);
        let mut edit = |bytes: &[u8]| {
            let replaces = replaced(self.path, bytes, self.target)?;
            if !replaces.is_none_or(|key| self.replaces.as_ref().is_some_and(|saved| saved.is_same_pair(&key))) {
                return Err(ExportError::ChangedMeanwhile { path: self.path.to_owned() });
            }
            with_session(self.path, bytes, self.target, &lines).map(Some)
        };
        save(disk, self.path, SECRET_MODE, &mut edit).map(|_| ())
    }
}

/// The long-term key that writing would take out of the file and out of the world; an error where it may not.
fn replaced(path: &Path, bytes: &[u8], target: Target<'_>) -> Result<Option<AccessKey>, ExportError> {
    let ini = Ini::parse(bytes);
    let Some(section) = target_section(path, &ini, target)? else { return Ok(None) };
    let (path, name, line) = (path.to_owned(), target.name.to_string(), section.line_number());
    if let Some(entry) = section.entries().find(|entry| outranks_credentials(entry.key())) {
        let (line, section, key) = (entry.line_number(), name.clone(), entry.key().to_owned());
        return Err(ExportError::Outranked { path, line, section, name, key });
    }
    match CredentialsSection::read(&ini, section).holds {
        Holds::Nothing | Holds::Session { .. } => Ok(None),
        // Its id alone would not do: the vault may hold a secret that was mistyped.
        Holds::LongTerm(key) if target.vault_key.is_some_and(|held| held.is_same_pair(&key)) => Ok(None),
        Holds::LongTerm(key) if target.replace_long_term => Ok(Some(key)),
        Holds::LongTerm(key) => Err(ExportError::HoldsLongTermKey { path, line, name, id: key.id }),
        Holds::Unclear { line } => Err(ExportError::HoldsUnclearKey { path, line, name }),
    }
}

fn with_session(path: &Path, bytes: &[u8], target: Target<'_>, lines: &Lines<'_>) -> Result<SecretBytes, ExportError> {
    let ini = Ini::parse(bytes);
    match target_section(path, &ini, target)? {
        Some(section) => ini.rewritten(section, &lines.edit()),
        None => ini.appended(target.name.as_str(), &lines.edit()),
    }
    .map_err(ExportError::edit(path))
}

fn target_section<'i, 'a>(
    path: &Path,
    ini: &'i Ini<'a>,
    target: Target<'_>,
) -> Result<Option<&'i Section<'a>>, ExportError> {
    ini.only(|header| header == target.name.as_str().as_bytes()).map_err(ExportError::edit(path))
}

/// What stands in a section of ours.
struct Lines<'a> {
    mark: String,
    id: &'a str,
    secret: &'a str,
    token: &'a str,
    expiration: String,
}

impl<'a> Lines<'a> {
    fn of(session: &'a SessionCredentials) -> Self {
        Self {
            mark: mark(&session.access_key_id),
            id: session.access_key_id.as_str(),
            secret: session.secret_access_key.expose(),
            token: session.session_token.expose(),
            expiration: session.expiration_text(),
        }
    }

    /// To try an edit before there is a session.
    fn stand_in() -> Self {
        Self { mark: MARK.to_owned(), id: "-", secret: "-", token: "-", expiration: "-".to_owned() }
    }

    fn edit(&self) -> Edit<'_> {
        Edit {
            set: vec![
                (ACCESS_KEY_ID, self.id),
                (SECRET_ACCESS_KEY, self.secret),
                (SESSION_TOKEN, self.token),
                (EXPIRATION, &self.expiration),
            ],
            remove: vec![SECURITY_TOKEN],
            unmark: Some(MARK),
            mark: Some(self.mark.clone()),
            ..Edit::default()
        }
    }
}

/// Which of the sections that we wrote are meant.
#[derive(Clone, Copy)]
pub enum Exported<'a> {
    All,
    /// Those of these names, and those that hold one of these sessions, wherever `--profile` had them written.
    Of {
        names: &'a [ProfileName],
        sessions: &'a [AccessKeyId],
    },
    /// Those that are over.
    Expired {
        now: Timestamp,
    },
}

/// As far as AWS lets a clock be off: a session whose time is not over there must not go.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

impl Exported<'_> {
    fn includes(&self, section: &CredentialsSection) -> bool {
        let holds =
            |session: &AccessKeyId| matches!(&section.holds, Holds::Session { id: Some(id), .. } if id == session);
        match self {
            Self::All => true,
            Self::Of { names, sessions } => {
                names.iter().any(|name| name.as_str() == section.name) || sessions.iter().any(holds)
            }
            Self::Expired { now } => match section.holds {
                Holds::Session { expiration: Some(expiration), .. } => now.duration_since(expiration) > CLOCK_TOLERANCE,
                _ => false,
            },
        }
    }
}

/// Removes the sessions that we wrote, and nothing else; names the sections they were in. A section in which something of
/// its owner's stands keeps that and its header.
pub fn remove_exported(disk: &dyn Disk, path: &Path, exported: Exported<'_>) -> Result<Vec<String>, ExportError> {
    let mut removed = Vec::new();
    let mut edit = |bytes: &[u8]| {
        let (names, new) = without(bytes, exported).map_err(ExportError::edit(path))?;
        removed = names;
        Ok(new)
    };
    save(disk, path, SECRET_MODE, &mut edit)?;
    Ok(removed)
}

/// The file without the exported sessions in it, and the sections that had them.
fn without(bytes: &[u8], exported: Exported<'_>) -> Result<(Vec<String>, Option<SecretBytes>), EditError> {
    let ini = Ini::parse(bytes);
    let clear = Edit { remove: OURS.to_vec(), unmark: Some(MARK), ..Edit::default() };
    let ours = ini.sections().filter_map(|section| {
        let read = CredentialsSection::read(&ini, section);
        if !read.written_by_us || !exported.includes(&read) {
            return None;
        }
        let only_ours = ini.has_only(section, &OURS, MARK);
        Some((read.name, (section, if only_ours { Change::Remove } else { Change::Edit(&clear) })))
    });
    let (names, changes): (Vec<String>, Vec<_>) = ours.unzip();
    let new = if changes.is_empty() { None } else { Some(ini.changed(&changes)?) };
    Ok((names, new))
}

#[cfg(test)]
mod tests;
