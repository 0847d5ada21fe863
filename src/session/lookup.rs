//! Looks for a cached session while the vault stays closed. Its file is only stat'ed, and so is an unchanged config file: a session
//! that is still good takes one record.

use jiff::Timestamp;
use thiserror::Error;

use super::cache::Cache;
use super::plan::{Freshness, MinTtlTooLong};
use super::record::{ConfigStamp, FileStamp, Record};
use super::request::Slot;
use super::warm::{NeedsVault, Today, Warm};
use crate::aws_files::config::ConfigFile;
use crate::aws_files::file::FileError;
use crate::disk::Disk;
use crate::names::Endpoints;
use crate::paths::{Environment, Paths};

/// What stands around the cache, today.
pub struct Lookup<'a> {
    pub cache: &'a Cache<'a>,
    pub disk: &'a dyn Disk,
    pub paths: &'a Paths,
    pub environment: &'a Environment,
    pub now: Timestamp,
}

#[derive(Debug, Error)]
pub enum LookupError {
    #[error(transparent)]
    Config(#[from] FileError),
    #[error(transparent)]
    MinTtl(#[from] MinTtlTooLong),
}

impl Lookup<'_> {
    pub fn find(&self, slot: &Slot, freshness: &Freshness) -> Result<Warm, LookupError> {
        let Some(mut record) = self.cache.read(slot) else { return Ok(Warm::NeedsVault(NeedsVault::NoSession)) };
        let vault = self.disk.status_at(&self.paths.vault).ok().flatten().as_ref().map(FileStamp::from);
        let config_fits = self.config_fits(&mut record)?;
        // What is wrong with an endpoint is said where the vault's own setting is known.
        let Ok(endpoints) = Endpoints::from_environment(self.environment, record.ladder.endpoint_url.as_deref()) else {
            return Ok(Warm::NeedsVault(NeedsVault::OtherEndpoint));
        };
        let today = Today { vault: vault.as_ref(), config_fits, endpoint: endpoints.sts.as_ref() };
        Ok(Warm::of(record, &today, freshness, self.now, |slot| self.cache.read(slot))?)
    }

    /// Reads the file only where its stamp is another, and notes the new one where it says the same.
    fn config_fits(&self, record: &mut Record) -> Result<bool, FileError> {
        let path = &self.paths.aws_config;
        // A file that can't be looked at is told of by who reads it.
        if self.disk.status_at(path).is_ok_and(|status| record.stamps.config.is_of(status.as_ref())) {
            return Ok(true);
        }
        let config = ConfigFile::load(self.disk, path)?;
        let fits = record.stamps.fit(&config);
        let stamp = ConfigStamp::of(config.status(), self.now);
        if fits && stamp != ConfigStamp::Unsettled {
            record.stamps.config = stamp;
            self.cache.confirm(record, self.now);
        }
        Ok(fits)
    }
}
