//! `vault rotate NAME --give-up`: for a rotation that nothing can finish any more, since AWS does not take the key that the
//! vault would forget.

use std::rc::Rc;

use crate::aws::{Aws, AwsError, Refusal, Signer};
use crate::aws_files::config::ConfigFile;
use crate::cli::code_asker::AsksNobody;
use crate::cli::confirming;
use crate::cli::failure::{Failure, Need};
use crate::cli::names_given;
use crate::cli::opening;
use crate::cli::report;
use crate::cli::resolved::Resolved;
use crate::cli::sign_in::{self, Purpose};
use crate::cli::sign_in_args::SignInArgs;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::credentials::AccessKey;
use crate::names::{ProfileName, arn_user_name};
use crate::rotate::journal::{Conflict, Journal};
use crate::rotate::lock;
use crate::rotate::plan::State;
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
        return Err(refused(name, Why::NoneUnderWay));
    }
    // One of a later version is nobody's here to run.
    let journal = Journal::of(name, profile).ok().flatten();
    let told = journal.as_ref().map(|journal| (journal.state(), journal.since()));
    let other = journal.as_ref().and_then(Journal::other_key).map(StoredAccessKey::access_key);
    let resolved = if args.force { None } else { Some(resolved(name, &vault, world)?) };
    let user_arn = journal.as_ref().map(|journal| journal.user_arn().to_owned());
    let _lock = journal
        .map(|journal| lock::take(world.disk, &world.paths.state, journal.user_arn()))
        .transpose()
        .map_err(|taken| refused(name, Why::Stop(taken.into())))?;
    let closed = vault.close();
    let forgotten = other.as_ref().map(|key| key.id.clone());
    // The keys are gone before a person is asked.
    if let (Some((key, resolved)), Some((state, _))) = (other.zip(resolved), &told) {
        let aws = resolved.aws(world)?;
        refuse_if_it_works(name, &key, &aws)?;
        let user = user_arn.as_deref().and_then(arn_user_name);
        if is_off_by_us(state) && user.is_some_and(|user| is_listed(&key, user, &resolved, &aws, world)) {
            return Err(refused(name, Why::OtherKeyOff { key: key.id }));
        }
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

fn resolved<'a>(name: &ProfileName, vault: &Vault<'a>, world: &World<'a>) -> Result<Resolved<'a>, Failure> {
    let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
    Resolved::in_vault(vault, config, name.clone(), &SignInArgs::default(), world)
}

/// AWS takes no key that is off, and it can be switched on again.
fn is_off_by_us(state: &State) -> bool {
    matches!(state, State::Retired { .. } | State::Undoing { .. })
}

/// By whatever signs without asking anybody. Where nothing does, nobody here could take it back either.
fn is_listed(key: &AccessKey, user: &str, resolved: &Resolved, aws: &Aws, world: &World) -> bool {
    let list = |signer: &Signer| {
        let keys = aws.access_keys(signer, user).unwrap_or_default();
        keys.iter().any(|listed| listed.id == key.id)
    };
    let by_key = || resolved.own_key().is_some_and(|own| list(&Signer::AccessKey(own)));
    let by_session = || {
        let args = SignInArgs::default();
        let issued = sign_in::issue_by(&mut AsksNobody, resolved, &args, Purpose::Change, world);
        issued.is_ok_and(|issued| list(&Signer::Session(&issued.record.credentials)))
    };
    by_key() || by_session()
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
    let show = |_: &mut Terminal| report::before_giving_up(world, name, !args.force);
    confirming::confirm_after(show, "Forget it?", Need::Confirmation { flag: "--yes" })
}
