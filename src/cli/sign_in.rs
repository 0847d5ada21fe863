//! From a profile's name to a session: unlock, resolve the chain, and take the cached session or have AWS make one. What
//! `login`, `env`, `exec` and `get` share.

use std::cell::LazyCell;
use std::rc::Rc;
use std::time::Duration;

use crate::aws::{Aws, Endpoints};
use crate::aws_files::config::ConfigFile;
use crate::credentials::AccessKey;
use crate::log::{Act, Event};
use crate::names::{MfaSerial, ProfileName, Region, RoleArn};
use crate::rotate::due::{KeyDue, due_of};
use crate::rotate::pool::CallPlace;
use crate::rotate::rules::Rules;
use crate::session::{
    Cache, Chain, ChainError, CodeAsker, Errand, Issued, Issuer, Ladder, LazyAws, NeedsVault, PATIENCE, Sources, Stamps,
};
use crate::store::document::{Document, RotateOnLogin};
use crate::store::vault::{Closed, Vault};

use super::code_asker::{Asker, AsksNobody};
use super::expired;
use super::failure::{Failure, Need};
use super::names_given;
use super::opening;
use super::refused_key::RefusedKey;
use super::report;
use super::role_maximum::RoleMaximum;
use super::session_records;
use super::settings;
pub use super::sign_in_args::{ChangeArgs, SignInArgs};
use super::warm::{self, Outcome};
use super::world::World;

/// Who asks for the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A person who is there now: a session in its last hour is renewed while they are.
    Login,
    /// A program or a person that is given one.
    Use,
    /// This program itself, for a call of its own or a command that it starts.
    Inside,
    /// A person who changes keys or devices at IAM.
    Change,
    /// A program that asks behind its person's back, and is given up on.
    Process,
    /// This program itself, for those that it serves. Whether the profile may be served was asked before.
    Renewal,
}

impl Purpose {
    /// How long another caller that is getting the same session is waited for.
    pub fn patience(self) -> Duration {
        match self {
            Self::Login | Self::Use | Self::Inside | Self::Change => PATIENCE,
            Self::Process => Duration::from_secs(60),
            // It has other things to hear of, and tries again.
            Self::Renewal => Duration::ZERO,
        }
    }

    /// The session of a protected profile goes to `exec` alone, and lies nowhere that others read.
    pub fn check_protected(self, name: &ProfileName, protected: bool) -> Result<(), Failure> {
        match self {
            Self::Use | Self::Process if protected => Err(Failure::Protected(name.clone())),
            _ => Ok(()),
        }
    }
}

/// What goes with a profile's session.
pub struct About {
    pub name: ProfileName,
    /// The caller's, else the profile's own.
    pub region: Option<Region>,
    /// Where `login` writes the session; a profile that names nothing else has its own name. None: not known without the vault.
    pub destination: Option<ProfileName>,
    /// Where our own calls go, also when no region is set.
    pub call_region: Region,
    /// Whether the session is for `exec` alone.
    pub protected: bool,
}

/// A session at hand.
pub struct SignedIn {
    pub about: About,
    pub issued: Issued,
}

/// A profile resolved to all that getting its session takes; the vault is closed again.
pub struct Resolved<'a> {
    pub about: About,
    pub config: Rc<ConfigFile>,
    endpoints: Endpoints,
    /// Whether the profile itself has the key.
    is_user: bool,
    ladder: Ladder,
    key: AccessKey,
    /// How old the key is, and what is pending of it.
    pub key_due: Option<KeyDue>,
    pub rotate_on_login: RotateOnLogin,
    /// How old a session with MFA may be to change keys.
    mfa_max_age: Duration,
    cache: Cache<'a>,
    stamps: Stamps,
}

/// The profile's session, by whichever way is the shortest.
pub fn sign_in(
    name: Option<ProfileName>,
    args: &SignInArgs,
    purpose: Purpose,
    world: &World,
) -> Result<SignedIn, Failure> {
    let why = match warm::sign_in(name.as_ref(), args, purpose, world)? {
        Outcome::SignedIn(signed_in) => {
            tell(&signed_in.about.name, &signed_in.issued, world);
            return Ok(*signed_in);
        }
        Outcome::Cold(why) => why,
    };
    let (resolved, _) = resolve(name, args, world).map_err(|failure| locked(failure, why))?;
    purpose.check_protected(&resolved.about.name, resolved.about.protected)?;
    let issued = issue(&resolved, args, purpose, world)?;
    Ok(SignedIn { about: resolved.about, issued })
}

/// Where a cached session would have done, a vault that stays closed is told with the reason why it did not.
fn locked(failure: Failure, why: Option<(ProfileName, NeedsVault)>) -> Failure {
    match (failure, why) {
        (Failure::NoTerminal(Need::Passphrase), Some((name, why))) => {
            Failure::NoTerminal(Need::Unlock(name, Some(why)))
        }
        (failure, _) => failure,
    }
}

/// Opens the vault and resolves the profile. Everything that can be wrong with either is found here, before a code is asked.
///
/// Also gives the vault, closed: with the file beside it that is every key in it, so who has no more use for it drops it
/// before a person is waited for.
pub fn resolve<'a>(
    name: Option<ProfileName>,
    args: &SignInArgs,
    world: &World<'a>,
) -> Result<(Resolved<'a>, Closed<'a>), Failure> {
    let vault = opening::open_vault(world)?;
    let name = names_given::or_default(name, vault.document(), world)?;
    let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
    let resolved = resolve_in(&vault, config, name, args, world)?;
    Ok((resolved, vault.close()))
}

/// The same for several profiles of the vault that is opened once.
pub fn resolve_each<'a>(
    names: Vec<ProfileName>,
    args: &SignInArgs,
    world: &World<'a>,
) -> Result<Vec<Resolved<'a>>, Failure> {
    let vault = opening::open_vault(world)?;
    let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
    names.into_iter().map(|name| resolve_in(&vault, config.clone(), name, args, world)).collect()
}

/// In a vault that is open.
pub fn resolve_in<'a>(
    vault: &Vault<'a>,
    config: Rc<ConfigFile>,
    name: ProfileName,
    args: &SignInArgs,
    world: &World<'a>,
) -> Result<Resolved<'a>, Failure> {
    let document = vault.document();
    let options = args.options(world)?;
    let mut chain = chain(&name, document, &config)?;
    if let Some(role) = &options.role_arn {
        chain = chain.assuming(role.clone());
    }
    let named_region = settings::named_region(world)?;
    let endpoints = Endpoints::from_environment(&world.environment, chain.user.endpoint_url.as_deref())?;
    let ladder = Ladder::of(&chain, &options, endpoints.sts.as_ref())?;
    let user = &chain.user.profile;
    let stored = names_given::in_vault(document, user)?;
    let rules = Rules::of(stored, &document.settings);
    let key = stored.access_key.as_ref().ok_or_else(|| Failure::NoAccessKey(user.clone()))?.access_key();
    let about = About {
        region: named_region.clone().or_else(|| chain.region().map(|region| region.value.clone())),
        destination: Some(destination(document, &config, &name)?.unwrap_or_else(|| name.clone())),
        call_region: chain.call_region(named_region.as_ref()),
        protected: ladder.rungs[ladder.last()].protected,
        name,
    };
    Ok(Resolved {
        stamps: Stamps::of(&vault.version().status, &chain, &config, world.clock.now()),
        is_user: *user == about.name,
        cache: session_records::cache(world, document)?,
        about,
        config,
        endpoints,
        ladder,
        key_due: due_of(document, &key.id),
        rotate_on_login: rules.on_login,
        mfa_max_age: rules.mfa_max_age,
        key,
    })
}

impl SignedIn {
    /// Calls AWS where the session was made.
    pub fn aws(&self, world: &World) -> Result<Aws, Failure> {
        let endpoint_url = self.issued.record.ladder.endpoint_url.as_deref();
        let endpoints = Endpoints::from_environment(&world.environment, endpoint_url)?;
        Ok(Aws::with_ca_bundle(self.about.call_region.clone(), endpoints, world.ca_bundle()?))
    }
}

impl Resolved<'_> {
    /// The same by another key of the user's, where AWS does not take the profile's own any more.
    pub fn by_key(mut self, key: AccessKey) -> Self {
        self.ladder.access_key_id = key.id.clone();
        self.key = key;
        self
    }

    /// Calls AWS where the session is made.
    pub fn aws(&self, world: &World) -> Result<Aws, Failure> {
        let (region, endpoints) = (self.about.call_region.clone(), self.endpoints.clone());
        Ok(Aws::with_ca_bundle(region, endpoints, world.ca_bundle()?))
    }

    /// Where the session is made.
    pub fn call_place(&self) -> CallPlace {
        CallPlace { region: self.about.call_region.clone(), endpoints: self.endpoints.clone() }
    }

    /// The role that the profile is for.
    pub fn role(&self) -> Option<&RoleArn> {
        self.ladder.rungs[self.ladder.last()].role.as_ref().map(|role| &role.role_arn)
    }

    /// By GetCallerIdentity, where the key was ever checked.
    pub fn user_arn(&self) -> Option<&str> {
        self.ladder.user_arn.as_deref()
    }

    /// How long the profile's session is to be.
    pub fn seconds(&self) -> u32 {
        self.ladder.rungs[self.ladder.last()].seconds()
    }

    /// Whether a code goes into one of the calls for the session.
    pub fn has_mfa(&self) -> bool {
        self.ladder.request(self.ladder.last()).serial.is_some()
    }

    /// The profile whose key signs first.
    pub fn user(&self) -> &ProfileName {
        &self.ladder.user
    }

    /// That signs first.
    pub fn key(&self) -> &AccessKey {
        &self.key
    }

    /// The device whose codes make the first session.
    pub fn device(&self) -> Option<&MfaSerial> {
        self.ladder.rungs.first().and_then(|rung| rung.device.as_ref()).map(|device| &device.serial)
    }

    /// The access key that the vault holds under this very name.
    pub fn own_key(&self) -> Option<&AccessKey> {
        self.is_user.then_some(&self.key)
    }
}

/// The profiles between this one and its access key; an unknown name comes with a suggestion.
pub fn chain(name: &ProfileName, document: &Document, config: &ConfigFile) -> Result<Chain, Failure> {
    Chain::of(name, &Sources::new(document, config)).map_err(|error| match error {
        ChainError::Missing { profile, named_by: None } => names_given::known_nowhere(&profile, document, config),
        ChainError::Missing { profile, named_by: Some(by) } => {
            Failure::UnknownSource { suggestion: names_given::alike_anywhere(&profile, document, config), profile, by }
        }
        other => other.into(),
    })
}

/// Where `login` writes, if not to the profile's own name.
fn destination(document: &Document, config: &ConfigFile, name: &ProfileName) -> Result<Option<ProfileName>, Failure> {
    let of_vault = document.profiles.get(name).and_then(|profile| profile.destination_profile.clone());
    let of_config =
        || Ok::<_, Failure>(config.profile(name)?.map(|profile| profile.destination_profile()).transpose()?.flatten());
    match of_vault {
        Some(destination) => Ok(Some(destination)),
        None => Ok(of_config()?.map(|setting| setting.value)),
    }
}

/// Gets the session, and tells the person what they should know about it.
pub fn issue(resolved: &Resolved, args: &SignInArgs, purpose: Purpose, world: &World) -> Result<Issued, Failure> {
    issue_by(&mut Asker::new(world, args), resolved, args, purpose, world)
}

/// A new session where that takes no code, else the one that is at hand.
pub fn renew(resolved: &Resolved, world: &World) -> Result<Issued, Failure> {
    let takes_a_code = resolved.ladder.rungs[resolved.ladder.last()].device.is_some();
    issue_by(&mut AsksNobody, resolved, &SignInArgs::renewing(!takes_a_code), Purpose::Inside, world)
}

/// A session that is left from before, if there is one.
pub fn left(resolved: &Resolved, world: &World) -> Option<Issued> {
    issue_by(&mut AsksNobody, resolved, &SignInArgs::default(), Purpose::Inside, world).ok()
}

/// The same, where the code comes from `asker`.
pub fn issue_by(
    asker: &mut dyn CodeAsker,
    resolved: &Resolved,
    args: &SignInArgs,
    purpose: Purpose,
    world: &World,
) -> Result<Issued, Failure> {
    let about = &resolved.about;
    let (region, endpoints) = (about.call_region.clone(), resolved.endpoints.clone());
    let ca_bundle = world.ca_bundle()?;
    let aws: LazyAws = LazyCell::new(Box::new(move || Aws::with_ca_bundle(region, endpoints, ca_bundle)));
    let patience = purpose.patience();
    let mut issuer = Issuer { cache: &resolved.cache, aws: &aws, clock: world.clock, asker, patience };
    let errand = Errand {
        ladder: &resolved.ladder,
        freshness: args.freshness(purpose, resolved.mfa_max_age, world),
        key: Some(&resolved.key),
        same_key: resolved.key_due.as_ref().map_or(&[], |key| &key.profiles),
        destination: about.destination.as_ref(),
        stamps: &resolved.stamps,
    };
    let issued = issuer.issue(&errand).map_err(|error| {
        RoleMaximum::named(&error, &resolved.ladder, &resolved.key, &aws)
            .or_else(|| RefusedKey::named(&error, resolved))
            .unwrap_or_else(|| Failure::Issue { profile: about.name.clone(), error })
    })?;
    // Not while a cached session is handed out: that takes a millisecond.
    if !issued.reused && purpose != Purpose::Login {
        expired::sweep(world, &issued.record);
    }
    tell(&about.name, &issued, world);
    Ok(issued)
}

/// The person hears what they should know, and the log what was handed out.
pub fn tell(name: &ProfileName, issued: &Issued, world: &World) {
    for note in &issued.notes {
        report::session_note(world, note);
    }
    world.log(&event(name, issued));
}

/// What the log has of it.
pub fn event<'a>(name: &'a ProfileName, issued: &'a Issued) -> Event<'a> {
    Event {
        act: if issued.reused { Act::Reused } else { Act::Issued },
        profile: Some(name),
        access_key: Some(&issued.record.ladder.access_key_id),
        role: issued.record.role().map(RoleArn::as_str),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_behind_a_persons_back_waits_for_a_minute_at_most() {
        assert_eq!(Purpose::Process.patience(), Duration::from_secs(60));
        assert!(
            [Purpose::Login, Purpose::Use, Purpose::Inside, Purpose::Change]
                .into_iter()
                .all(|purpose| purpose.patience() == PATIENCE)
        );
    }

    #[test]
    fn why_a_cached_session_would_not_do_is_told_only_where_nobody_can_open_the_vault() {
        let why = || Some(("prod".parse().unwrap(), NeedsVault::VaultChanged));
        let told = locked(Failure::NoTerminal(Need::Passphrase), why());
        assert!(matches!(told, Failure::NoTerminal(Need::Unlock(_, Some(NeedsVault::VaultChanged)))));
        let told = locked(Failure::NoTerminal(Need::Passphrase), None);
        assert!(matches!(told, Failure::NoTerminal(Need::Passphrase)));
        assert!(matches!(locked(Failure::Declined, why()), Failure::Declined));
    }
}
