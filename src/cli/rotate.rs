//! `vault rotate`.

pub mod at_login;
mod attending;
mod dry_run;
mod ending;
mod exporting;
mod give_up;
mod outcome;
mod progress;
mod rekeying;
mod scheduled;
mod selection;
mod strange_use;

use jiff::SignedDuration;

use crate::cli::last_run;
use crate::duration;
use crate::names::ProfileName;
use crate::process::{self, HeldSignals};
use crate::rotate::calls::Calls;
use crate::rotate::ledger::Ledger;
use crate::rotate::pool::{self, Shop};
use crate::store::group::Group;
use crate::store::vault::{Opened, Vault};

use super::agent_access;
use super::failure::Failure;
use super::opening;
use super::settings::{GRACE, ROTATE_EVERY};
use super::sign_in_args::CodeArgs;
use super::world::World;

use attending::Attending;
pub use ending::Ending;
use exporting::Exports;
pub use outcome::{KeyShown, Outcome, RotateFailure, Why};

/// IAM allows some 20 calls a second to an account before it throttles.
const AT_ONCE: usize = 20;
/// Who waits for the vault leaves the call to another.
const AT_WORK: usize = 3 * AT_ONCE;

const EXAMPLES: &str = "\
Examples:
  vault rotate prod --dry-run               what would be done, and whether that takes a code
  vault rotate prod
  vault rotate prod --now                   somebody has the old key
  vault rotate prod --resume                after anything that stopped it
  vault rotate --due                        every key that is too old";

/// Replace access keys: a new key is made, saved and proven before the old one is switched off, and that deleted a day later
///
/// Whatever interrupts it, both keys are in the vault until the old one is gone: `vault rotate --resume` goes on. One MFA code
/// is enough. Without NAME it is the usual profile, as for `vault login`.
#[derive(clap::Args, Default)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The profiles
    #[arg(value_name = "NAME")]
    names: Vec<ProfileName>,
    /// Every access key in the vault
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Every key that has reached the age in the setting rotate_every, and what else is due of rotations under way
    #[arg(long, conflicts_with_all = ["names", "all", "resume", "undo", "if_older_than"])]
    due: bool,
    /// Nobody is there: ask nothing, and remember how it went for the next person at a terminal
    #[arg(long, requires = "due", hide = true)]
    scheduled: bool,
    /// Only keys older than this, 1d to 3650d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    if_older_than: Option<SignedDuration>,
    /// Finish what is under way, and start nothing
    #[arg(long, conflicts_with_all = ["all", "undo", "if_older_than"])]
    resume: bool,
    /// Take the old key back, and retire the new one
    #[arg(long, conflicts_with_all = ["all", "if_older_than"])]
    undo: bool,
    /// Forget a rotation that can't be finished any more, and the other key's secret with it
    #[arg(long, requires = "names", conflicts_with_all = ["all", "due", "resume", "undo", "if_older_than", "dry_run"])]
    give_up: bool,
    /// Do not ask before that
    #[arg(long, requires = "give_up")]
    yes: bool,
    /// Switch the old key off though somebody else may use it; with --force, delete it before its grace is over
    #[arg(long)]
    now: bool,
    /// How long the old key stays inactive before it is deleted, 4h to 90d [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = parse_grace)]
    grace: Option<SignedDuration>,
    /// Leave the old key active; the next `vault rotate NAME` retires it
    #[arg(long, conflicts_with_all = ["now", "undo"])]
    keep_old: bool,
    /// Delete this key of the user's first, which takes the place of the new one: its id, or the last four of it
    #[arg(long, value_name = "ID", conflicts_with_all = ["all", "due", "if_older_than"])]
    delete_key: Option<String>,
    /// Go on though somebody else uses the old key; with --give-up, though the other key may work
    #[arg(long)]
    force: bool,
    /// Write what `login` wrote of these keys' sessions to ~/.aws/credentials anew, without another code
    #[arg(long, conflicts_with_all = ["dry_run", "give_up"])]
    export: bool,
    /// Show the keys and what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Of the profiles that are named, no more than what is due.
    #[arg(skip)]
    due_only: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    code: CodeArgs,
}

/// A number alone would be seconds, and nobody means those.
fn parse_age(text: &str) -> Result<SignedDuration, String> {
    let age = duration::parse(text).map_err(|error| error.to_string())?;
    if !ROTATE_EVERY.contain(age) {
        return Err(format!("an age is {}, not `{text}`", ROTATE_EVERY.words));
    }
    age.try_into().map_err(|_| format!("`{text}` is too long"))
}

fn parse_grace(text: &str) -> Result<SignedDuration, String> {
    let grace = duration::parse(text).map_err(|error| error.to_string())?;
    if !GRACE.contain(grace) {
        return Err(format!("the grace is {}, not `{text}`", GRACE.words));
    }
    grace.try_into().map_err(|_| format!("`{text}` is too long"))
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    if args.give_up {
        return give_up::run(&args, world);
    }
    if args.scheduled {
        return scheduled::run(&args, world);
    }
    Outcome::end(rotate(&args, opening::open_vault(world)?, world)?)?;
    if args.due && !args.dry_run {
        last_run::mend(world);
    }
    Ok(())
}

/// In a vault that is open.
pub fn rotate<'a>(args: &Args, vault: Vault<'a>, world: &World<'a>) -> Result<Vec<Outcome>, Failure> {
    let vault = held_by_the_agent(vault, world);
    let selection = selection::select(args, &vault, world)?;
    let exports = match Exports::of(vault.document(), world) {
        // Before anything is done, and not when it is too late.
        Err(failure) if args.export => return Err(failure),
        exports => exports.unwrap_or_default(),
    };
    let group = Group::new(vault.close());
    let calls = Calls::at_once(AT_ONCE);
    process::allow_many_open_files();
    let stamper = world.stamper();
    let stamp = || stamper.stamp();
    let ledger = Ledger::new(&group, &calls, &stamp);
    let shop = Shop {
        ledger: &ledger,
        disk: world.disk,
        state: &world.paths.state,
        clock: world.clock,
        environment: &world.environment,
        ca_bundle: world.ca_bundle()?,
        calls: &calls,
        workers: AT_WORK,
    };
    let mut attending = Attending::new(args, world, &group, selection.at_rest);
    if args.dry_run {
        return attending.dry_run(selection.rotations, &shop);
    }
    attending.begin(selection.rotations.len());
    pool::drive(selection.rotations, &shop, &mut attending, &HeldSignals::one_came);
    let mut outcomes = attending.conclude()?;
    exports.follow(&mut outcomes, args.export, &group, world);
    Ok(outcomes)
}

/// Over the waits of a rotation this program need not hold what opens the vault where an agent does: `vault lock` reaches the
/// agent.
fn held_by_the_agent<'a>(vault: Vault<'a>, world: &World<'a>) -> Vault<'a> {
    if vault.opener().identity().is_none() || !world.unlock.asks_agent(world) {
        return vault;
    }
    let opened =
        agent_access::ask(world).ok().flatten().and_then(|holding| agent_access::open(world, &holding).ok()?);
    opened.and_then(Opened::known).unwrap_or(vault)
}

impl Args {
    /// As if these had been named and nothing else said.
    pub fn of(names: Vec<ProfileName>) -> Self {
        Self { names, ..Self::default() }
    }
}
