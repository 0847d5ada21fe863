//! From a vault that is damaged to what is kept beside it.

use std::path::PathBuf;

use crate::store::file::LoadError;
use crate::store::vault::OpenError;

use super::failure::Failure;
use super::world::World;

/// A vault that is damaged, and the earlier generation that somebody can go back to.
pub struct Damaged {
    pub error: OpenError,
    /// Where the file stands.
    pub vault: PathBuf,
    /// Where it can be put: somebody may yet get something out of it.
    pub aside: Option<PathBuf>,
    /// The newest that is whole.
    pub kept: Option<(u64, PathBuf)>,
}

/// The failure to open this world's own vault, told with the way back where the file is what is wrong.
pub fn told_with(failure: Failure, world: &World) -> Failure {
    let error = match failure {
        Failure::Open(error) if error.is_damage() => error,
        Failure::Load(error @ LoadError::TooLarge) => error.into(),
        other => return other,
    };
    let place = world.place();
    let (vault, aside) = place.place_aside().unzip();
    let vault = vault.unwrap_or_else(|| world.paths.vault.clone());
    Failure::Damaged(Box::new(Damaged { error, vault, aside, kept: place.newest_whole() }))
}
