//! Which keys a command line means. One that several profiles have is rotated once.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::aws_files::config::ConfigFile;
use crate::cli::failure::Failure;
use crate::cli::names_given;
use crate::cli::sign_in::{self, SignInArgs};
use crate::cli::world::World;
use crate::names::{AccessKeyId, ProfileName};
use crate::rotate::journal::Journal;
use crate::store::document::Document;
use crate::store::vault::Vault;

use super::Args;
use super::candidate::Candidate;

pub fn candidates<'a>(args: &Args, vault: &Vault<'a>, world: &World<'a>) -> Result<Vec<Candidate>, Failure> {
    let document = vault.document();
    let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
    let mut seen: BTreeSet<AccessKeyId> = BTreeSet::new();
    let mut candidates = Vec::new();
    for name in names(args, document, world)? {
        let user = sign_in::chain(&name, document, &config)?.user.profile;
        let resolved = sign_in::resolve_in(vault, config.clone(), user.clone(), &SignInArgs::default(), world)?;
        let Some(key) = resolved.own_key() else { return Err(Failure::NoAccessKey(user)) };
        if seen.insert(key.id.clone()) {
            candidates.push(Candidate {
                key: key.clone(),
                has_mfa: resolved.has_mfa(),
                place: resolved.call_place(),
                delete_key: args.delete_key.clone(),
                profile: user,
            });
        }
    }
    Ok(candidates)
}

fn names(args: &Args, document: &Document, world: &World) -> Result<Vec<ProfileName>, Failure> {
    let with_key = || document.profiles.iter().filter(|(_, profile)| profile.access_key.is_some());
    match &args.names[..] {
        [] if args.all => Ok(with_key().map(|(name, _)| name.clone()).collect()),
        [] if args.resume => {
            let unfinished = with_key().filter(|(name, profile)| !matches!(Journal::of(name, profile), Ok(None)));
            Ok(unfinished.map(|(name, _)| name.clone()).collect())
        }
        [] => Ok(vec![names_given::or_default(None, document, world)?]),
        names => Ok(names.to_vec()),
    }
}
