//! Getting at an AWS file: where it really is, whether it may be believed, and what it holds.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::disk::{Disk, Folder, ReadError, Status};
use crate::secret::SecretBytes;

/// No AWS file of a person comes near this; what does is a mistake or an attempt to exhaust us.
pub const LIMIT: u64 = 16 << 20;

/// Why a file is not read. Whoever can write to these files chooses which credentials other programs of ours run with.
#[derive(Debug, Error)]
pub enum FileError {
    #[error("can't read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("others can write to {} (mode {mode:o})", path.display())]
    OthersCanWrite { path: PathBuf, mode: u32 },
    #[error("{} belongs to another user (uid {owner})", path.display())]
    ForeignOwner { path: PathBuf, owner: u32 },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
}

/// An AWS file in its opened folder. Links are followed once; what they lead to is what is read and replaced, so that the
/// links stay.
pub struct AwsFile {
    path: PathBuf,
    name: String,
    folder: Box<dyn Folder>,
}

/// What a file held when it was read; nothing and no status where there was none.
pub struct Contents {
    pub bytes: SecretBytes,
    pub status: Option<Status>,
}

impl AwsFile {
    /// Opens the folder of the file, which itself need not exist. None where the folder doesn't either.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, FileError> {
        let resolved = disk.resolve(path).map_err(|error| read_error(path, error))?;
        if let Some(folder) = open_folder(disk, path)? {
            // Who can write beside a link can point it elsewhere.
            let link = folder.entry(&name_of(path)?).map_err(|error| read_error(path, error))?;
            link.map_or(Ok(()), |link| check_owner(path, &link))?;
        }
        let Some(folder) = open_folder(disk, &resolved)? else { return Ok(None) };
        Ok(Some(Self { name: name_of(&resolved)?, path: resolved, folder }))
    }

    pub fn read(&self) -> Result<Contents, FileError> {
        let path = || self.path.clone();
        match self.folder.read(&self.name, LIMIT) {
            Ok((bytes, status)) => {
                let bytes = SecretBytes::new(bytes);
                check(&self.path, &status)?;
                Ok(Contents { bytes, status: Some(status) })
            }
            Err(error) if error.is_not_found() => Ok(Contents { bytes: SecretBytes::default(), status: None }),
            Err(ReadError::Io(error)) => Err(FileError::Read { path: path(), error }),
            Err(ReadError::NotAFile) => Err(FileError::NotAFile { path: path() }),
            Err(ReadError::TooLarge { limit }) => Err(FileError::TooLarge { path: path(), limit }),
        }
    }

    /// With every link resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn folder(&self) -> &dyn Folder {
        &*self.folder
    }
}

/// The bytes of a file, none where it is missing.
pub fn read(disk: &dyn Disk, path: &Path) -> Result<SecretBytes, FileError> {
    Ok(read_whole(disk, path)?.bytes)
}

/// The same, with the status of what was read.
pub fn read_whole(disk: &dyn Disk, path: &Path) -> Result<Contents, FileError> {
    match AwsFile::open(disk, path)? {
        Some(file) => file.read(),
        None => Ok(Contents { bytes: SecretBytes::default(), status: None }),
    }
}

/// The folder that holds `path`, refused where others could put their own file in its place.
fn open_folder(disk: &dyn Disk, path: &Path) -> Result<Option<Box<dyn Folder>>, FileError> {
    let folder_path = match path.parent() {
        Some(parent) if parent == Path::new("") => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    let folder = disk.open_folder_if_there(folder_path).map_err(|error| read_error(folder_path, error))?;
    let Some(folder) = folder else { return Ok(None) };
    let status = folder.status().map_err(|error| read_error(folder_path, error))?;
    check(folder_path, &status)?;
    Ok(Some(folder))
}

fn check(path: &Path, status: &Status) -> Result<(), FileError> {
    check_owner(path, status)?;
    if status.others_can_write() {
        return Err(FileError::OthersCanWrite { path: path.to_owned(), mode: status.mode });
    }
    Ok(())
}

fn check_owner(path: &Path, status: &Status) -> Result<(), FileError> {
    if status.trusted_owner() {
        Ok(())
    } else {
        Err(FileError::ForeignOwner { path: path.to_owned(), owner: status.owner })
    }
}

fn name_of(path: &Path) -> Result<String, FileError> {
    let name = path.file_name().and_then(OsStr::to_str);
    name.map(str::to_owned).ok_or_else(|| FileError::NotAFile { path: path.to_owned() })
}

fn read_error(path: &Path, error: io::Error) -> FileError {
    FileError::Read { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    fn home() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().canonicalize().unwrap();
        (home, path)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_file_or_folder_is_empty() {
        let (_home, path) = home();
        assert!(read(&RealDisk, &path.join("credentials")).unwrap().is_empty());
        assert!(read(&RealDisk, &path.join("none/credentials")).unwrap().is_empty());
    }

    #[test]
    fn a_file_or_folder_that_others_can_write_is_refused() {
        let (_home, path) = home();
        let file = path.join("config");
        fs::write(&file, "x").unwrap();
        for mode in [0o660, 0o606] {
            set_mode(&file, mode);
            let Err(FileError::OthersCanWrite { path: named, mode: told }) = read(&RealDisk, &file) else {
                panic!("mode {mode:o} was read")
            };
            assert_eq!((named, told), (file.clone(), mode));
        }
        set_mode(&file, 0o644);
        assert_eq!(read(&RealDisk, &file).unwrap()[..], *b"x");
        set_mode(&path, 0o770);
        let Err(FileError::OthersCanWrite { path: named, .. }) = read(&RealDisk, &file) else { panic!("was read") };
        assert_eq!(named, path);
        set_mode(&path, 0o1777);
        assert!(read(&RealDisk, &file).is_ok(), "in a sticky folder only owners replace");
    }

    #[test]
    fn a_link_is_followed_and_both_of_its_ends_are_checked() {
        let (_home, path) = home();
        fs::create_dir(path.join("real")).unwrap();
        fs::create_dir(path.join("aws")).unwrap();
        fs::write(path.join("real/c"), "x").unwrap();
        symlink("../real/c", path.join("aws/credentials")).unwrap();
        let file = AwsFile::open(&RealDisk, &path.join("aws/credentials")).unwrap().unwrap();
        assert_eq!((file.path(), file.name()), (&*path.join("real/c"), "c"));
        assert_eq!(file.read().unwrap().bytes[..], *b"x");
        for folder in ["real", "aws"] {
            set_mode(&path.join(folder), 0o777);
            assert!(matches!(
                AwsFile::open(&RealDisk, &path.join("aws/credentials")),
                Err(FileError::OthersCanWrite { path: named, .. }) if named == path.join(folder)
            ));
            set_mode(&path.join(folder), 0o700);
        }
    }

    #[test]
    fn another_users_file_folder_or_link_is_refused() {
        let (_home, path) = home();
        let mut status = RealDisk.open_folder(&path).unwrap().status().unwrap();
        assert!(check(&path, &status).is_ok());
        status.owner = 12345;
        assert!(matches!(check(&path, &status), Err(FileError::ForeignOwner { owner: 12345, .. })));
        if !rustix::process::geteuid().is_root() {
            return; // only root can give files away
        }
        fs::create_dir(path.join("aws")).unwrap();
        fs::write(path.join("aws/c"), "x").unwrap();
        symlink("c", path.join("aws/link")).unwrap();
        for name in ["aws/c", "aws", "aws/link"] {
            lchown(path.join(name), Some(12345), None).unwrap();
            let Err(FileError::ForeignOwner { path: named, .. }) = read(&RealDisk, &path.join("aws/link")) else {
                panic!("{name} was believed")
            };
            assert_eq!(named, path.join(name));
            lchown(path.join(name), Some(0), None).unwrap();
        }
    }

    #[test]
    fn what_is_too_large_or_no_file_is_refused() {
        let (_home, path) = home();
        fs::File::create(path.join("large")).unwrap().set_len(LIMIT + 1).unwrap();
        assert!(matches!(read(&RealDisk, &path.join("large")), Err(FileError::TooLarge { limit: LIMIT, .. })));
        fs::create_dir(path.join("folder")).unwrap();
        assert!(matches!(read(&RealDisk, &path.join("folder")), Err(FileError::NotAFile { .. })));
    }
}
