//! The earlier generation that somebody can go back to whose vault is damaged or gone.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{Place, Spot};
use crate::store::header::MAX_FILE;
use crate::store::kept;

impl Place<'_> {
    /// The newest that stands here as a save kept it, and which one that is.
    pub fn newest_whole(&self) -> Option<(u64, PathBuf)> {
        self.opened().ok()?.newest_whole()
    }
}

impl Spot {
    /// By its name, which tells how its hash begins: nothing of it is opened.
    pub(super) fn newest_whole(&self) -> Option<(u64, PathBuf)> {
        let mut files = self.kept_files().ok()?;
        files.sort_by(|one, other| other.cmp(one));
        let is_whole = |(generation, file): &(u64, String)| {
            let read = self.folder.read(file, MAX_FILE);
            read.is_ok_and(|(bytes, _)| file.ends_with(&kept::ending(*generation, &Sha256::digest(&bytes).into())))
        };
        let (generation, file) = files.into_iter().find(is_whole)?;
        Some((generation, self.path.with_file_name(file)))
    }
}
