//! The one setting that a login may write into `~/.aws/config`: a region, where none is.

use std::path::Path;

use super::error::ExportError;
use super::saving::{CONFIG_MODE, save};
use crate::aws_files::config::{header, profile_name};
use crate::aws_files::ini::Ini;
use crate::aws_files::ini::edit::{Edit, EditError};
use crate::disk::Disk;
use crate::names::{ProfileName, Region};
use crate::secret::SecretBytes;

/// Writes `region` into the profile's section, made where missing; says whether it did. A region that is there stays.
pub fn add_region(disk: &dyn Disk, path: &Path, name: &ProfileName, region: &Region) -> Result<bool, ExportError> {
    save(disk, path, CONFIG_MODE, &mut |bytes| with_region(bytes, name, region).map_err(ExportError::edit(path)))
}

fn with_region(bytes: &[u8], name: &ProfileName, region: &Region) -> Result<Option<SecretBytes>, EditError> {
    let ini = Ini::parse(bytes);
    let edit = Edit { set: vec![("region", region.as_str())], ..Edit::default() };
    let is_there =
        |section: &crate::aws_files::ini::Section<'_>| section.entry("region").is_some_and(|e| !e.is_empty());
    match ini.only(|header| profile_name(header) == Some(name.as_str()))? {
        Some(section) if is_there(section) => Ok(None),
        Some(section) => ini.rewritten(section, &edit).map(Some),
        None => ini.appended(&header(name), &edit).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;

    fn added(file: &str, name: &str) -> Option<String> {
        let region = "eu-central-1".parse().unwrap();
        let new = with_region(file.as_bytes(), &name.parse().unwrap(), &region).unwrap();
        new.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_region_is_added_only_where_none_is() {
        assert_eq!(added("[profile a]\nregion = x\n", "a"), None);
        assert_eq!(added("[profile a]\nRegion: x\n", "a"), None);
        assert_eq!(
            added("[profile a]\nregion =\noutput = json\n", "a").unwrap(),
            "[profile a]\nregion = eu-central-1\noutput = json\n"
        );
        assert_eq!(
            added("[profile \"a\"]\noutput = json\n\n# b\n[a]", "a").unwrap(),
            "[profile \"a\"]\noutput = json\nregion = eu-central-1\n\n# b\n[a]"
        );
    }

    #[test]
    fn a_missing_section_is_made_as_the_sdks_want_it_named() {
        assert_eq!(added("[a]\n", "a").unwrap(), "[a]\n[profile a]\nregion = eu-central-1\n");
        assert_eq!(added("", "default").unwrap(), "[default]\nregion = eu-central-1\n");
    }

    #[test]
    fn the_file_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("aws/config");
        let (name, region) = ("a".parse().unwrap(), "eu-central-1".parse().unwrap());
        assert!(add_region(&RealDisk, &path, &name, &region).unwrap());
        assert!(!add_region(&RealDisk, &path, &name, &region).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"[profile a]\nregion = eu-central-1\n");
    }
}
