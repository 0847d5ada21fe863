//! `vault rotate NAME --give-up`: for a rotation that nothing can finish any more, since AWS takes neither of its keys.

use crate::cli::failure::{Failure, Need};
use crate::cli::names_given;
use crate::cli::opening;
use crate::cli::report;
use crate::cli::terminal::Terminal;
use crate::cli::world::World;
use crate::names::ProfileName;
use crate::rotate::journal::{Conflict, Journal};
use crate::rotate::lock;
use crate::rotate::plan::End;
use crate::rotate::stop::Stop;
use crate::store::document::Profile;

use super::Args;
use super::outcome::{RotateFailure, Why};

pub fn run(args: &Args, world: &World) -> Result<(), Failure> {
    args.names.iter().try_for_each(|name| give_up(name, args.yes, world))
}

/// Without a word to AWS: there may be nothing left to sign with.
fn give_up(name: &ProfileName, yes: bool, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let profile = names_given::in_vault(vault.document(), name)?;
    if !profile.is_rotating() {
        return Err(Failure::Rotate(Box::new(RotateFailure::before(name.clone(), Why::End(End::NothingToUndo)))));
    }
    // One of a later version is nobody's here to run.
    let journal = Journal::of(name, profile).ok().flatten();
    let told = journal.as_ref().map(|journal| (journal.state(), journal.since()));
    let other = journal.as_ref().and_then(Journal::other_key).map(|key| key.id.clone());
    let _lock = journal
        .map(|journal| lock::take(world.disk, &world.paths.state, journal.user_arn()))
        .transpose()
        .map_err(|taken| Failure::Rotate(Box::new(RotateFailure::before(name.clone(), Why::Stop(taken.into())))))?;
    let closed = vault.close();
    if !yes {
        confirm(name, world)?;
    }
    let mut vault = closed.open()?;
    vault.edit(&world.stamp(), |document| {
        let profile = names_given::in_vault_mut(document, name)?;
        let now = Journal::of(name, profile).ok().flatten().map(|journal| (journal.state(), journal.since()));
        if now != told {
            let changed = Stop::Ledger(Conflict::Changed.into());
            return Err(Failure::Rotate(Box::new(RotateFailure::before(name.clone(), Why::Stop(changed)))));
        }
        profile.rest.remove(Profile::ROTATION);
        Ok(())
    })?;
    report::gave_up(world, name, other.as_ref());
    Ok(())
}

fn confirm(name: &ProfileName, world: &World) -> Result<(), Failure> {
    let failed = |error| Failure::prompt(error, Need::Confirmation { flag: "--yes" });
    let mut terminal = Terminal::open().map_err(failed)?;
    report::before_giving_up(world, name);
    if terminal.confirm("Forget it?", false).map_err(failed)? { Ok(()) } else { Err(Failure::Declined) }
}
