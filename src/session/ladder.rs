//! Which STS calls a chain takes, as if nothing were cached. Pure, and complete: every limit that can be known beforehand
//! is checked here, before a person is asked for a code that could then be spent on a refusal.

mod mfa_route;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::chain::{Chain, RoleLink, UserLink};
use super::note::{Cap, NoMfa, Note};
use super::options::{Options, asked};
use super::request::{Asked, Request, RoleRequest, Slot};
use super::role_options::{BadOption, RoleOptions};
use super::sources::{Origin, Sourced};
use crate::names::{AccessKeyId, Endpoint, MfaSerial, ProfileName, Region, RoleArn};

use mfa_route::{mark_taken_serial, mfa_route};

const HOUR: Duration = Duration::from_secs(3600);

/// GetSessionToken's default at AWS too.
pub const USER_DEFAULT: Duration = Duration::from_secs(12 * 3600);
pub const ROLE_DEFAULT: Duration = HOUR;

/// Shorter than this, STS makes no session (STS API reference, GetSessionToken and AssumeRole).
const SHORTEST: Duration = Duration::from_secs(900);
const LONGEST_USER: Duration = Duration::from_secs(129_600);
const LONGEST_ROOT: Duration = HOUR;
const LONGEST_ROLE: Duration = Duration::from_secs(43_200);

/// A role assumed by a session lives for an hour at most (IAM user guide, "Methods to assume a role", role chaining).
pub const LONGEST_CHAINED: Duration = HOUR;

/// Well-known policies deny what is done under an MFA sign-in older than 8 or 12 hours, however long the session lives.
const USUAL_MFA_AGE: Duration = Duration::from_secs(12 * 3600);

/// All calls that lead to the session, as if nothing were cached. A record keeps them, so that its session can be told from
/// another, and be made once more, without the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    pub user: ProfileName,
    pub user_arn: Option<String>,
    pub access_key_id: AccessKeyId,
    /// None is AWS itself.
    pub endpoint: Option<Endpoint>,
    /// What the user's profile says of it, the variables left aside.
    pub endpoint_url: Option<String>,
    /// Where STS is asked if no flag or variable says otherwise.
    pub call_region: Region,
    #[serde(deserialize_with = "at_least_one")]
    pub rungs: Vec<Rung>,
    pub duration_asked: bool,
}

/// One session on the way; each is signed with the one before, the first with the access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    pub slot: Slot,
    /// The profile's own.
    pub region: Option<Region>,
    /// Whether the session is for `exec` alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// None: GetSessionToken. Some: AssumeRole.
    pub role: Option<RoleRequest>,
    pub duration: Duration,
    /// The device whose code goes into this call.
    pub device: Option<Device>,
    /// What to tell when this call is made. Not kept: it was told.
    #[serde(skip)]
    pub notes: Vec<Note>,
}

/// An MFA device and the command that prints its codes, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub serial: MfaSerial,
    /// Not kept: commands come from the opened vault alone.
    #[serde(skip)]
    pub process: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LadderError {
    #[error("{} s is not between {} and {} s", .duration.value.as_secs(), .least.as_secs(), .most.as_secs())]
    Duration { profile: ProfileName, duration: Sourced<Duration>, least: Duration, most: Duration },
    /// More than an hour was asked for by flag.
    #[error("a role assumed from a session lives for an hour at most")]
    ChainingCap { profile: ProfileName, asked: Duration },
    /// GetSessionToken takes no policy, name or tag; a role does.
    #[error("{option} is for roles only")]
    NarrowsUser { profile: ProfileName, option: &'static str },
    #[error(transparent)]
    Option(#[from] BadOption),
    /// None is AWS itself.
    #[error("the key was verified at another endpoint")]
    OtherEndpoint { profile: ProfileName, verified_at: Option<String>, now: Option<String> },
}

impl Ladder {
    pub fn of(chain: &Chain, options: &Options, endpoint: Option<&Endpoint>) -> Result<Self, LadderError> {
        check_endpoint(&chain.user, endpoint)?;
        let rungs = match &chain.roles[..] {
            [] => vec![user_alone(&chain.user, options)?],
            roles => with_roles(&chain.user, roles, options)?,
        };
        Ok(Self {
            user: chain.user.profile.clone(),
            user_arn: chain.user.user_arn.clone(),
            access_key_id: chain.user.access_key_id.clone(),
            endpoint: endpoint.cloned(),
            endpoint_url: chain.user.endpoint_url.clone(),
            call_region: chain.call_region(None),
            rungs,
            duration_asked: options.duration.is_some(),
        })
    }

    pub fn last(&self) -> usize {
        self.rungs.len() - 1
    }

    /// The calls up to this rung, as a record keeps them.
    pub fn up_to(&self, rung: usize) -> Self {
        let kept = |rung: &Rung| Rung {
            device: rung.device.as_ref().map(|device| Device { serial: device.serial.clone(), process: None }),
            notes: Vec::new(),
            ..rung.clone()
        };
        Self {
            rungs: self.rungs[..=rung].iter().map(kept).collect(),
            duration_asked: self.duration_asked && rung == self.last(),
            ..self.clone()
        }
    }

    /// Whether who asks for this rung's profile by itself comes to the same calls. A first role that AWS caps here, where a
    /// session assumes it, gets its code in the call and its whole duration there.
    pub fn stands_alone(&self, rung: usize) -> bool {
        let capped = |note: &Note| matches!(note, Note::Capped { by: Cap::Chaining, .. });
        rung == self.last() || !self.rungs[rung].notes.iter().any(capped)
    }

    /// The whole request behind a rung's session.
    pub fn request(&self, rung: usize) -> Request {
        let so_far = &self.rungs[..=rung];
        Request {
            access_key_id: self.access_key_id.clone(),
            endpoint: self.endpoint.as_ref().map(Endpoint::to_string),
            serial: so_far.iter().find_map(|rung| rung.device.as_ref()).map(|device| device.serial.clone()),
            roles: so_far.iter().filter_map(|rung| rung.role.clone()).collect(),
            duration_seconds: self.rungs[rung].seconds(),
            duration_asked: self.duration_asked && rung == self.last(),
        }
    }

    /// Whether the session made for `made` may stand on this rung.
    pub fn accepts(&self, rung: usize, made: &Request) -> bool {
        let wanted = self.request(rung);
        if rung == self.last() { made.serves(&wanted) } else { made.serves_in_any_duration(&wanted) }
    }
}

impl Rung {
    /// The role's session where it lives longer than one that another session signs for: it takes a code of its own.
    pub fn too_long_to_be_chained(&self) -> Option<(&ProfileName, Duration)> {
        (self.role.is_some() && self.duration > LONGEST_CHAINED).then_some((&self.slot.profile, self.duration))
    }

    pub fn seconds(&self) -> u32 {
        self.duration.as_secs().try_into().unwrap_or(u32::MAX)
    }
}

/// A key that was verified at one place must not sign for another: who can set an endpoint would get requests signed with it.
fn check_endpoint(user: &UserLink, endpoint: Option<&Endpoint>) -> Result<(), LadderError> {
    let now = endpoint.map(Endpoint::to_string);
    if user.verified && user.key_endpoint != now {
        let profile = user.profile.clone();
        return Err(LadderError::OtherEndpoint { profile, verified_at: user.key_endpoint.clone(), now });
    }
    Ok(())
}

fn user_alone(user: &UserLink, options: &Options) -> Result<Rung, LadderError> {
    let read_only = options.read_only.then_some("policy");
    if let Some(option) = options.role.first_said().or(read_only) {
        return Err(LadderError::NarrowsUser { profile: user.profile.clone(), option });
    }
    let serial = user.serial.as_ref().filter(|_| !options.no_mfa);
    let device = serial.map(|serial| Device { serial: serial.value.clone(), process: user.mfa_process.clone() });
    let mut rung = session_token(user, options.duration.or(options.stay), device)?;
    rung.slot.asked = asked(options);
    if rung.device.is_none() {
        let because = if options.no_mfa { NoMfa::Asked } else { NoMfa::NoSerial };
        rung.notes.push(Note::MfaAbsent { profile: user.profile.clone(), because });
    }
    Ok(rung)
}

/// A ladder without a rung leads nowhere, and everything here goes by its last.
fn at_least_one<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Rung>, D::Error> {
    let rungs = Vec::<Rung>::deserialize(deserializer)?;
    if rungs.is_empty() { Err(serde::de::Error::invalid_length(0, &"at least one rung")) } else { Ok(rungs) }
}

/// GetSessionToken for the user, with nothing asked beyond a duration.
fn session_token(user: &UserLink, flag: Option<Duration>, device: Option<Device>) -> Result<Rung, LadderError> {
    let wanted = wanted(flag, user.duration.as_ref(), USER_DEFAULT);
    let mut notes = Vec::new();
    // Root's sessions are cut to an hour by AWS without a word; ours get the word.
    let duration = if user.is_root() && wanted.origin != Origin::Flag && wanted.value > LONGEST_ROOT {
        let (profile, asked, granted) = (user.profile.clone(), wanted.value, LONGEST_ROOT);
        notes.push(Note::Capped { profile, asked, granted, by: Cap::Root });
        granted
    } else {
        within(&user.profile, wanted, if user.is_root() { LONGEST_ROOT } else { LONGEST_USER })?
    };
    if device.is_some() && duration > USUAL_MFA_AGE {
        notes.push(Note::LongMfaSession { duration });
    }
    let slot = Slot { profile: user.profile.clone(), asked: Asked::default(), serial: None };
    let (region, protected) = (own_region(user.region.as_ref()), user.protected);
    Ok(Rung { slot, region, protected, role: None, duration, device, notes })
}

fn own_region(region: Option<&Sourced<Region>>) -> Option<Region> {
    region.map(|region| region.value.clone())
}

fn wanted(flag: Option<Duration>, profile: Option<&Sourced<Duration>>, default: Duration) -> Sourced<Duration> {
    let by_flag = flag.map(|duration| Sourced::new(duration, Origin::Flag));
    by_flag.or_else(|| profile.cloned()).unwrap_or(Sourced::new(default, Origin::Default))
}

fn within(profile: &ProfileName, duration: Sourced<Duration>, most: Duration) -> Result<Duration, LadderError> {
    if (SHORTEST..=most).contains(&duration.value) {
        return Ok(duration.value);
    }
    Err(LadderError::Duration { profile: profile.clone(), duration, least: SHORTEST, most })
}

fn with_roles(user: &UserLink, roles: &[RoleLink], options: &Options) -> Result<Vec<Rung>, LadderError> {
    check_stay(roles, options)?;
    let route = mfa_route(user, roles, options);
    let mut rungs = Vec::with_capacity(roles.len() + 1);
    if let Some(device) = &route.session {
        rungs.push(session_token(user, None, Some(device.clone()))?);
    }
    for (index, role) in roles.iter().enumerate() {
        let is_last = index + 1 == roles.len();
        let by_session = !rungs.is_empty();
        let mut rung = assume_role(role, options, is_last, by_session)?;
        if index == 0 {
            rung.device = route.in_call.clone();
        }
        if options.no_mfa && is_last {
            rung.notes.push(Note::MfaAbsent { profile: role.profile.clone(), because: NoMfa::Asked });
        }
        let used = if index == 0 && !by_session { &route.in_call } else { &route.session };
        note_unused_serial(role, used.as_ref(), options, &mut rung.notes);
        rungs.push(rung);
    }
    mark_taken_serial(&mut rungs, &route);
    Ok(rungs)
}

fn check_stay(roles: &[RoleLink], options: &Options) -> Result<(), LadderError> {
    match (options.stay, roles) {
        (Some(stay), [only]) => within(&only.profile, Sourced::new(stay, Origin::Flag), LONGEST_ROLE).map(drop),
        (Some(stay), [.., last]) => Err(LadderError::ChainingCap { profile: last.profile.clone(), asked: stay }),
        _ => Ok(()),
    }
}

fn assume_role(role: &RoleLink, options: &Options, is_last: bool, by_session: bool) -> Result<Rung, LadderError> {
    let flag = options.duration.filter(|_| is_last);
    let wanted = wanted(flag, role.duration.as_ref(), ROLE_DEFAULT);
    let profile = role.profile.clone();
    let mut notes = Vec::new();
    let asked_duration = within(&profile, wanted.clone(), LONGEST_ROLE)?;
    let duration = if by_session { asked_duration.min(LONGEST_CHAINED) } else { asked_duration };
    if duration < asked_duration {
        if wanted.origin == Origin::Flag {
            return Err(LadderError::ChainingCap { profile, asked: asked_duration });
        }
        let (profile, by) = (profile.clone(), Cap::Chaining);
        notes.push(Note::Capped { profile, asked: asked_duration, granted: duration, by });
    }
    let own = if is_last { asked_of(&role.role_arn.value, options) } else { RoleOptions::default() };
    let merged = own.over(&role.options);
    merged.check()?;
    let asked = if is_last { asked(options) } else { Asked { no_mfa: options.no_mfa, ..Asked::default() } };
    Ok(Rung {
        slot: Slot { profile, asked, serial: None },
        region: own_region(role.region.as_ref()),
        protected: role.protected,
        role: Some(RoleRequest { role_arn: role.role_arn.value.clone(), options: merged }),
        duration,
        device: None,
        notes,
    })
}

/// AWS's own policies have the partition of what they are for in their names.
fn asked_of(role: &RoleArn, options: &Options) -> RoleOptions {
    let mut asked = options.role.clone();
    if options.read_only {
        asked.policy_arns.push(format!("arn:{}:iam::aws:policy/ReadOnlyAccess", role.partition()));
    }
    asked
}

fn note_unused_serial(role: &RoleLink, used: Option<&Device>, options: &Options, notes: &mut Vec<Note>) {
    let own = role.serial.as_ref().map(|serial| &serial.value).filter(|_| !options.no_mfa);
    if let Some(serial) = own.filter(|own| used.is_none_or(|used| used.serial != **own)) {
        notes.push(Note::SerialUnused { profile: role.profile.clone(), serial: serial.clone() });
    }
}

#[cfg(test)]
mod tests;
