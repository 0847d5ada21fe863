//! The one thing that we write into `~/.aws/config` unprompted by its owner's editor: a region, where asked.

use std::path::Path;

use super::error::ExportError;
use crate::disk::Disk;
use crate::names::{ProfileName, Region};

/// Writes `region` into the profile's section, made where missing; says whether it did. A region that stands there stays.
pub fn add_region(disk: &dyn Disk, path: &Path, name: &ProfileName, region: &Region) -> Result<bool, ExportError> {
    let _ = (disk, path, name, region);
    todo!()
}
