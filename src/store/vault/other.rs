//! Looks into a vault that is not this machine's own: another's, or a branch that was refused. Read once, never saved, and
//! nothing is remembered of it.

use super::opening::unlock;
use super::{Key, OpenError};
use crate::store::document::Document;
use crate::store::plugin::Plugins;

/// What a file holds. Its signature says only that it is whole: whether its author is to be believed is up to the caller.
pub fn peek(file: &[u8], key: Key, plugins: &Plugins) -> Result<Document, OpenError> {
    unlock(file, &key, plugins).map(|(_, document)| document)
}
