//! Files that hold one secret: a passphrase, an identity, a recovery key. Read only where nobody else can, written only
//! where nothing stands.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Folder, Kind, ReadError, Status};
use crate::secret::SecretBytes;

use super::escape::{holds_identity, shown_path};
use super::failure::Failure;
use super::world::World;

/// No passphrase or identity file is longer.
pub const LONGEST: u64 = 64 * 1024;

/// Reads a file that holds a secret: ours or the administrator's, and closed to everybody else. What systemd hands a
/// service in its credentials folder is accepted as it comes.
pub fn read(world: &World, path: &Path) -> Result<SecretBytes, Failure> {
    let (bytes, status) =
        world.disk.read_named(path, LONGEST).map_err(|error| Failure::UnlockFile { path: path.to_owned(), error })?;
    let bytes = SecretBytes::new(bytes);
    if is_open_to_others(&status) && !in_credentials_folder(world, path) {
        return Err(Failure::SecretFileOpen { path: path.to_owned(), mode: status.mode });
    }
    Ok(bytes)
}

/// The file that a variable leads to. What can't be meant as one may be the secret itself, and is not shown.
pub fn in_variable(world: &World, variable: &'static str) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = world.environment.path(variable) else { return Ok(None) };
    if is_meant_as_path(world, &path) { Ok(Some(path)) } else { Err(Failure::NoPathInVariable { variable }) }
}

/// Words of a passphrase lead to no file, and don't begin as a path does that is written in full.
fn is_meant_as_path(world: &World, path: &Path) -> bool {
    let text = path.to_string_lossy();
    let leads_somewhere = || !matches!(world.disk.status_at(path), Ok(None));
    !holds_identity(&text) && (text.starts_with(['/', '.']) || leads_somewhere())
}

fn is_open_to_others(status: &Status) -> bool {
    // A pipe from the shell's `<(...)` has no lasting mode to check.
    status.kind == Kind::File && (status.mode & 0o077 != 0 || !status.trusted_owner())
}

fn in_credentials_folder(world: &World, path: &Path) -> bool {
    let folder = world.environment.path("CREDENTIALS_DIRECTORY");
    folder.is_some_and(|folder| folder.is_absolute() && path.parent() == Some(folder.as_path()))
}

/// Writes a secret where the person said, into a file that must not exist yet and is theirs alone.
pub fn write(world: &World, path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| cannot_make(path, error);
    let (folder, name) = place_of(world, path)?;
    let mut file = folder.create(&name).map_err(failed)?;
    let written = file.write(text.as_bytes()).and_then(|()| file.sync()).and_then(|()| folder.sync());
    written.map_err(|error| {
        // Half a secret helps nobody.
        let _ = folder.remove(&name);
        failed(error)
    })
}

/// Refuses early what [`write`] would refuse: by then a passphrase has been thought of, or written to a file.
pub fn check_free(world: &World, path: &Path) -> Result<(), Failure> {
    let (folder, name) = place_of(world, path)?;
    match folder.entry(&name).map_err(|error| cannot_make(path, error))? {
        Some(_) => Err(Failure::FileExists { path: path.to_owned() }),
        None => Ok(()),
    }
}

/// Removes what was written for a vault that was then not saved: kept, it would be taken for something that opens one.
pub fn take_back(world: &World, path: &Path) {
    let removed = place_of(world, path).is_ok_and(|(folder, name)| folder.remove(&name).is_ok());
    if removed {
        world.say(&format!("removed {}, since nothing was saved", shown_path(path)));
    }
}

fn place_of(world: &World, path: &Path) -> Result<(Box<dyn Folder>, String), Failure> {
    let failed = |error| cannot_make(path, error);
    let absolute = std::path::absolute(path).map_err(failed)?;
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name().and_then(|name| name.to_str())) else {
        return Err(failed(io::ErrorKind::InvalidFilename.into()));
    };
    Ok((world.disk.open_folder(folder).map_err(failed)?, name.to_owned()))
}

fn cannot_make(path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::FileExists { path: path.to_owned() },
        _ => Failure::NamedFile { path: path.to_owned(), error: ReadError::Io(error) },
    }
}
