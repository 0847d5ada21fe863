//! Which STS calls a chain takes, as if nothing were cached. Pure, and complete: every limit that can be known beforehand
//! is checked here, before a person is asked for a code that could then be spent on a refusal.

use std::time::Duration;

use thiserror::Error;

use super::chain::{Chain, RoleLink, UserLink};
use super::note::{Cap, NoMfa, Note};
use super::request::{Asked, Request, RoleRequest, Slot};
use super::role_options::{BadOption, RoleOptions};
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

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub duration: Option<Duration>,
    pub no_mfa: bool,
    pub role: RoleOptions,
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
}

impl Rung {
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
    if let Some(option) = options.role.first_said() {
        return Err(LadderError::NarrowsUser { profile: user.profile.clone(), option });
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
    Ok(Rung { slot, role: None, duration, device, notes })
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

/// How the code, if any, gets into a chain with roles.
struct MfaRoute {
    /// GetSessionToken with this device comes first.
    session: Option<Device>,
    /// The first AssumeRole carries the code of this device, signed by the access key.
    in_call: Option<Device>,
    /// The link that the session's serial was taken from: 0 the user itself, 1 the first role, ...
    taken_from: usize,
}

fn with_roles(user: &UserLink, roles: &[RoleLink], options: &Options) -> Result<Vec<Rung>, LadderError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "arn:aws:iam::111111111111:mfa/alice";
    const OTHER: &str = "arn:aws:iam::111111111111:mfa/other";
    const ABROAD: &str = "arn:aws:iam::222222222222:mfa/alice";

    fn user(serial: Option<&str>, seconds: Option<u64>) -> UserLink {
        UserLink {
            profile: "alice".parse().unwrap(),
            access_key_id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            user_arn: Some("arn:aws:iam::111111111111:user/alice".into()),
            verified: true,
            key_endpoint: None,
            serial: serial.map(|serial| Sourced::new(serial.parse().unwrap(), Origin::Vault)),
            mfa_process: Some("users-process".into()),
            duration: seconds.map(|seconds| Sourced::new(Duration::from_secs(seconds), Origin::Vault)),
            region: None,
            endpoint_url: None,
        }
    }

    fn role(name: &str, serial: Option<&str>, seconds: Option<u64>) -> RoleLink {
        let origin = Origin::Config { line: 7 };
        RoleLink {
            profile: name.parse().unwrap(),
            role_arn: Sourced::new(format!("arn:aws:iam::222222222222:role/{name}").parse().unwrap(), origin),
            source_profile: Sourced::new("alice".parse().unwrap(), origin),
            serial: serial.map(|serial| Sourced::new(serial.parse().unwrap(), origin)),
            mfa_process: None,
            duration: seconds.map(|seconds| Sourced::new(Duration::from_secs(seconds), origin)),
            region: None,
            options: RoleOptions::default(),
        }
    }

    fn chain(user: UserLink, roles: &[RoleLink]) -> Chain {
        Chain { user, roles: roles.to_vec() }
    }

    fn lasting(seconds: u64) -> Options {
        Options { duration: Some(Duration::from_secs(seconds)), ..Options::default() }
    }

    fn without_mfa() -> Options {
        Options { no_mfa: true, ..Options::default() }
    }

    /// A ladder in words: the calls with everything that decides about them, then the notes.
    fn told(chain: &Chain, options: &Options) -> String {
        let ladder = match Ladder::of(chain, options, None) {
            Ok(ladder) => ladder,
            Err(error) => return told_error(error),
        };
        let device = |serial: &MfaSerial| serial.as_str()[13..].replace("111111111111:mfa/", "").replace(":mfa/", "/");
        let mut words = Vec::new();
        for rung in &ladder.rungs {
            let call =
                rung.role.as_ref().map_or("session".to_owned(), |role| format!("role {}", role.role_arn.role_name()));
            let code = rung.device.as_ref().map_or(String::new(), |found| format!(" code {}", device(&found.serial)));
            let slot = rung.slot.serial.as_ref().map_or(String::new(), |serial| format!(" slot {}", device(serial)));
            words.push(format!("{call} {}{code}{slot}", rung.seconds()));
            words.extend(rung.notes.iter().map(|note| told_note(note)));
        }
        words.join(", ")
    }

    fn told_note(note: &Note) -> String {
        match note {
            Note::MfaAbsent { profile, because } => format!("! {profile} without MFA ({because:?})"),
            Note::Capped { profile, asked, granted, by } => {
                format!("! {profile} {} not {} ({by:?})", granted.as_secs(), asked.as_secs())
            }
            Note::SerialUnused { profile, .. } => format!("! serial of {profile} unused"),
            Note::LongMfaSession { .. } => "! long".into(),
            Note::NotCached { .. } | Note::ClockOff { .. } => unreachable!("no matter of planning"),
        }
    }

    fn told_error(error: LadderError) -> String {
        match error {
            LadderError::Duration { profile, duration, least, most } => {
                let (origin, least, most) = (duration.origin, least.as_secs(), most.as_secs());
                format!("error: {profile} {} by {origin:?} not in {least}..{most}", duration.value.as_secs())
            }
            LadderError::ChainingCap { profile, asked } => format!("error: {profile} {} over the cap", asked.as_secs()),
            LadderError::NarrowsUser { profile, option } => format!("error: {option} narrows {profile}"),
            LadderError::Option(bad) => format!("error: {}", bad.option),
            LadderError::OtherEndpoint { .. } => "error: endpoint".into(),
        }
    }

    #[test]
    fn every_shape_of_profile_takes_exactly_these_calls() {
        let alone = |serial, seconds| chain(user(serial, seconds), &[]);
        let one = |serial, role_serial, seconds| chain(user(serial, None), &[role("ops", role_serial, seconds)]);
        let two = |serial, first: RoleLink, second: RoleLink| chain(user(serial, None), &[first, second]);
        let (some, none, plain) = (Some(ALICE), None, Options::default());
        let rows: &[(&str, Chain, Options, &str)] = &[
            ("a user with a device", alone(some, none), plain.clone(), "session 43200 code alice"),
            ("a user without", alone(None, none), plain.clone(), "session 43200, ! alice without MFA (NoSerial)"),
            ("a user, no MFA", alone(some, none), without_mfa(), "session 43200, ! alice without MFA (Asked)"),
            ("a user's own duration", alone(some, Some(7200)), plain.clone(), "session 7200 code alice"),
            ("a flag wins", alone(some, Some(7200)), lasting(900), "session 900 code alice"),
            ("the longest", alone(some, none), lasting(129_600), "session 129600 code alice, ! long"),
            ("899 s", alone(some, none), lasting(899), "error: alice 899 by Flag not in 900..129600"),
            ("129601 s", alone(some, none), lasting(129_601), "error: alice 129601 by Flag not in 900..129600"),
            ("a bad default", alone(some, Some(60)), plain.clone(), "error: alice 60 by Vault not in 900..129600"),
            ("one role", one(some, None, none), plain.clone(), "session 43200 code alice, role ops 3600"),
            ("the same serial twice", one(some, some, none), plain.clone(), "session 43200 code alice, role ops 3600"),
            (
                "a serial that only the role has",
                one(None, some, none),
                plain.clone(),
                "session 43200 code alice slot alice, role ops 3600",
            ),
            (
                "a role of an hour",
                one(some, None, Some(3600)),
                plain.clone(),
                "session 43200 code alice, role ops 3600",
            ),
            ("a longer role", one(some, None, Some(3601)), plain.clone(), "role ops 3601 code alice"),
            ("a longer role by flag", one(some, None, none), lasting(43_200), "role ops 43200 code alice"),
            ("a longer role, its own serial", one(None, some, none), lasting(7200), "role ops 7200 code alice"),
            (
                "a shorter role by flag",
                one(some, None, Some(7200)),
                lasting(900),
                "session 43200 code alice, role ops 900",
            ),
            ("a role too long", one(some, None, none), lasting(43_201), "error: ops 43201 by Flag not in 900..43200"),
            (
                "a role too long in its profile",
                one(some, None, Some(50_000)),
                plain.clone(),
                "error: ops 50000 by Config { line: 7 } not in 900..43200",
            ),
            ("another serial in the role", one(some, Some(OTHER), none), plain.clone(), "role ops 3600 code other"),
            (
                "a serial of another account",
                one(None, Some(ABROAD), none),
                plain.clone(),
                "role ops 3600 code 222222222222/alice",
            ),
            ("no serial anywhere", one(None, None, none), plain.clone(), "role ops 3600"),
            ("no serial, longer", one(None, None, Some(7200)), plain.clone(), "role ops 7200"),
            ("a role, no MFA", one(some, None, none), without_mfa(), "role ops 3600, ! ops without MFA (Asked)"),
            (
                "two roles",
                two(some, role("a", None, none), role("b", None, none)),
                plain.clone(),
                "session 43200 code alice, role a 3600, role b 3600",
            ),
            (
                "two roles, both long in their profiles",
                two(some, role("a", None, Some(7200)), role("b", None, Some(43_200))),
                plain.clone(),
                "session 43200 code alice, role a 3600, ! a 3600 not 7200 (Chaining), \
                 role b 3600, ! b 3600 not 43200 (Chaining)",
            ),
            (
                "two roles, long by flag",
                two(some, role("a", None, none), role("b", None, none)),
                lasting(3601),
                "error: b 3601 over the cap",
            ),
            (
                "two roles, short by flag",
                two(some, role("a", None, none), role("b", None, none)),
                lasting(900),
                "session 43200 code alice, role a 3600, role b 900",
            ),
            (
                "two roles, the serial at the second",
                two(None, role("a", None, none), role("b", some, none)),
                plain.clone(),
                "session 43200 code alice slot alice, role a 3600 slot alice, role b 3600",
            ),
            (
                "two roles, another serial at the first",
                two(some, role("a", Some(OTHER), Some(7200)), role("b", None, none)),
                plain.clone(),
                "role a 7200 code other, role b 3600",
            ),
            (
                "two roles, another serial at the second",
                two(some, role("a", None, none), role("b", Some(OTHER), none)),
                plain.clone(),
                "session 43200 code alice, role a 3600, role b 3600, ! serial of b unused",
            ),
            (
                "two roles without a serial",
                two(None, role("a", None, Some(7200)), role("b", None, none)),
                plain.clone(),
                "role a 7200, role b 3600",
            ),
            (
                "two roles, no MFA",
                two(some, role("a", some, none), role("b", some, none)),
                without_mfa(),
                "role a 3600, role b 3600, ! b without MFA (Asked)",
            ),
        ];
        for (shape, chain, options, calls) in rows {
            assert_eq!(told(chain, options), *calls, "{shape}");
        }
    }

    #[test]
    fn roots_sessions_are_cut_to_an_hour_aloud() {
        let mut root = user(Some(ALICE), None);
        root.user_arn = Some("arn:aws:iam::111111111111:root".into());
        let chain = chain(root, &[]);
        let cut = "session 3600 code alice, ! alice 3600 not 43200 (Root)";
        assert_eq!(told(&chain, &Options::default()), cut);
        assert_eq!(told(&chain, &lasting(3601)), "error: alice 3601 by Flag not in 900..3600");
    }

    #[test]
    fn a_user_whose_account_is_unknown_takes_the_roles_serial_for_its_own() {
        let mut unverified = user(None, None);
        unverified.user_arn = None;
        let chain = chain(unverified, &[role("ops", Some(ABROAD), None)]);
        let calls = "session 43200 code 222222222222/alice slot 222222222222/alice, role ops 3600";
        assert_eq!(told(&chain, &Options::default()), calls);
    }

    #[test]
    fn a_user_session_cannot_be_narrowed_and_says_by_what() {
        let narrowed = |role| told(&chain(user(None, None), &[]), &Options { role, ..Options::default() });
        let policy = RoleOptions { policy: Some("{}".into()), ..RoleOptions::default() };
        assert_eq!(narrowed(policy), "error: policy narrows alice");
        let read_only = RoleOptions { policy_arns: vec!["arn:aws:iam::aws:policy/X".into()], ..RoleOptions::default() };
        assert_eq!(narrowed(read_only), "error: policy narrows alice");
        let tagged = RoleOptions { tags: vec![("team".into(), "a".into())], ..RoleOptions::default() };
        assert_eq!(narrowed(tagged), "error: session tag narrows alice");
    }

    #[test]
    fn what_the_flags_say_of_a_role_is_said_to_the_last_one_only() {
        let chain = chain(user(None, None), &[role("a", None, None), role("b", None, None)]);
        let named = RoleOptions { session_name: Some("me".into()), ..RoleOptions::default() };
        let ladder = Ladder::of(&chain, &Options { role: named.clone(), ..Options::default() }, None).unwrap();
        let options: Vec<_> = ladder.rungs.iter().map(|rung| rung.role.clone().unwrap().options).collect();
        assert_eq!(options, [RoleOptions::default(), named.clone()]);
        assert_eq!(ladder.rungs[0].slot.asked, Asked::default());
        assert_eq!(ladder.rungs[1].slot.asked.role, named);
    }

    #[test]
    fn a_code_comes_from_the_command_of_whose_device_it_is() {
        let process = |chain: &Chain| {
            let ladder = Ladder::of(chain, &Options::default(), None).unwrap();
            ladder.rungs.into_iter().find_map(|rung| rung.device).unwrap().process
        };
        let mut with_own = role("ops", Some(OTHER), None);
        assert_eq!(process(&chain(user(Some(ALICE), None), &[with_own.clone()])).as_deref(), Some("users-process"));
        with_own.mfa_process = Some("roles-process".into());
        assert_eq!(process(&chain(user(Some(ALICE), None), &[with_own.clone()])).as_deref(), Some("roles-process"));
        with_own.serial = None;
        assert_eq!(process(&chain(user(Some(ALICE), None), &[with_own])).as_deref(), Some("users-process"));
    }

    #[test]
    fn a_key_signs_only_for_the_endpoint_that_verified_it() {
        let elsewhere: Endpoint = "http://127.0.0.1:4566".parse().unwrap();
        let mut link = user(None, None);
        let ladder = |link: &UserLink, endpoint| Ladder::of(&chain(link.clone(), &[]), &Options::default(), endpoint);
        assert!(matches!(ladder(&link, Some(&elsewhere)), Err(LadderError::OtherEndpoint { verified_at: None, .. })));
        link.key_endpoint = Some(elsewhere.to_string());
        assert!(ladder(&link, Some(&elsewhere)).is_ok());
        assert!(matches!(ladder(&link, None), Err(LadderError::OtherEndpoint { now: None, .. })));
        link.verified = false;
        assert!(ladder(&link, None).is_ok());
    }

    #[test]
    fn ten_thousand_roles_are_planned_in_a_moment() {
        let roles: Vec<_> = (0..10_000).map(|number| role(&format!("r{number}"), None, None)).collect();
        let ladder = Ladder::of(&chain(user(Some(ALICE), None), &roles), &Options::default(), None).unwrap();
        assert_eq!(ladder.rungs.len(), 10_001);
        assert_eq!(ladder.request(ladder.last()).roles.len(), 10_000);
    }
}
