//! The warm path: the session of a profile that is known by name, while somebody holds the vault's session identity. The vault
//! stays closed and is only stat'ed, and so is an unchanged config file; a session that is still good takes no runtime, no
//! AWS client and one record.

use std::cell::LazyCell;

use crate::aws::Aws;
use crate::names::{EndpointError, Endpoints, ProfileName, Region};
use crate::rotate::rules::MFA_MAX_AGE;
use crate::session::{
    Cache, Errand, IssueError, Issued, Issuer, LazyAws, Lookup, LookupError, NeedsVault, Record, Warm,
};

use super::code_asker::Asker;
use super::failure::Failure;
use super::resolved::About;
use super::settings;
use super::sign_in::{Purpose, SignInArgs, SignedIn};
use super::world::World;

/// What came of it.
pub enum Outcome {
    SignedIn(Box<SignedIn>),
    /// The vault has to be opened; for whom and why, where a session was looked for.
    Cold(Option<(ProfileName, NeedsVault)>),
}

/// The profile's session, cached or renewed, if that takes no vault. Tells nobody of it yet.
pub fn sign_in(
    name: Option<&ProfileName>,
    args: &SignInArgs,
    purpose: Purpose,
    world: &World,
) -> Result<Outcome, Failure> {
    // The default among the profiles stands in the vault. A name that is none is told of once that is open.
    let name = name.cloned().or_else(|| world.environment.text("AWS_PROFILE")?.parse().ok());
    let Some(reader) = name.and_then(|name| Reader::new(name, args, purpose, world)) else {
        return Ok(Outcome::Cold(None));
    };
    let found = match reader.find()? {
        Warm::Serve(record) => Ok(Issued::cached(record)),
        // A person at a login is there to open the vault.
        Warm::Renew { .. } if purpose == Purpose::Login => Err(NeedsVault::Stale),
        Warm::Renew { record, .. } => match reader.renew(&record)? {
            // The session that was to assume it ended meanwhile, or AWS took it no longer.
            Err(IssueError::KeyNeeded { .. }) => Err(NeedsVault::Stale),
            issued => Ok(issued.map_err(|error| reader.failed(error))?),
        },
        Warm::NeedsVault(why) => Err(why),
    };
    match found {
        Ok(issued) => Ok(Outcome::SignedIn(Box::new(SignedIn { about: reader.about(&issued.record)?, issued }))),
        Err(why) => Ok(Outcome::Cold(Some((reader.name, why)))),
    }
}

struct Reader<'a, 'w> {
    cache: Cache<'a>,
    name: ProfileName,
    args: &'a SignInArgs,
    purpose: Purpose,
    world: &'a World<'w>,
}

impl<'a, 'w> Reader<'a, 'w> {
    /// Where somebody holds the vault's session identity and may be asked for it.
    fn new(name: ProfileName, args: &'a SignInArgs, purpose: Purpose, world: &'a World<'w>) -> Option<Self> {
        // By flag a person says how the vault is to be opened, or which it must be: neither can be told from a record.
        if world.unlock.is_said(world) {
            return None;
        }
        let key = (world.held_key)(world)?;
        Some(Self { cache: Cache::new(world.disk, &world.paths.state, key), name, args, purpose, world })
    }

    fn find(&self) -> Result<Warm, Failure> {
        let World { disk, paths, environment, clock, .. } = self.world;
        let now = clock.now();
        let lookup = Lookup { cache: &self.cache, disk: *disk, paths, environment, now };
        let freshness = self.args.freshness(self.purpose, MFA_MAX_AGE, self.world);
        let decided =
            lookup.find(&self.args.slot(&self.name, self.world)?, &freshness).map_err(|error| match error {
                LookupError::Config(error) => error.into(),
                LookupError::MinTtl(error) => self.failed(error.into()),
            })?;
        if let Warm::Serve(record) | Warm::Renew { record, .. } = &decided {
            self.purpose.check_protected(&self.name, record.rung().protected)?;
        }
        Ok(decided)
    }

    fn failed(&self, error: IssueError) -> Failure {
        Failure::Issue { profile: self.name.clone(), error }
    }

    fn endpoints(&self, record: &Record) -> Result<Endpoints, EndpointError> {
        Endpoints::from_environment(&self.world.environment, record.ladder.endpoint_url.as_deref())
    }

    /// From the living session that the record's was assumed with: the access key is not at hand.
    fn renew(&self, record: &Record) -> Result<Result<Issued, IssueError>, Failure> {
        let world = self.world;
        let region = self.call_region(record)?;
        let endpoints = self.endpoints(record)?;
        let ca_bundle = world.ca_bundle()?;
        let aws: LazyAws = LazyCell::new(Box::new(move || Aws::with_ca_bundle(region, endpoints, ca_bundle)));
        let mut asker = Asker::new(world, self.args);
        let patience = self.purpose.patience();
        let mut issuer = Issuer { cache: &self.cache, aws: &aws, clock: world.clock, asker: &mut asker, patience };
        Ok(issuer.issue(&Errand {
            ladder: &record.ladder,
            freshness: self.args.freshness(self.purpose, MFA_MAX_AGE, world),
            key: None,
            same_key: &[],
            destination: record.destination.as_ref(),
            stamps: &record.stamps,
        }))
    }

    fn call_region(&self, record: &Record) -> Result<Region, Failure> {
        Ok(settings::named_region(self.world)?.unwrap_or_else(|| record.ladder.call_region.clone()))
    }

    fn about(&self, record: &Record) -> Result<About, Failure> {
        Ok(About {
            name: self.name.clone(),
            region: settings::named_region(self.world)?.or_else(|| record.rung().region.clone()),
            destination: record.destination.clone(),
            call_region: self.call_region(record)?,
            protected: record.rung().protected,
        })
    }
}
