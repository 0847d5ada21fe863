//! A vault that is not where this machine has seen one.

use std::path::PathBuf;

use super::{LoadError, Spot};
use crate::store::pin::Pin;
use crate::store::pins::{PinError, PinFile};

/// A vault that stood here.
#[derive(Debug)]
pub struct Gone {
    pub path: PathBuf,
    /// As it was seen last.
    pub pin: Pin,
    /// The newest of the earlier generations that are kept there and whole.
    pub kept: Option<PathBuf>,
}

/// What stood there, if this machine remembers any.
pub(super) fn known(pins: &PinFile, places: &[PathBuf]) -> Result<Option<Pin>, PinError> {
    Ok(pins.load()?.into_iter().find(|pin| pin.is_at(places)))
}

/// Of a vault that does not stand here: whether there was one.
pub(super) fn gone(pins: &PinFile, places: &[PathBuf], spot: Option<&Spot>) -> Result<LoadError, PinError> {
    let (Some(pin), Some(path)) = (known(pins, places)?, places.first().cloned()) else {
        return Ok(LoadError::Missing);
    };
    let kept = spot.and_then(Spot::newest_whole).map(|(_, kept)| kept);
    Ok(LoadError::Gone(Box::new(Gone { path, pin, kept })))
}
