//! `vault recipient`.

mod failure;

use std::path::PathBuf;

use serde_json::json;

use crate::names::ProfileName;
use crate::process::find_program;
use crate::store::document::{Document, Recipient, RecipientKind};
use crate::store::identity;
use crate::store::passphrase::Cost;
use crate::store::plugin::plugin_of_recipient;
use crate::store::seal::UnsealError;
use crate::store::vault::{Closed, EditError, NewPassphrase, NotCommitted, Stamp, Vault};

use super::confirming;
use super::escape::{escape, shown_path};
use super::failure::{Failure, Need};
use super::opening;
use super::recovery_key;
use super::rekeyed::Rekeyed;
use super::report::point_in_time::second;
use super::secret_file;
use super::table;
use super::trusting;
use super::world::World;

pub use failure::RecipientFailure;

const EXAMPLES: &str = "\
Examples:
  vault recipient list
  vault recipient add laptop age1...
  vault recipient remove laptop";

/// Show and change who opens the vault: recovery keys, other machines, hardware
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Let another age identity open the vault: the one of this recipient, or a new recovery key
    Add(AddArgs),
    /// List who opens the vault
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a recipient open the vault no longer
    ///
    /// The vault gets new keys of its own, cached sessions and earlier generations are dropped, and other machines ask for
    /// `vault trust`. Copies of the vault elsewhere stay open to who was removed.
    Remove(RemoveArgs),
}

#[derive(clap::Args)]
struct AddArgs {
    /// What it is to be called
    name: String,
    /// `age1...`, as `age-keygen` or an age plugin shows it [default: a new recovery key is made]
    recipient: Option<String>,
    /// Write the new recovery key to this new file instead of showing it
    #[arg(long, value_name = "FILE", conflicts_with = "recipient")]
    recovery_key: Option<PathBuf>,
}

#[derive(clap::Args)]
struct RemoveArgs {
    /// The recipient's name
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What can be said instead of a file for a new recovery key.
const A_RECIPIENT: &str = "the recipient of an identity that you have";

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match args.action {
        Action::Add(args) => add(args, world),
        Action::List { json } => list(json, world),
        Action::Remove(args) => remove(Which::Named(&args.name), args.yes, world),
    }
}

fn add(args: AddArgs, world: &World) -> Result<(), Failure> {
    check_name(&args.name)?;
    let given = args.recipient.as_deref().map(|text| parse(world, text)).transpose()?;
    if given.is_none() {
        recovery_key::check(world, args.recovery_key.as_deref(), A_RECIPIENT)?;
    }
    let vault = opening::open_in_person(world)?;
    check_new(vault.document(), &args.name, given.as_ref().map(|given| given.recipient.as_str()))?;
    let closed = vault.close();
    let (kind, recipient, plugin) = match given {
        Some(Given { recipient, plugin: Some(program) }) => (RecipientKind::Plugin, recipient, Some(program)),
        Some(Given { recipient, plugin: None }) => (RecipientKind::X25519, recipient, None),
        None => {
            let recipient = recovery_key::hand_out(world, args.recovery_key.as_deref(), A_RECIPIENT)?;
            (RecipientKind::Recovery, recipient, None)
        }
    };
    let stamp = world.stamp();
    let new = Recipient { plugin, ..Recipient::new(&args.name, kind, recipient, stamp.now, &stamp.writer) };
    save_new(&closed, &new, &stamp).inspect_err(|failure| {
        // A recovery key that opens nothing would be trusted by who finds it.
        if !matches!(failure, Failure::NotDurable(_)) {
            args.recovery_key.iter().for_each(|path| secret_file::take_back(world, path));
        }
    })?;
    world.say(&format!("added recipient `{}`; it opens {} from now on", args.name, world.vault_shown()));
    Ok(())
}

/// Lets one more open the vault.
pub fn save_new(closed: &Closed, new: &Recipient, stamp: &Stamp) -> Result<(), Failure> {
    closed.open()?.edit(stamp, |document| {
        check_new(document, &new.name, Some(&new.recipient))?;
        document.recipients.push(new.clone());
        Ok::<(), Failure>(())
    })?;
    Ok(())
}

/// A recipient's name follows the rules of a profile's: both stand in tables and commands. The passphrase's own stays free
/// for it, also while there is none: two of a name could only be removed together.
fn check_name(name: &str) -> Result<(), Failure> {
    match name.parse::<ProfileName>() {
        Ok(_) if name != NewPassphrase::NAME => Ok(()),
        _ => Err(RecipientFailure::Name(name.to_owned()).into()),
    }
}

/// What `add` was given: a recipient, and the program behind it where there is one.
struct Given {
    recipient: String,
    plugin: Option<PathBuf>,
}

/// In its one spelling.
fn parse(world: &World, text: &str) -> Result<Given, Failure> {
    let text = text.trim();
    if let Some(recipient) = identity::canonical_recipient(text) {
        return Ok(Given { recipient, plugin: None });
    }
    let lower = text.to_ascii_lowercase();
    match plugin_of_recipient(&lower) {
        Some(plugin) => Ok(Given { plugin: Some(find_plugin(world, plugin)?), recipient: lower }),
        None if lower.contains("age-secret-key-") || lower.contains("age-plugin-") => {
            Err(RecipientFailure::Identity.into())
        }
        None => Err(RecipientFailure::NotARecipient.into()),
    }
}

/// The program that every save will start, and no other.
fn find_plugin(world: &World, plugin: String) -> Result<PathBuf, Failure> {
    match find_program(&plugin, &world.environment) {
        Ok(program) => {
            world.say(&format!("each save of the vault will start {}", shown_path(&program)));
            Ok(program)
        }
        Err(error) => Err(Failure::Plugin { plugin, error: error.into() }),
    }
}

fn check_new(document: &Document, name: &str, recipient: Option<&str>) -> Result<(), Failure> {
    let same = |one: &&Recipient| one.name == name || Some(one.recipient.as_str()) == recipient;
    match document.recipients.iter().find(same) {
        Some(one) => Err(RecipientFailure::Exists(one.name.clone()).into()),
        None => Ok(()),
    }
}

/// The passphrase's recipient is not shown: with it, a passphrase could be tried without the file.
fn list(as_json: bool, world: &World) -> Result<(), Failure> {
    let vault = opening::open_vault(world)?;
    let shown = |one: &Recipient| (one.kind != RecipientKind::Passphrase).then(|| one.recipient.clone());
    if as_json {
        let recipients = vault.document().recipients.iter().map(|one| {
            json!({
                "name": one.name, "kind": one.kind.clone(), "recipient": shown(one), "added": one.added,
                "added_by": one.added_by, "plugin": one.plugin,
            })
        });
        return world.print_json(json!({ "recipients": recipients.collect::<Vec<_>>() }));
    }
    let row = |one: &Recipient| {
        let by = one.added_by.clone().unwrap_or_else(|| "-".to_owned());
        let recipient = shown(one).unwrap_or_else(|| "-".to_owned());
        [one.name.clone(), String::from(one.kind.clone()), second(one.added), by, recipient]
    };
    let headings = ["NAME", "KIND", "ADDED", "BY", "RECIPIENT"];
    world.print(&table::render(&headings, vault.document().recipients.iter().map(row)))
}

/// A recipient of the vault.
#[derive(Clone, Copy)]
pub enum Which<'a> {
    Named(&'a str),
    /// By its public half, whatever its name is.
    Public(&'a str),
}

impl Which<'_> {
    fn find(self, document: &Document) -> Result<&Recipient, Failure> {
        let (given, is_meant): (&str, fn(&Recipient) -> &str) = match self {
            Self::Named(name) => (name, |one| &one.name),
            Self::Public(recipient) => (recipient, |one| &one.recipient),
        };
        let found = document.recipients.iter().find(|one| is_meant(one) == given);
        found.ok_or_else(|| RecipientFailure::Unknown(given.to_owned()).into())
    }
}

/// Lets a recipient open the vault no longer, once somebody has said yes.
pub fn remove(which: Which, confirmed: bool, world: &World) -> Result<(), Failure> {
    let unlocked = opening::in_person(world)?;
    let mut vault = trusting::believe(world, unlocked.opened)?;
    let name = &removable(&vault, which)?;
    if !confirmed {
        let closed = vault.close();
        confirm(name)?;
        vault = closed.open()?;
    }
    // Whoever is removed may know the old salt with its derived recipient: a new one costs a second.
    let passphrase = unlocked.passphrase.as_ref().zip(vault.document().kdf());
    let passphrase = passphrase.map(|(passphrase, kdf)| {
        let kdf = Cost::of(kdf).parameters().map_err(Failure::Randomness)?;
        NewPassphrase::derive(passphrase, kdf, world.unlock.memory()).map_err(Failure::Derive)
    });
    let passphrase = passphrase.transpose()?;
    let rekeyed = Rekeyed::before(world, &vault)?;
    let removed = vault.rekey(passphrase, &world.stamp(), |document| {
        let name = which.find(document)?.name.clone();
        document.recipients.retain(|one| one.name != name);
        if document.recipients.is_empty() { Err(RecipientFailure::Last.into()) } else { Ok(()) }
    });
    removed.map_err(|error| match error {
        // Which of the recipients a plugin's identity belongs to shows only in what it no longer opens.
        EditError::NotCommitted(NotCommitted::Proof(UnsealError::WrongIdentity)) => {
            Failure::Recipient(RecipientFailure::Own(name.to_owned()))
        }
        error => error.into(),
    })?;
    world.say(&format!("removed recipient `{}`", escape(name)));
    rekeyed.say(world, &vault, "it");
    Ok(())
}

/// Gives its name.
fn removable(vault: &Vault, which: Which) -> Result<String, Failure> {
    let found = which.find(vault.document())?;
    if vault.document().recipients.len() == 1 {
        return Err(RecipientFailure::Last.into());
    }
    match vault.opener().identity().and_then(identity::recipient) {
        Some(own) if own == found.recipient => Err(RecipientFailure::Own(found.name.clone()).into()),
        _ => Ok(found.name.clone()),
    }
}

fn confirm(name: &str) -> Result<(), Failure> {
    let question =
        format!("Remove recipient `{}`, and with it the earlier generations beside the vault?", escape(name));
    confirming::confirm(&question, Need::Confirmation { flag: "--yes" })
}
