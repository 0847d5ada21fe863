//! The earlier generation that somebody can go back to whose vault is damaged or gone.

use std::ops::Range;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{Place, Spot};
use crate::store::header::MAX_FILE;
use crate::store::kept;

/// A file that is as a save kept it.
pub struct Whole {
    pub generation: u64,
    pub hash: [u8; 32],
    pub bytes: Vec<u8>,
}

/// So many are looked into, the newest first: each is read as a whole, and who may write into the folder can put many there.
const MOST: usize = 16;

impl Place<'_> {
    /// Those that a save kept of these generations, the newest first.
    pub(in crate::store) fn whole_ones(&self, generations: Range<u64>) -> Vec<Whole> {
        let Ok(spot) = self.opened() else { return Vec::new() };
        let mut files = spot.kept_files().unwrap_or_default();
        files.retain(|(generation, _)| generations.contains(generation));
        files.sort_by(|one, other| other.cmp(one));
        files.iter().take(MOST).filter_map(|(generation, file)| spot.whole(*generation, file)).collect()
    }

    /// The newest that stands here as a save kept it, and which one that is.
    pub fn newest_whole(&self) -> Option<(u64, PathBuf)> {
        self.opened().ok()?.newest_whole()
    }

    /// Where the file stands, and a place beside it where nothing does.
    pub fn place_aside(&self) -> Option<(PathBuf, PathBuf)> {
        let Spot { folder, name, path } = self.opened().ok()?;
        let taken = folder.names().ok()?;
        let numbered = (2..).map(|number| format!("{name}.damaged-{number}"));
        let free = std::iter::once(format!("{name}.damaged")).chain(numbered).find(|name| !taken.contains(name))?;
        Some((path.clone(), path.with_file_name(free)))
    }
}

impl Spot {
    /// By its name, which tells how its hash begins: nothing of it is opened.
    pub(super) fn newest_whole(&self) -> Option<(u64, PathBuf)> {
        let mut files = self.kept_files().ok()?;
        files.sort_by(|one, other| other.cmp(one));
        let (generation, file) =
            files.into_iter().find(|(generation, file)| self.whole(*generation, file).is_some())?;
        Some((generation, self.path.with_file_name(file)))
    }

    /// The bytes of a kept file that are as its name says.
    fn whole(&self, generation: u64, file: &str) -> Option<Whole> {
        let (bytes, _) = self.folder.read(file, MAX_FILE).ok()?;
        let hash = Sha256::digest(&bytes).into();
        file.ends_with(&kept::ending(generation, &hash)).then_some(Whole { generation, hash, bytes })
    }
}
