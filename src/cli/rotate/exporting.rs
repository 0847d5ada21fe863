//! What `login` wrote of a key's sessions to `~/.aws/credentials`. AWS takes it until its time is over, whatever becomes of the
//! key; who wants has it written anew with the rotation, by the code that this took.

use std::rc::Rc;

use jiff::Timestamp;

use crate::aws_files::config::ConfigFile;
use crate::aws_files::credentials::{CredentialsFile, CredentialsSection, Holds};
use crate::cli::failure::Failure;
use crate::cli::report;
use crate::cli::resolved::Resolved;
use crate::cli::session_records;
use crate::cli::sign_in::{self, SignInArgs};
use crate::cli::world::World;
use crate::export::credentials_file::{Target, prepare};
use crate::names::{AccessKeyId, ProfileName};
use crate::session::{Asked, Record};
use crate::store::document::Document;
use crate::store::group::Group;

use super::outcome::Outcome;

/// The sections that we wrote, as they are before a rotation.
#[derive(Default)]
pub struct Exports(Vec<Section>);

struct Section {
    name: ProfileName,
    session: AccessKeyId,
    expires: Timestamp,
    /// Whose session it is.
    profile: ProfileName,
    key: AccessKeyId,
    /// It was asked for with less than the profile gets by itself: nobody gets more unasked.
    is_special: bool,
}

impl Exports {
    pub fn of(document: &Document, world: &World) -> Result<Self, Failure> {
        let file = CredentialsFile::load(world.disk, &world.paths.aws_credentials)?;
        let ours: Vec<(ProfileName, AccessKeyId)> = file.sections().filter_map(session_of_ours).collect();
        if ours.is_empty() {
            // To list the cache is to decrypt it.
            return Ok(Self::default());
        }
        let records = session_records::cache(world, document)?.list();
        let known = |(name, id): (ProfileName, AccessKeyId)| {
            let record = records.iter().find(|record| record.credentials.access_key_id == id)?;
            Some(Section::of(name, record)).filter(|section| section.expires > record.aws_time(world.clock.now()))
        };
        Ok(Self(ours.into_iter().filter_map(known).collect()))
    }

    /// Of the keys that were replaced: writes their sections `anew`, or says that they stay good.
    pub fn follow<'a>(self, outcomes: &mut [Outcome], anew: bool, group: &Group<'static, 'a>, world: &World<'a>) {
        let mut left = Vec::new();
        for section in self.0 {
            let replaced = |one: &&mut Outcome| one.replaced.as_ref().is_some_and(|(old, _)| *old == section.key);
            let Some(outcome) = outcomes.iter_mut().find(replaced) else { continue };
            if !anew || section.is_special {
                left.push((section.name, section.expires));
                continue;
            }
            match section.renewed(group, world) {
                Ok(Some(expires)) => report::export::written_anew(world, &section.name, expires),
                // Its code is this rotation's, and AWS has no younger one.
                Ok(None) => left.push((section.name, section.expires)),
                Err(failure) => {
                    report::export::not_written_anew(world, &section.name, section.expires, &failure);
                    outcome.failure.get_or_insert(failure);
                }
            }
        }
        report::export::stays_good(world, &left);
    }
}

fn session_of_ours(section: &CredentialsSection) -> Option<(ProfileName, AccessKeyId)> {
    match &section.holds {
        Holds::Session { id: Some(id), .. } if section.written_by_us => Some((section.name.parse().ok()?, id.clone())),
        _ => None,
    }
}

impl Section {
    fn of(name: ProfileName, record: &Record) -> Self {
        let asked = Asked { duration_seconds: None, ..record.slot().asked.clone() };
        Self {
            name,
            session: record.credentials.access_key_id.clone(),
            expires: record.credentials.expiration,
            profile: record.slot().profile.clone(),
            key: record.ladder.access_key_id.clone(),
            is_special: asked != Asked::default(),
        }
    }

    /// Gives how long the new session is good for; None where that is the one that stands there.
    fn renewed<'a>(&self, group: &Group<'static, 'a>, world: &World<'a>) -> Result<Option<Timestamp>, Failure> {
        let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
        let (name, args) = (self.profile.clone(), SignInArgs::default());
        let resolved = group
            .read(|vault| Resolved::in_vault(vault, config.clone(), name, &args, world))
            .map_err(Failure::Reopen)??;
        let issued = sign_in::renew(&resolved, world)?;
        if issued.credentials().access_key_id == self.session {
            return Ok(None);
        }
        let (disk, path) = (world.disk, &world.paths.aws_credentials);
        let target = Target { name: &self.name, vault_key: None, replace_long_term: false };
        let prepared = prepare(disk, path, &config, target)?;
        // What somebody put there meanwhile is theirs, and a protected profile's session is for no file.
        let is_still_there = CredentialsFile::load(disk, path)?
            .section(self.name.as_str())
            .and_then(session_of_ours)
            .is_some_and(|(_, id)| id == self.session);
        if is_still_there && !resolved.about.protected {
            prepared.commit(disk, issued.credentials())?;
        }
        Ok(Some(issued.expires()))
    }
}
