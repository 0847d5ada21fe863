//! `vault login`.

mod replaced_key;

use std::collections::BTreeSet;

use crate::aws_files::config::{ConfigFile, ConfigProfile};
use crate::credentials::AccessKey;
use crate::export::config_file;
use crate::export::credentials_file::{self, Prepared, Target};
use crate::export::environment::Variables;
use crate::export::shell::{self, Shell};
use crate::names::ProfileName;
use crate::rotate::due::KeyDue;
use crate::session::{Issued, Note};
use crate::store::vault::Closed;

use super::environment_told;
use super::escape::escape;
use super::expired;
use super::exported;
use super::failure::Failure;
use super::report;
use super::report::configure::section;
use super::resolved::{About, Resolved};
use super::rotate::at_login::{self, Due};
use super::sign_in::{self, Purpose, SignInArgs, SignedIn};
use super::use_line;
use super::warm::{self, Outcome};
use super::world::World;

const EXAMPLES: &str = "\
Examples:
  vault login prod                          12 hours, in [prod] of ~/.aws/credentials
  vault login prod admin                    two at once, with one code
  vault login prod --mfa-code 123456        where nobody can be asked
  vault login admin --duration 4h --force   another session than the one at hand";

/// Sign in: a session by passphrase and MFA code, written to ~/.aws/credentials
///
/// Without NAME it is $AWS_PROFILE, else the setting default_profile, else the only profile there is, else you are asked. A
/// session that is still good is used again, without a code; profiles of the same user share one code. Of a profile with a
/// credential_process in ~/.aws/config the session is only cached, unless --profile says where to write it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The profile, or several
    #[arg(value_name = "NAME")]
    names: Vec<ProfileName>,
    /// Write the session to this section of ~/.aws/credentials [default: the profile's name]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_export", "env"])]
    profile: Option<ProfileName>,
    /// Only cache the session
    #[arg(long)]
    no_export: bool,
    /// Print variables for a shell instead of writing a file: eval "$(vault login prod --env)"
    #[arg(long, conflicts_with = "no_export")]
    env: bool,
    /// With --env: for which shell, as in `vault env --help`
    #[arg(long, default_value = "sh", requires = "env", hide_possible_values = true)]
    shell: Shell,
    /// Replace another long-term key in that section, after saving it in the vault
    #[arg(long, conflicts_with_all = ["no_export", "env"])]
    replace_long_term: bool,
    /// Then rotate the profile's access key if that is due, with the same code
    #[arg(long)]
    rotate: bool,
    /// Write the profile's region to ~/.aws/config where it has none
    #[arg(long)]
    write_region: bool,
    #[command(flatten)]
    sign_in: SignInArgs,
}

pub fn run(args: Args, world: &World) -> Result<(), Failure> {
    match &args.names[..] {
        [] => one(&args, None, world),
        [name] => one(&args, Some(name), world),
        names => several(&args, names, world),
    }
}

fn one(args: &Args, name: Option<&ProfileName>, world: &World) -> Result<(), Failure> {
    if let Some(at_hand) = AtHand::of(args, name, world)? {
        return at_hand.hand_out(args, world);
    }
    let (resolved, vault) = Resolved::of(name.cloned(), &args.sign_in, world)?;
    let due = at_login::due(&resolved, args.rotate, world);
    // Kept only where something is to be saved in it afterwards: it must not lie open beside the prompt for a code.
    let vault = (args.replace_long_term || matches!(due, Due::Asked | Due::ByItself | Due::Done)).then_some(vault);
    let login = Login::of(&resolved, args, world);
    let exports = login.exports()?;
    let issued = sign_in::issue(&resolved, &args.sign_in, Purpose::Login, world)?;
    login.finish(exports, vault.as_ref().filter(|_| args.replace_long_term), &issued)?;
    // The session first: who is in a hurry has it, whatever comes of the key.
    let rotated =
        vault.map(|vault| at_login::after_login(&resolved, due, !issued.reused, &vault, world)).transpose()?;
    match (rotated, due) {
        (Some(true), _) => {}
        (_, Due::Nothing) if args.rotate => world.say(&format!("{}: its key is not due", resolved.user())),
        _ => resolved.key_due.iter().for_each(|key| warn_about_age(key, resolved.user(), world)),
    }
    Ok(())
}

/// Whatever can be wrong with any of them is found before the first code is asked for. After that each is for itself: what
/// AWS refuses one is no reason to keep the others waiting for another code.
fn several(args: &Args, names: &[ProfileName], world: &World) -> Result<(), Failure> {
    if let Some(flag) = args.for_one_only() {
        return Err(Failure::ForOneProfile { flag });
    }
    let mut cold: Vec<ProfileName> = Vec::new();
    let mut warm: Vec<&ProfileName> = Vec::new();
    let mut seen = BTreeSet::new();
    for name in names.iter().filter(|name| seen.insert(*name)) {
        // Looked at, and not kept: a person may be asked for the passphrase before it is handed out, and `lock` be run meanwhile.
        match warm::sign_in(Some(name), &args.sign_in, Purpose::Login, world)? {
            Outcome::SignedIn(_) => warm.push(name),
            Outcome::Cold(_) => cold.push(name.clone()),
        }
    }
    let mut resolved = resolve(cold, args, world)?;
    let mut gone = Vec::new();
    for name in warm {
        match AtHand::of(args, Some(name), world)? {
            Some(at_hand) => at_hand.hand_out(args, world)?,
            None => gone.push(name.clone()),
        }
    }
    resolved.extend(resolve(gone, args, world)?);
    let exports = resolved.iter().map(|resolved| Login::of(resolved, args, world).exports());
    let exports = exports.collect::<Result<Vec<bool>, Failure>>()?;
    let (mut failed, mut due) = (Vec::new(), Vec::new());
    // Each with its key is gone before the next has its person asked.
    for (resolved, exports) in resolved.into_iter().zip(exports) {
        let issued = sign_in::issue(&resolved, &args.sign_in, Purpose::Login, world);
        if let Err(failure) = issued.and_then(|issued| Login::of(&resolved, args, world).finish(exports, None, &issued))
        {
            failed.push((resolved.about.name.clone(), failure));
        }
        due.extend(resolved.key_due.clone().map(|key| (key, resolved.user().clone())));
    }
    let mut told = BTreeSet::new();
    for (key, user) in due.iter().filter(|(key, _)| told.insert(key.key.clone())) {
        warn_about_age(key, user, world);
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Several(failed)) }
}

/// The vault stays closed where there are none.
fn resolve<'a>(names: Vec<ProfileName>, args: &Args, world: &World<'a>) -> Result<Vec<Resolved<'a>>, Failure> {
    if names.is_empty() { Ok(Vec::new()) } else { Resolved::each(names, &args.sign_in, world) }
}

/// Of a key that is older than its owner wants keys to be. Last, so that it is read.
fn warn_about_age(key: &KeyDue, user: &ProfileName, world: &World) {
    let now = world.clock.now();
    if let Some(limit) = key.overdue(now) {
        report::due::old_key(world, key, limit, user, now);
    }
}

/// A session that is good still, where the vault can stay closed for it.
struct AtHand {
    signed_in: Box<SignedIn>,
    config: ConfigFile,
    exports: bool,
}

impl AtHand {
    fn of(args: &Args, name: Option<&ProfileName>, world: &World) -> Result<Option<Self>, Failure> {
        let Outcome::SignedIn(signed_in) = warm::sign_in(name, &args.sign_in, Purpose::Login, world)? else {
            return Ok(None);
        };
        let knows_the_place =
            args.no_export || args.env || args.profile.is_some() || signed_in.about.destination.is_some();
        if args.replace_long_term || args.rotate || !knows_the_place {
            return Ok(None);
        }
        let config = ConfigFile::load(world.disk, &world.paths.aws_config)?;
        let mut at_hand = Self { signed_in, config, exports: false };
        // Whether a long-term key that stands there is in the vault, the vault has to say.
        let Ok(exports) = at_hand.login(args, world).exports() else { return Ok(None) };
        at_hand.exports = exports;
        Ok(Some(at_hand))
    }

    fn login<'a, 'w>(&'a self, args: &'a Args, world: &'a World<'w>) -> Login<'a, 'w> {
        let about = &self.signed_in.about;
        Login { target: args.target(about), about, config: &self.config, own_key: None, args, world }
    }

    fn hand_out(&self, args: &Args, world: &World) -> Result<(), Failure> {
        let SignedIn { about, issued } = &*self.signed_in;
        sign_in::tell(&about.name, issued, world);
        self.login(args, world).finish(self.exports, None, issued)
    }
}

impl Args {
    /// The section to write to.
    fn target(&self, about: &About) -> ProfileName {
        self.profile.as_ref().or(about.destination.as_ref()).unwrap_or(&about.name).clone()
    }

    /// What makes sense for a single profile only, if it was said.
    fn for_one_only(&self) -> Option<&'static str> {
        let said = [
            ("--profile", self.profile.is_some()),
            ("--env", self.env),
            ("--rotate", self.rotate),
            ("--replace-long-term", self.replace_long_term),
        ];
        said.into_iter().find_map(|(flag, said)| said.then_some(flag))
    }
}

/// What a login goes by, once the profile is resolved.
struct Login<'a, 'w> {
    args: &'a Args,
    about: &'a About,
    config: &'a ConfigFile,
    /// The access key that the vault holds under the profile's very name, where that is known.
    own_key: Option<&'a AccessKey>,
    target: ProfileName,
    world: &'a World<'w>,
}

impl<'a, 'w> Login<'a, 'w> {
    fn of(resolved: &'a Resolved, args: &'a Args, world: &'a World<'w>) -> Self {
        let (about, config) = (&resolved.about, &resolved.config);
        Self { target: args.target(about), about, config, own_key: resolved.own_key(), args, world }
    }

    /// Whether the session is to be written. Whatever speaks against it is said before a code is spent.
    fn exports(&self) -> Result<bool, Failure> {
        if self.about.protected {
            return self.exports_nothing();
        }
        let exports = !self.args.no_export && !self.args.env && self.is_to_be_written()?;
        if exports {
            environment_told::warn_about_environment(self.world);
        }
        Ok(exports)
    }

    fn exports_nothing(&self) -> Result<bool, Failure> {
        let name = &self.about.name;
        if self.args.env || self.args.profile.is_some() {
            return Err(Failure::Protected(name.clone()));
        }
        if !self.args.no_export {
            self.world.say(&format!("{name}: protected, so the session is only cached"));
        }
        Ok(false)
    }

    /// What was written before the profile was protected.
    fn take_back(&self, issued: &Issued) -> Result<(), Failure> {
        let Self { about, world, .. } = self;
        let sessions = [issued.credentials().access_key_id.clone()];
        let removed = exported::take_out(&about.name, about.destination.as_ref(), &sessions, world)?;
        exported::say_removed(&removed, "", world);
        Ok(())
    }

    fn finish(&self, exports: bool, vault: Option<&Closed>, issued: &Issued) -> Result<(), Failure> {
        let Self { args, about, world, .. } = *self;
        report::say_signed_in(&about.name, issued, world);
        if args.env {
            let variables = Variables::of_session(issued.credentials(), about.region.as_ref(), &about.name);
            return world.print(&shell::render(args.shell, &variables)?);
        }
        if exports {
            self.write(vault, issued)?;
        }
        if about.protected {
            self.take_back(issued)?;
        }
        // Afterwards: its own section is renewed rather than taken away and written again.
        expired::sweep(world, &issued.record);
        match exports {
            true => self.say_use(&self.target),
            false if self.asks_us()? => self.say_use(&about.name),
            false => {
                world.say(&format!("use: vault exec {} -- COMMAND", about.name));
                Ok(())
            }
        }
    }

    /// Whether the profile was configured to have AWS tools ask this program.
    fn asks_us(&self) -> Result<bool, Failure> {
        Ok(self.config.profile(&self.about.name)?.is_some_and(ConfigProfile::asks_us))
    }

    /// A profile that has a `credential_process` is one whose credentials AWS tools get from that command; a section of the
    /// same name would stop them asking it.
    fn is_to_be_written(&self) -> Result<bool, Failure> {
        let Self { args, about, target, world, .. } = self;
        match self.prepared()?.shadows_credential_process() {
            Some(line) if args.profile.is_none() && *target == about.name => {
                let config = escape(&world.paths.shown(&world.paths.aws_config));
                if self.asks_us()? {
                    world.say(&format!(
                        "{target}: AWS tools ask this vault for the session ({config}:{line}), so it is written nowhere"
                    ));
                    return Ok(false);
                }
                world.say(&format!(
                    "{target}: only cached, since AWS tools ask the credential_process of {} ({config}:{line})",
                    section(target)
                ));
                world.hint(&format!("`vault login {target} --profile {target}` writes the session all the same"));
                Ok(false)
            }
            _ => Ok(true),
        }
    }

    fn prepared(&self) -> Result<Prepared<'_>, Failure> {
        let target = Target {
            name: &self.target,
            vault_key: self.own_key.filter(|_| self.target == self.about.name),
            replace_long_term: self.args.replace_long_term,
        };
        Ok(credentials_file::prepare(self.world.disk, &self.world.paths.aws_credentials, self.config, target)?)
    }

    fn write(&self, vault: Option<&Closed>, issued: &Issued) -> Result<(), Failure> {
        let Self { args, target, world, .. } = self;
        let prepared = self.prepared()?;
        let replaced = prepared.replaces().cloned();
        if prepared.shadows_credential_process().is_some() {
            world.warn(&format!(
                "{} has a credential_process; most AWS tools take the written session before it",
                section(target)
            ));
        }
        if let (Some(key), Some(vault)) = (replaced, vault) {
            replaced_key::save(&key, target, vault, world)?;
        }
        prepared.commit(world.disk, issued.credentials()).inspect_err(|_| {
            if !issued.notes.iter().any(|note| matches!(note, Note::NotCached { .. })) {
                world.say("the session itself is kept: trying again takes no new code");
            }
        })?;
        if args.write_region { self.write_region() } else { Ok(()) }
    }

    fn write_region(&self) -> Result<(), Failure> {
        let Self { about, target, world, .. } = self;
        let Some(region) = &about.region else {
            world.warn("no region is written: nothing says which");
            world.hint(&format!("`vault set {} region=REGION`, then the same command again", about.name));
            return Ok(());
        };
        if config_file::add_region(world.disk, &world.paths.aws_config, target, region)? {
            world.say(&format!("wrote region = {region}"));
        }
        Ok(())
    }

    fn say_use(&self, profile: &ProfileName) -> Result<(), Failure> {
        let Self { about, config, world, .. } = self;
        let written = self.args.write_region && about.region.is_some();
        let known = written || use_line::tools_know_a_region(profile, config, world)?;
        world.say(&use_line::of(profile, Some(&about.call_region).filter(|_| !known)));
        if !self.args.write_region && !known {
            report::hint_region(world, &about.name, profile, about.region.is_some());
        }
        Ok(())
    }
}
