//! `vault rotate NAME --give-up`: for a rotation that nothing can finish any more, since AWS does not take the key that the
//! vault would forget.

use std::rc::Rc;

use crate::aws::{Aws, AwsError, Refusal, Signer};
use crate::aws_files::config::ConfigFile;
use crate::cli::failure::{Failure, Need};
use crate::cli::names_given;
use crate::cli::opening;
use crate::cli::report;
use crate::cli::sign_in;
use crate::cli::sign_in_args::SignInArgs;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::credentials::AccessKey;
use crate::names::ProfileName;
use crate::rotate::journal::{Conflict, Journal};
use crate::rotate::lock;
use crate::rotate::plan::End;
use crate::rotate::stop::Stop;
use crate::store::document::{Profile, StoredAccessKey};
use crate::store::vault::Vault;

use super::Args;
use super::outcome::{RotateFailure, Why};

pub fn run(args: &Args, world: &World) -> Result<(), Failure> {
    args.names.iter().try_for_each(|name| give_up(name, args, world))
}

fn give_up(name: &ProfileName, args: &Args, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let profile = names_given::in_vault(vault.document(), name)?;
    if !profile.is_rotating() {
        return Err(refused(name, Why::End(End::NothingToUndo)));
    }
    // One of a later version is nobody's here to run.
    let journal = Journal::of(name, profile).ok().flatten();
    let told = journal.as_ref().map(|journal| (journal.state(), journal.since()));
    let other = journal.as_ref().and_then(Journal::other_key).map(StoredAccessKey::access_key);
    let aws = if args.force { None } else { Some(aws(name, &vault, world)?) };
    let _lock = journal
        .map(|journal| lock::take(world.disk, &world.paths.state, journal.user_arn()))
        .transpose()
        .map_err(|taken| refused(name, Why::Stop(taken.into())))?;
    let closed = vault.close();
    let forgotten = other.as_ref().map(|key| key.id.clone());
    if let Some((key, aws)) = other.zip(aws) {
        refuse_if_it_works(name, &key, &aws)?;
    }
    if !args.yes {
        confirm(name, args, world)?;
    }
    let mut vault = closed.open()?;
    vault.edit(&world.stamp(), |document| {
        let profile = names_given::in_vault_mut(document, name)?;
        let now = Journal::of(name, profile).ok().flatten().map(|journal| (journal.state(), journal.since()));
        if now != told {
            return Err(refused(name, Why::Stop(Stop::Ledger(Conflict::Changed.into()))));
        }
        profile.rest.remove(Profile::ROTATION);
        Ok(())
    })?;
    report::gave_up(world, name, forgotten.as_ref());
    Ok(())
}

fn refused(name: &ProfileName, why: Why) -> Failure {
    Failure::Rotate(Box::new(RotateFailure::before(name.clone(), why)))
}

/// Where the profile's own calls go.
fn aws<'a>(name: &ProfileName, vault: &Vault<'a>, world: &World<'a>) -> Result<Aws, Failure> {
    let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
    sign_in::resolve_in(vault, config, name.clone(), &SignInArgs::default(), world)?.aws(world)
}

/// It may be the only key that does.
fn refuse_if_it_works(name: &ProfileName, key: &AccessKey, aws: &Aws) -> Result<(), Failure> {
    match aws.caller_identity(&Signer::AccessKey(key)) {
        Err(AwsError::Refused { refusal: Refusal::UnknownKey, .. }) => Ok(()),
        Ok(_) => Err(refused(name, Why::OtherKeyWorks { key: key.id.clone() })),
        Err(error) => Err(refused(name, Why::OtherKeyNotTried(error))),
    }
}

fn confirm(name: &ProfileName, args: &Args, world: &World) -> Result<(), Failure> {
    let failed = |error| Failure::prompt(error, Need::Confirmation { flag: "--yes" });
    let mut terminal = Terminal::open().map_err(failed)?;
    report::before_giving_up(world, name, !args.force);
    if terminal.confirm("Forget it?", false).map_err(failed)? { Ok(()) } else { Err(Failure::Declined) }
}
