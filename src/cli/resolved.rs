//! A profile resolved to all that getting its session takes, from the vault and `~/.aws/config`. Everything that can be wrong with
//! either is found here, before a code is asked.

use std::rc::Rc;
use std::time::Duration;

use crate::aws::Aws;
use crate::aws_files::config::ConfigFile;
use crate::credentials::AccessKey;
use crate::names::{Endpoints, MfaSerial, ProfileName, Region, RoleArn};
use crate::rotate::due::{KeyDue, due_of};
use crate::rotate::pool::CallPlace;
use crate::rotate::rules::Rules;
use crate::session::{Cache, Chain, ChainError, Ladder, Sources, Stamps};
use crate::store::document::{Document, RotateOnLogin};
use crate::store::vault::{Closed, Vault};

use super::failure::Failure;
use super::names_given;
use super::opening;
use super::session_records;
use super::settings;
use super::sign_in_args::SignInArgs;
use super::world::World;

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

/// The vault is closed again.
pub struct Resolved<'a> {
    pub about: About,
    pub config: Rc<ConfigFile>,
    pub(super) endpoints: Endpoints,
    /// Whether the profile itself has the key.
    pub(super) is_user: bool,
    pub(super) ladder: Ladder,
    pub(super) key: AccessKey,
    /// How old the key is, and what is pending of it.
    pub key_due: Option<KeyDue>,
    pub rotate_on_login: RotateOnLogin,
    /// How old a session with MFA may be to change keys.
    pub(super) mfa_max_age: Duration,
    pub(super) cache: Cache<'a>,
    pub(super) stamps: Stamps,
}

impl<'a> Resolved<'a> {
    /// Opens the vault and resolves the profile.
    ///
    /// Also gives the vault, closed: with the file beside it that is every key in it, so who has no more use for it drops it
    /// before a person is waited for.
    pub fn of(name: Option<ProfileName>, args: &SignInArgs, world: &World<'a>) -> Result<(Self, Closed<'a>), Failure> {
        let (resolved, closed, ()) = Self::with(name, args, world, |_| ())?;
        Ok((resolved, closed))
    }

    /// The same with something else of the vault, which is opened once: a key in hardware may want to be touched for that.
    pub fn with<T>(
        name: Option<ProfileName>,
        args: &SignInArgs,
        world: &World<'a>,
        look: impl FnOnce(&Document) -> T,
    ) -> Result<(Self, Closed<'a>, T), Failure> {
        let vault = opening::open_vault(world)?;
        let name = names_given::or_default(name, vault.document(), world)?;
        let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
        let resolved = Self::in_vault(&vault, config, name, args, world)?;
        let seen = look(vault.document());
        Ok((resolved, vault.close(), seen))
    }

    /// The same for several profiles of the vault, which is opened once.
    pub fn each(names: Vec<ProfileName>, args: &SignInArgs, world: &World<'a>) -> Result<Vec<Self>, Failure> {
        let vault = opening::open_vault(world)?;
        let config = Rc::new(ConfigFile::load(world.disk, &world.paths.aws_config)?);
        names.into_iter().map(|name| Self::in_vault(&vault, config.clone(), name, args, world)).collect()
    }

    /// In a vault that is open.
    pub fn in_vault(
        vault: &Vault<'a>,
        config: Rc<ConfigFile>,
        name: ProfileName,
        args: &SignInArgs,
        world: &World<'a>,
    ) -> Result<Self, Failure> {
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
        Ok(Self {
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
}

impl Resolved<'_> {
    /// The same by another key of the user's, where AWS does not take the profile's own any more.
    pub fn by_key(mut self, key: AccessKey) -> Self {
        self.ladder.access_key_id = key.id.clone();
        self.key = key;
        self
    }

    /// Where STS is asked for the session; None is AWS itself.
    pub fn sts_endpoint(&self) -> Option<String> {
        self.endpoints.sts.as_ref().map(ToString::to_string)
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

    /// Whether the access key signs the call for this role, or for the user's own session.
    pub fn key_signs_for(&self, role: Option<&RoleArn>) -> bool {
        let first = self.ladder.rungs.first().and_then(|rung| rung.role.as_ref());
        role == first.map(|first| &first.role_arn)
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
