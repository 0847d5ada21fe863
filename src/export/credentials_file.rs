//! What to write into `~/.aws/credentials`, and when to refuse.

use std::path::Path;

use super::error::ExportError;
use crate::aws_files::config::ConfigFile;
use crate::credentials::{AccessKey, SessionCredentials};
use crate::disk::Disk;
use crate::names::{AccessKeyId, ProfileName};

/// A session on its way into the file.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// The section's name.
    pub target: &'a ProfileName,
    pub session: &'a SessionCredentials,
    /// The access key that the vault holds for the target, which may be replaced: it is not lost.
    pub vault_key_id: Option<&'a AccessKeyId>,
    /// Whether another long-term key in the section may be replaced.
    pub replace_long_term: bool,
}

/// A checked export, ready to be written.
pub struct Prepared<'a> {
    export: Export<'a>,
    path: &'a Path,
    replaces: Option<AccessKey>,
    shadows_credential_process: Option<usize>,
}

impl Prepared<'_> {
    /// A long-term key that the vault doesn't hold and that writing removes: save it in the vault before `commit`.
    pub fn replaces(&self) -> Option<&AccessKey> {
        self.replaces.as_ref()
    }

    /// The line in the config file of a `credential_process` which some tools will no longer ask (botocore), and others
    /// still will (the Rust SDK).
    pub fn shadows_credential_process(&self) -> Option<usize> {
        self.shadows_credential_process
    }

    /// Writes. On `CommittedNotDurable` the session stands in the file all the same.
    pub fn commit(self, disk: &dyn Disk) -> Result<(), ExportError> {
        let _ = (disk, self.export, self.path);
        todo!()
    }
}

/// Checks everything that can be checked before a code is spent; writes nothing.
pub fn prepare<'a>(
    disk: &dyn Disk,
    path: &'a Path,
    config: &ConfigFile,
    export: Export<'a>,
) -> Result<Prepared<'a>, ExportError> {
    let _ = (disk, path, config, export);
    todo!()
}

/// The sections that `logout` is about.
#[derive(Clone, Copy)]
pub enum Exported<'a> {
    All,
    Named(&'a [ProfileName]),
}

/// Removes the sessions that we wrote, and nothing else; says from which sections.
pub fn remove_exported(disk: &dyn Disk, path: &Path, exported: Exported<'_>) -> Result<Vec<String>, ExportError> {
    let _ = (disk, path, exported);
    todo!()
}
