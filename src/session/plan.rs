//! Which STS calls a chain takes, and which of them are still to be made. Pure, and complete: every limit that can be
//! known beforehand is checked here, before a person is asked for a code that could then be spent on a refusal.

use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::chain::{Chain, RoleLink, UserLink};
use super::request::{Asked, BadOption, Request, RoleOptions, RoleRequest, Slot};
use super::sources::{Origin, Sourced};
use crate::aws::Endpoint;
use crate::names::{AccessKeyId, MfaSerial, ProfileName};

const HOUR: Duration = Duration::from_secs(3600);

/// GetSessionToken's default at AWS too.
const USER_DEFAULT: Duration = Duration::from_secs(12 * 3600);
const ROLE_DEFAULT: Duration = HOUR;

/// Shorter than this, STS makes no session (STS API reference, GetSessionToken and AssumeRole).
const SHORTEST: Duration = Duration::from_secs(900);
const LONGEST_USER: Duration = Duration::from_secs(129_600);
const LONGEST_ROOT: Duration = HOUR;
const LONGEST_ROLE: Duration = Duration::from_secs(43_200);

/// A role assumed by a session lives for an hour at most (IAM user guide, "Methods to assume a role", role chaining).
const LONGEST_CHAINED: Duration = HOUR;

/// Well-known policies deny what is done under an MFA sign-in older than 8 or 12 hours, however long the session lives.
const USUAL_MFA_AGE: Duration = Duration::from_secs(12 * 3600);

/// The skew that AWS itself puts up with.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub duration: Option<Duration>,
    pub no_mfa: bool,
    pub role: RoleOptions,
}

/// When a cached session is good enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// `--force`: only a session made since then, so that of many forced at once one renews and the others share it.
    pub made_since: Option<Timestamp>,
    /// `--min-ttl`
    pub min_ttl: Option<Duration>,
    /// An explicit `login`: a session of 4 h or more is renewed in its last hour, while the person is there.
    pub renew_in_last_hour: bool,
}

/// All calls that lead to the session, as if nothing were cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    pub user: ProfileName,
    pub user_arn: Option<String>,
    pub access_key_id: AccessKeyId,
    /// None is AWS itself.
    pub endpoint: Option<Endpoint>,
    pub rungs: Vec<Rung>,
    pub duration_asked: bool,
}

/// One session on the way; each is signed with the one before, the first with the access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    pub slot: Slot,
    /// None: GetSessionToken. Some: AssumeRole.
    pub role: Option<RoleRequest>,
    pub duration: Duration,
    /// The device whose code goes into this call.
    pub device: Option<Device>,
    /// What to tell when this call is made.
    pub notes: Vec<Note>,
}

/// An MFA device and the command that prints its codes, where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub serial: MfaSerial,
    pub process: Option<String>,
}

/// What is still to be done; `T` stands for a cached session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan<T> {
    /// The last rung's cached session is good.
    Reuse(T),
    /// These rungs are missing. The first of them is signed by the cached session of the one before, else by the key.
    Issue { from: Option<T>, steps: Range<usize> },
}

/// When a session was made and ends, both by this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    pub made_at: Timestamp,
    pub expires: Timestamp,
}

/// Worth telling, and no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// `aws:MultiFactorAuthPresent` will be absent.
    MfaAbsent { profile: ProfileName, because: NoMfa },
    /// The profile asks for more than AWS gives here.
    Capped { profile: ProfileName, asked: Duration, granted: Duration, by: Cap },
    /// AWS takes no code in a call that a session signs, so this role's own serial is left out.
    SerialUnused { profile: ProfileName, serial: MfaSerial },
    /// Some policies end such a session's use after 8 or 12 hours.
    LongMfaSession { duration: Duration },
    /// The session could not be kept for later callers.
    NotCached { cause: String },
    /// AWS's clock minus ours.
    ClockOff { offset: SignedDuration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMfa {
    Asked,
    NoSerial,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    Chaining,
    Root,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    #[error("{} s is not between {} and {} s", .duration.value.as_secs(), .least.as_secs(), .most.as_secs())]
    Duration { profile: ProfileName, duration: Sourced<Duration>, least: Duration, most: Duration },
    /// More than an hour was asked for by flag.
    #[error("a role assumed from a session lives for an hour at most")]
    ChainingCap { profile: ProfileName, asked: Duration },
    /// GetSessionToken takes no policy, name or tag; a role does.
    #[error("{option} is for roles only")]
    NarrowsUser { profile: ProfileName, option: &'static str },
    /// No session could ever have that much left.
    #[error("the session lives for {} s in all", .life.as_secs())]
    MinTtl { asked: Duration, life: Duration },
    #[error(transparent)]
    Option(#[from] BadOption),
    /// None is AWS itself.
    #[error("the key was verified at another endpoint")]
    OtherEndpoint { profile: ProfileName, verified_at: Option<String>, now: Option<String> },
}

impl Ladder {
    pub fn of(chain: &Chain, options: &Options, endpoint: Option<&Endpoint>) -> Result<Self, PlanError> {
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
            rungs,
            duration_asked: options.duration.is_some(),
        })
    }

    pub fn last(&self) -> usize {
        self.rungs.len() - 1
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

    /// Starts from the highest rung whose cached session is fresh. `cached` is asked from the top down and only until one is.
    pub fn plan<T>(
        &self,
        freshness: &Freshness,
        now: Timestamp,
        mut cached: impl FnMut(usize) -> Option<(Lifetime, T)>,
    ) -> Result<Plan<T>, PlanError> {
        let last = self.last();
        let life = self.rungs[last].duration;
        if let Some(asked) = freshness.min_ttl.filter(|asked| *asked >= life) {
            return Err(PlanError::MinTtl { asked, life });
        }
        let mut fresh = |rung: usize| {
            // What the caller demands of the session is no demand on those that only sign for it.
            let demands = if rung == last { *freshness } else { Freshness::default() };
            let (lifetime, session) = cached(rung)?;
            lifetime.is_fresh(&demands, now).then_some((rung, session))
        };
        Ok(match (0..=last).rev().find_map(&mut fresh) {
            Some((rung, session)) if rung == last => Plan::Reuse(session),
            Some((rung, session)) => Plan::Issue { from: Some(session), steps: rung + 1..last + 1 },
            None => Plan::Issue { from: None, steps: 0..last + 1 },
        })
    }
}

impl Rung {
    pub fn seconds(&self) -> u32 {
        self.duration.as_secs().try_into().unwrap_or(u32::MAX)
    }
}

impl Lifetime {
    fn is_fresh(&self, demands: &Freshness, now: Timestamp) -> bool {
        let left = self.expires.duration_since(now);
        let life = self.expires.duration_since(self.made_at);
        // Made in the future: the clock was set back since, and nothing is known about how much is left.
        if now.duration_since(self.made_at) < -CLOCK_TOLERANCE {
            return false;
        }
        if demands.made_since.is_some_and(|since| self.made_at < since) {
            return false;
        }
        if demands.renew_in_last_hour && life >= SignedDuration::from_hours(4) && left <= SignedDuration::from_hours(1)
        {
            return false;
        }
        let enough = match demands.min_ttl {
            Some(asked) => SignedDuration::try_from(asked).unwrap_or(SignedDuration::MAX),
            // The SDKs take a session with less than 15 minutes left for expired.
            None => SignedDuration::from_mins(15).min(life / 4),
        };
        left > enough
    }
}

/// A key that was verified at one place must not sign for another: who can set an endpoint would get requests signed with it.
fn check_endpoint(user: &UserLink, endpoint: Option<&Endpoint>) -> Result<(), PlanError> {
    let now = endpoint.map(Endpoint::to_string);
    if user.verified && user.key_endpoint != now {
        let profile = user.profile.clone();
        return Err(PlanError::OtherEndpoint { profile, verified_at: user.key_endpoint.clone(), now });
    }
    Ok(())
}

fn user_alone(user: &UserLink, options: &Options) -> Result<Rung, PlanError> {
    if let Some(option) = options.role.first_said() {
        return Err(PlanError::NarrowsUser { profile: user.profile.clone(), option });
    }
    let serial = user.serial.as_ref().filter(|_| !options.no_mfa);
    let device = serial.map(|serial| Device { serial: serial.value.clone(), process: user.mfa_process.clone() });
    let mut rung = session_token(user, options.duration, device)?;
    rung.slot.asked = asked(options);
    if rung.device.is_none() {
        let because = if options.no_mfa { NoMfa::Asked } else { NoMfa::NoSerial };
        rung.notes.push(Note::MfaAbsent { profile: user.profile.clone(), because });
    }
    Ok(rung)
}

fn asked(options: &Options) -> Asked {
    let duration_seconds = options.duration.map(|duration| duration.as_secs().try_into().unwrap_or(u32::MAX));
    Asked { duration_seconds, no_mfa: options.no_mfa, role: options.role.clone() }
}

/// GetSessionToken for the user, with nothing asked beyond a duration.
fn session_token(user: &UserLink, flag: Option<Duration>, device: Option<Device>) -> Result<Rung, PlanError> {
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
    Ok(Rung { slot, role: None, duration, device, notes })
}

fn wanted(flag: Option<Duration>, profile: Option<&Sourced<Duration>>, default: Duration) -> Sourced<Duration> {
    let by_flag = flag.map(|duration| Sourced::new(duration, Origin::Flag));
    by_flag.or_else(|| profile.cloned()).unwrap_or(Sourced::new(default, Origin::Default))
}

fn within(profile: &ProfileName, duration: Sourced<Duration>, most: Duration) -> Result<Duration, PlanError> {
    if (SHORTEST..=most).contains(&duration.value) {
        return Ok(duration.value);
    }
    Err(PlanError::Duration { profile: profile.clone(), duration, least: SHORTEST, most })
}

/// How the code, if any, gets into a chain with roles.
struct MfaRoute {
    /// GetSessionToken with this device comes first.
    session: Option<Device>,
    /// The first AssumeRole carries the code of this device, signed by the access key.
    in_call: Option<Device>,
    /// The link that the session's serial was taken from: 0 the user itself, 1 the first role, ...
    taken_from: usize,
}

fn with_roles(user: &UserLink, roles: &[RoleLink], options: &Options) -> Result<Vec<Rung>, PlanError> {
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

/// The MFA device is the user's, since AWS takes no other's code, and one session made with it serves every role. Only a
/// first role that names a device of its own, or a single role longer than a session could assume it, gets the code in
/// its own call.
fn mfa_route(user: &UserLink, roles: &[RoleLink], options: &Options) -> MfaRoute {
    let none = MfaRoute { session: None, in_call: None, taken_from: 0 };
    if options.no_mfa {
        return none;
    }
    let (users, taken_from) = users_device(user, roles);
    let first = &roles[0];
    let own = first.serial.as_ref().map(|serial| Device {
        serial: serial.value.clone(),
        process: first.mfa_process.clone().or_else(|| user.mfa_process.clone()),
    });
    let own = own.filter(|own| users.as_ref().is_none_or(|users| users.serial != own.serial));
    let long =
        roles.len() == 1 && wanted(options.duration, first.duration.as_ref(), ROLE_DEFAULT).value > LONGEST_CHAINED;
    match (own, users) {
        (Some(own), _) => MfaRoute { in_call: Some(own), ..none },
        (None, Some(users)) if long => MfaRoute { in_call: Some(users), ..none },
        (None, users) => MfaRoute { session: users, taken_from, ..none },
    }
}

/// The user's own device; else the one a role names, where that could be the user's: in the same account, or in none that
/// is known.
fn users_device(user: &UserLink, roles: &[RoleLink]) -> (Option<Device>, usize) {
    if let Some(serial) = &user.serial {
        return (Some(Device { serial: serial.value.clone(), process: user.mfa_process.clone() }), 0);
    }
    let could_be_users = |serial: &MfaSerial| match (serial.account(), user.account()) {
        (Some(account), Some(users)) => account == users,
        _ => true,
    };
    for (index, role) in roles.iter().enumerate() {
        if let Some(serial) = role.serial.as_ref().filter(|serial| could_be_users(&serial.value)) {
            let process = role.mfa_process.clone().or_else(|| user.mfa_process.clone());
            return (Some(Device { serial: serial.value.clone(), process }), index + 1);
        }
    }
    (None, 0)
}

fn assume_role(role: &RoleLink, options: &Options, is_last: bool, by_session: bool) -> Result<Rung, PlanError> {
    let flag = options.duration.filter(|_| is_last);
    let wanted = wanted(flag, role.duration.as_ref(), ROLE_DEFAULT);
    let profile = role.profile.clone();
    let mut notes = Vec::new();
    let asked_duration = within(&profile, wanted.clone(), LONGEST_ROLE)?;
    let duration = if by_session { asked_duration.min(LONGEST_CHAINED) } else { asked_duration };
    if duration < asked_duration {
        if wanted.origin == Origin::Flag {
            return Err(PlanError::ChainingCap { profile, asked: asked_duration });
        }
        let (profile, by) = (profile.clone(), Cap::Chaining);
        notes.push(Note::Capped { profile, asked: asked_duration, granted: duration, by });
    }
    let own = if is_last { options.role.clone() } else { RoleOptions::default() };
    let merged = own.over(&role.options);
    merged.check()?;
    let asked = if is_last { asked(options) } else { Asked { no_mfa: options.no_mfa, ..Asked::default() } };
    Ok(Rung {
        slot: Slot { profile, asked, serial: None },
        role: Some(RoleRequest { role_arn: role.role_arn.value.clone(), options: merged }),
        duration,
        device: None,
        notes,
    })
}

fn note_unused_serial(role: &RoleLink, used: Option<&Device>, options: &Options, notes: &mut Vec<Note>) {
    let own = role.serial.as_ref().map(|serial| &serial.value).filter(|_| !options.no_mfa);
    if let Some(serial) = own.filter(|own| used.is_none_or(|used| used.serial != **own)) {
        notes.push(Note::SerialUnused { profile: role.profile.clone(), serial: serial.clone() });
    }
}

/// Below the link that named the serial, the profiles by themselves have sessions without it, in slots of their own.
fn mark_taken_serial(rungs: &mut [Rung], route: &MfaRoute) {
    if let Some(device) = &route.session {
        for rung in &mut rungs[..route.taken_from] {
            rung.slot.serial = Some(device.serial.clone());
        }
    }
}
