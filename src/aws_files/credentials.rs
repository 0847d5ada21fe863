//! `~/.aws/credentials`: what each section holds.

use std::path::Path;

use jiff::Timestamp;

use super::file::FileError;
use crate::credentials::AccessKey;
use crate::disk::Disk;
use crate::names::AccessKeyId;

/// The sections of a credentials file, in its order. Holds long-term keys in the clear: drop it early.
pub struct CredentialsFile {
    sections: Vec<CredentialsSection>,
}

pub struct CredentialsSection {
    pub name: String,
    /// Of the header.
    pub line: usize,
    pub holds: Holds,
    /// Where the same section, or one of its keys, stands a second time.
    pub duplicate: Option<usize>,
    /// Whether the session in it is one that we wrote, and nobody changed since.
    pub written_by_us: bool,
}

/// The credentials in a section.
pub enum Holds {
    /// A pair without a token.
    LongTerm(AccessKey),
    Session {
        id: AccessKeyId,
        expiration: Option<Timestamp>,
    },
    /// Half a pair, or one that is not of the shape AWS gives out; `line` is where.
    Unclear {
        line: usize,
    },
    Nothing,
}

impl CredentialsFile {
    pub fn load(disk: &dyn Disk, path: &Path) -> Result<Self, FileError> {
        let _ = (disk, path);
        todo!()
    }

    pub fn parse(bytes: &[u8]) -> Self {
        let _ = bytes;
        todo!()
    }

    pub fn sections(&self) -> impl Iterator<Item = &CredentialsSection> {
        self.sections.iter()
    }

    /// The first section of that name.
    pub fn section(&self, name: &str) -> Option<&CredentialsSection> {
        self.sections.iter().find(|section| section.name == name)
    }
}
