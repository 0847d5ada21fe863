//! A run that nobody attends: a recipient of its own, whose identity lies on this machine.

use zeroize::Zeroizing;

use crate::cli::confirming;
use crate::cli::escape::shown_path;
use crate::cli::failure::{Failure, Need};
use crate::cli::opening;
use crate::cli::recipient::{self, RecipientFailure, Which};
use crate::cli::report::schedule as words;
use crate::cli::secret_file;
use crate::cli::world::World;
use crate::process;
use crate::rotate::unattended::{FILE, Keeper, UnattendedIdentity, identity_file};
use crate::rotate::units::systemd::CREDENTIALS_SINCE;
use crate::rotate::units::{CREDENTIAL, KEYCHAIN_ACCOUNT, Scheduler, Unattended};
use crate::secret::IdentityText;
use crate::store::document::{Recipient, RecipientKind};
use crate::store::file::LoadError;
use crate::store::identity;
use crate::store::vault::Closed;

use super::error::ScheduleError;
use super::in_state;
use super::systemd::Systemd;
use super::tool::Tool;

/// `security` has nowhere else to be; a schedule that is only printed need not find it.
const SECURITY: &str = "/usr/bin/security";

/// What opens the vault for a run, if that was set up.
pub fn known(world: &World) -> Result<Option<Unattended>, ScheduleError> {
    Ok(kept(world)?.map(|kept| handed_over(kept.keeper, world)))
}

fn kept(world: &World) -> Result<Option<UnattendedIdentity>, ScheduleError> {
    let unreadable = |why| ScheduleError::Unreadable { path: world.paths.state.join(FILE), why };
    UnattendedIdentity::load(world.disk, &world.paths.state).map_err(unreadable)
}

/// What was set up before, also where no more is left of it than the identity.
fn earlier(recipients: &[Recipient], world: &World) -> Result<Option<UnattendedIdentity>, Failure> {
    match kept(world) {
        Ok(None) => {}
        Err(error) if error.is_made_anew() => {}
        known => return Ok(known?),
    }
    let own = recipient_of_file(world);
    let Some(found) = recipients.iter().find(|one| Some(&one.recipient) == own.as_ref()) else { return Ok(None) };
    let (name, recipient) = (found.name.clone(), found.recipient.clone());
    let kept = UnattendedIdentity { name, recipient, keeper: Keeper::File, made: found.added };
    kept.save(world.disk, &world.paths.state).map_err(|error| in_state(error, world))?;
    Ok(Some(kept))
}

/// Whose identity lies in the file of its own.
fn recipient_of_file(world: &World) -> Option<String> {
    let identities = opening::read_identities(world, &identity_file(&world.paths.state, Keeper::File)?).ok()?;
    identities.iter().find_map(identity::recipient)
}

fn handed_over(keeper: Keeper, world: &World) -> Unattended {
    match (keeper, identity_file(&world.paths.state, keeper)) {
        (Keeper::File, Some(path)) => Unattended::File(path),
        (Keeper::Systemd, Some(path)) => Unattended::Credential(path),
        _ => Unattended::Keychain(
            Tool::find_optional("security", world).map_or_else(|| SECURITY.into(), |security| security.path),
        ),
    }
}

/// Says what it means, has it confirmed, and makes the recipient: its identity first, which opens nothing until the vault is
/// saved.
pub fn set_up(scheduler: Scheduler, confirmed: bool, world: &World) -> Result<Unattended, Failure> {
    check_place(world)?;
    words::what_unattended_means(world);
    if !confirmed {
        confirm()?;
    }
    let vault = opening::open_in_person(world)?;
    let recipients = &vault.document().recipients;
    let earlier = earlier(recipients, world)?;
    // By what it is: the machine may have had another name, or another machine may have this one's.
    let opens = |kept: &&UnattendedIdentity| recipients.iter().any(|one| one.recipient == kept.recipient);
    match earlier.as_ref().filter(opens) {
        Some(kept) if is_at_hand(kept, world) => {
            words::unattended_already(world, &kept.name);
            return Ok(handed_over(kept.keeper, world));
        }
        Some(kept) => return Err(ScheduleError::RecipientWithoutIdentity(kept.name.clone()).into()),
        None => {}
    }
    let name = free_name(recipients);
    let closed = vault.close();
    // Of a vault that was then not saved, or of an earlier one.
    discard(earlier.map(|kept| kept.keeper), world)?;
    let kept = make(&closed, &name, scheduler, world)?;
    words::unattended_made(world, &kept);
    if kept.name != usual_name() {
        words::another_of_this_name(world, &usual_name());
    }
    Ok(handed_over(kept.keeper, world))
}

/// An identity that is not kept, or for which nothing was saved, opens nothing; what is left of it the next try finds.
fn make(closed: &Closed, name: &str, scheduler: Scheduler, world: &World) -> Result<UnattendedIdentity, Failure> {
    let identity = identity::generate();
    let public = identity::recipient(&identity).expect("generate makes age identities");
    let kept = keep(&identity, &public, name, scheduler, world).inspect_err(|_| {
        if let Ok(Some(half)) = kept(world) {
            let _ = discard(Some(half.keeper), world);
        }
    })?;
    let stamp = world.stamp();
    let new = Recipient::new(name, RecipientKind::X25519, public, stamp.now, &stamp.writer);
    recipient::save_new(closed, &new, &stamp).inspect_err(|failure| {
        if !matches!(failure, Failure::NotDurable(_)) {
            let _ = discard(Some(kept.keeper), world);
        }
    })?;
    Ok(kept)
}

fn is_at_hand(kept: &UnattendedIdentity, world: &World) -> bool {
    let file = identity_file(&world.paths.state, kept.keeper);
    file.is_none_or(|path| world.disk.status_at(&path).is_ok_and(|found| found.is_some()))
}

/// Another machine that opens the vault may have the same name, or one with the same letters in it.
fn free_name(recipients: &[Recipient]) -> String {
    let usual = usual_name();
    let others = (2..).map(|number| format!("{usual}-{number}"));
    let is_free = |name: &String| !recipients.iter().any(|one| one.name == *name);
    std::iter::once(usual.clone()).chain(others).find(is_free).expect("the numbers do not end")
}

/// A recipient's name has the letters of a profile's, and its length; a number may follow.
fn usual_name() -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || "_.-".contains(*c);
    let host: String = process::host_name().chars().filter(fits).take(48).collect();
    if host.is_empty() { "unattended".to_owned() } else { format!("unattended-{host}") }
}

/// A copy of the folder would be a copy of both.
fn check_place(world: &World) -> Result<(), ScheduleError> {
    let resolved = |path| world.disk.resolve(path).ok();
    let (vault, state) = (resolved(&world.paths.vault), resolved(&world.paths.state));
    let together =
        vault.as_deref().and_then(|vault| vault.parent()).is_some_and(|folder| Some(folder) == state.as_deref());
    if together { Err(ScheduleError::BesideTheVault(world.paths.state.clone())) } else { Ok(()) }
}

fn confirm() -> Result<(), Failure> {
    confirming::confirm_in_full("Type yes if that is what you want: ", Need::Confirmation { flag: "--yes" })
}

fn keep(
    identity: &IdentityText,
    recipient: &str,
    name: &str,
    scheduler: Scheduler,
    world: &World,
) -> Result<UnattendedIdentity, Failure> {
    let kept = |keeper| UnattendedIdentity {
        name: name.to_owned(),
        recipient: recipient.to_owned(),
        keeper,
        made: world.now(),
    };
    let save = |kept: UnattendedIdentity| {
        let saved = kept.save(world.disk, &world.paths.state).map_err(|error| in_state(error, world));
        saved.map(|()| kept)
    };
    if scheduler == Scheduler::Launchd
        && let Some(security) = Tool::find_optional("security", world)
    {
        let kept = save(kept(Keeper::Keychain))?;
        put_into_keychain(&security, identity)?;
        return Ok(kept);
    }
    let encrypted = match scheduler {
        Scheduler::Systemd => encrypted_by_systemd(identity, world),
        Scheduler::Launchd | Scheduler::Cron => None,
    };
    let (keeper, text) = match &encrypted {
        Some(text) => (Keeper::Systemd, text.as_str()),
        None => (Keeper::File, identity.expose()),
    };
    let kept = save(kept(keeper))?;
    if let Some(path) = identity_file(&world.paths.state, keeper) {
        secret_file::write(world, &path, &Zeroizing::new(format!("{text}\n")))?;
    }
    Ok(kept)
}

/// None where this systemd does not, or not for users.
fn encrypted_by_systemd(identity: &IdentityText, world: &World) -> Option<String> {
    let version = Systemd::new(world).version()?;
    if version < CREDENTIALS_SINCE {
        return None;
    }
    let creds = Tool::find_optional("systemd-creds", world)?;
    let name = format!("--name={CREDENTIAL}");
    let text = creds.tell(&["encrypt", "--user", &name, "-", "-"], identity.expose().as_bytes()).ok()?;
    let text = String::from_utf8(text).ok()?;
    // A tool that gives back what it got has encrypted nothing.
    (!text.trim().is_empty() && !text.contains(identity.expose())).then(|| text.trim_end().to_owned())
}

/// By its standard input: an argument could be read by every user of the machine.
fn put_into_keychain(security: &Tool, identity: &IdentityText) -> Result<(), ScheduleError> {
    let text = identity.expose();
    let command = Zeroizing::new(format!("add-generic-password -U -s {CREDENTIAL} -a {KEYCHAIN_ACCOUNT} -w {text}\n"));
    security.tell(&["-i"], command.as_bytes())?;
    // It ends well also where a command of its input did not.
    let found =
        Zeroizing::new(security.tell(&["find-generic-password", "-s", CREDENTIAL, "-a", KEYCHAIN_ACCOUNT, "-w"], b"")?);
    if found.trim_ascii() == text.as_bytes() { Ok(()) } else { Err(ScheduleError::NotKept) }
}

/// The recipient, then the identity. Gives whether there was one.
pub fn take_back(confirmed: bool, world: &World) -> Result<bool, Failure> {
    let (recipient, keeper) = match kept(world) {
        Ok(None) => return Ok(false),
        Ok(Some(kept)) => (Some(kept.recipient), Some(kept.keeper)),
        Err(error) if error.is_made_anew() => (recipient_of_file(world), None),
        Err(error) => return Err(error.into()),
    };
    match &recipient {
        Some(recipient) => remove_recipient(recipient, confirmed, world)?,
        None => words::which_recipient_is_not_known(world),
    }
    discard(keeper, world)?;
    words::unattended_taken_back(world);
    Ok(true)
}

/// Lets it open the vault no longer; one that is gone is no failure.
fn remove_recipient(recipient: &str, confirmed: bool, world: &World) -> Result<(), Failure> {
    match recipient::remove(Which::Public(recipient), confirmed, world) {
        // With the vault went what the identity opened.
        Err(
            Failure::Recipient(RecipientFailure::Unknown(_)) | Failure::Load(LoadError::Missing | LoadError::Gone(_)),
        ) => Ok(()),
        Err(Failure::NoVaultBesideKeys { .. }) => Ok(()),
        other => other,
    }
}

/// None: who keeps it is not known.
fn discard(keeper: Option<Keeper>, world: &World) -> Result<(), ScheduleError> {
    if keeper.is_none_or(|keeper| keeper == Keeper::Keychain)
        && let Some(security) = Tool::find_optional("security", world)
    {
        // It may not be there.
        security.ask(&["delete-generic-password", "-s", CREDENTIAL, "-a", KEYCHAIN_ACCOUNT], b"")?;
    }
    UnattendedIdentity::forget(world.disk, &world.paths.state).map_err(|error| in_state(error, world))
}

/// Where the identity is, as people are shown it.
pub fn place(kept: &UnattendedIdentity, world: &World) -> String {
    match identity_file(&world.paths.state, kept.keeper) {
        Some(path) => shown_path(world.paths.shown(&path).as_ref()),
        None => "the Keychain".to_owned(),
    }
}
