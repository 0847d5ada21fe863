//! `vault import`.

mod check;
mod compare;
mod dates;
mod plaintext;
mod run;
mod shown;
mod sourceless;
mod sources;

use std::path::PathBuf;

use crate::import::plan::{Conflict, Plan, Step};
use crate::names::ProfileName;
use crate::process;
use crate::store::document::{Document, Profile};
use crate::store::vault::{Closed, Vault};

use super::failure::Failure;
use super::init::NewVaultArgs;
use super::opening;
use super::report;
use super::setting_change::{self, SettingChange};
use super::world::World;

use run::Run;
use sources::Layout;

const EXAMPLES: &str = "\
Examples:
  vault import --dry-run                    what there is; changes nothing
  vault import --remove                     and takes the keys out of the files
  vault import --from aws-vault
  vault import --csv ~/Downloads/alice_accessKeys.csv";

/// Move access keys into the vault from ~/.aws/credentials, other tools, the console's CSV or another vault
///
/// Shows what it found and what it would do, asks, checks each key with AWS, and saves all of them at once. Without a source
/// it looks at ~/.aws/credentials as the AWS tools, aws-mfa, awsmfa and AWS-recipes fill it, and at the file of stscreds.
/// Settings that run a command or lead to another endpoint are named and never imported.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Import only these: profiles, or the sections they come from
    #[arg(value_name = "NAME")]
    names: Vec<ProfileName>,
    /// Look at this layout; can be repeated
    #[arg(long, value_name = "SOURCE", value_enum)]
    from: Vec<Layout>,
    /// Take the keys from a CSV file that the AWS console gave; can be repeated
    #[arg(long, value_name = "FILE")]
    csv: Vec<PathBuf>,
    /// Take profiles from another vault; where both have a profile, the newer key that AWS takes wins
    #[arg(long, value_name = "FILE")]
    vault: Option<PathBuf>,
    /// Open the other vault with the passphrase in this file
    #[arg(long, value_name = "FILE", requires = "vault", conflicts_with = "vault_identity")]
    vault_passphrase_file: Option<PathBuf>,
    /// Open the other vault with the age identity in this file
    #[arg(long, value_name = "FILE", requires = "vault")]
    vault_identity: Option<PathBuf>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Then remove the keys from the files they lay in
    #[arg(long)]
    remove: bool,
    /// Then replace them by new ones at AWS: copies that lie elsewhere stop working
    #[arg(long, conflicts_with = "no_verify")]
    rotate: bool,
    /// Store the keys without asking AWS
    #[arg(long)]
    no_verify: bool,
    /// Replace profiles of the same name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    new_vault: NewVaultArgs,
}

/// How a row of the plan ended.
pub enum Ended {
    Planned,
    Done,
    /// Of two keys, the vault's own is the better one.
    Kept,
    Refused(String),
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    let closed = opening::open_if_there(world)?.map(Vault::close);
    let opener = closed.as_ref().map(Closed::opener);
    let gathered = sources::gather(&args, opener, world)?;
    let (plan, unknown, twins, settings) = {
        let vault = closed.as_ref().map(Closed::open).transpose()?;
        let document = vault.as_ref().map(Vault::document);
        let mut plan = Plan::of(gathered.reading, document, args.replace);
        if args.no_verify {
            nobody_to_ask(&mut plan);
        }
        let unknown = plan.keep_only(&args.names);
        let twins = twins(&plan, document);
        let settings = document.map(|document| replaced(&plan, document, args.no_verify)).unwrap_or_default();
        (plan, unknown, twins, settings)
    };
    if !unknown.is_empty() {
        return Err(Failure::NotFoundToImport(unknown));
    }
    if plan.rows.is_empty() {
        let beside_aws_vault = args.from.is_empty() && process::find_program("aws-vault", &world.environment).is_ok();
        return Err(Failure::NothingToImport { places: gathered.places, beside_aws_vault });
    }
    let ended = plan.rows.iter().map(|_| Ended::Planned).collect();
    Run { args: &args, world, plan, ended, csv: gathered.csv, twins, settings }.carry_out(closed)
}

/// Which of two keys lives, only AWS can say.
fn nobody_to_ask(plan: &mut Plan) {
    for row in plan.rows.iter_mut().filter(|row| row.step == Step::Newer) {
        row.step = Step::Conflict(Conflict::Taken);
    }
}

/// Settings that go with a profile that is replaced, or come in their place.
fn replaced(plan: &Plan, vault: &Document, no_verify: bool) -> Vec<SettingChange> {
    let rows = plan.rows.iter().filter(|row| row.step == Step::Replace);
    let changes = rows.filter_map(|row| {
        let (found, name) = (row.found.as_ref()?, row.profile()?);
        let mut ours = Profile { access_key: None, ..vault.profiles.get(&name)?.clone() };
        // AWS is asked for the device of a key that comes without.
        if found.settings.mfa_serial.is_none() && found.key.is_some() && !no_verify {
            ours.mfa_serial = None;
        }
        Some(setting_change::of_profile(&name, &ours, &found.settings))
    });
    changes.flatten().map(report::import::without_commands).collect()
}

/// Profiles that would share a key: replacing it for one of them would break the other.
fn twins(plan: &Plan, vault: Option<&Document>) -> Vec<(String, String)> {
    let held = vault.into_iter().flat_map(|vault| &vault.profiles);
    let held = held.filter_map(|(name, profile)| Some((name.to_string(), &profile.access_key.as_ref()?.id)));
    let rows = plan.rows.iter().filter(|row| row.changes_the_vault());
    let rows: Vec<_> = rows.filter_map(|row| Some((row.name.clone(), &row.key()?.id))).collect();
    let mut twins = Vec::new();
    for (index, (name, id)) in rows.iter().enumerate() {
        let earlier = held.clone().chain(rows[..index].iter().cloned());
        twins.extend(
            earlier.filter(|(other, held)| held == id && other != name).map(|(other, _)| (other, name.clone())),
        );
    }
    twins
}
