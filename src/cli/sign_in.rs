//! From a profile's name to a session: the cached one, or one that AWS makes. What `login`, `env`, `exec` and `get` share.

use std::cell::LazyCell;
use std::time::Duration;

use crate::aws::Aws;
use crate::log::Act;
use crate::names::{Endpoints, ProfileName};
use crate::session::{CodeAsker, Errand, Issued, Issuer, LazyAws, NeedsVault, PATIENCE};

use super::code_asker::{Asker, AsksNobody};
use super::expired;
use super::failure::{Failure, Need};
use super::refused_key::RefusedKey;
use super::report;
use super::resolved::{About, Resolved};
use super::role_maximum::RoleMaximum;
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

/// A session at hand.
pub struct SignedIn {
    pub about: About,
    pub issued: Issued,
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
    let (resolved, _) = Resolved::of(name, args, world).map_err(|failure| locked(failure, why))?;
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

impl SignedIn {
    /// Calls AWS where the session was made.
    pub fn aws(&self, world: &World) -> Result<Aws, Failure> {
        let endpoint_url = self.issued.record.ladder.endpoint_url.as_deref();
        let endpoints = Endpoints::from_environment(&world.environment, endpoint_url)?;
        Ok(Aws::with_ca_bundle(self.about.call_region.clone(), endpoints, world.ca_bundle()?))
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
    world.log(&issued.record.event(if issued.reused { Act::Reused } else { Act::Issued }, name));
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
