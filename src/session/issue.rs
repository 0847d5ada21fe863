//! Gets a session: the cached one, or by the calls that are missing. Of many callers at once one makes the calls and the
//! others take what it got, so that a person is asked for one code.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::cache::Cache;
use super::ladder::{Ladder, Rung};
use super::mfa::{CodeAsker, CodeError, Codes, Why};
use super::note::Note;
use super::plan::{Freshness, MinTtlTooLong, Plan};
use super::record::{Record, Stamps};
use super::request::{RoleRequest, Slot, default_session_name};
use crate::aws::{AssumeRoleRequest, Aws, AwsError, MfaAnswer, Refusal, SessionTokenRequest, Signer};
use crate::clock::{Clock, NOTABLE_OFFSET, SystemClock};
use crate::credentials::{AccessKey, SessionCredentials};
use crate::disk::{Lock, LockError};
use crate::names::{ProfileName, RoleArn};

/// How long a caller waits for another that is getting the same session: a person may be looking for their phone.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Who waits for another hears within this time that nobody wants the session any more.
const LISTENS_EVERY: Duration = Duration::from_secs(1);

/// Made at the first call; a cached session takes no connection to AWS.
pub type LazyAws = LazyCell<Aws, Box<dyn FnOnce() -> Aws>>;

/// What getting sessions takes beside the chain.
pub struct Issuer<'a> {
    pub cache: &'a Cache<'a>,
    pub aws: &'a LazyAws,
    pub clock: &'a dyn Clock,
    pub asker: &'a mut dyn CodeAsker,
    /// [`PATIENCE`], or less where the caller itself would be given up on.
    pub patience: Duration,
}

/// One session to get.
pub struct Errand<'a> {
    pub ladder: &'a Ladder,
    pub freshness: Freshness,
    /// The one access key that the ladder starts from; while a person looks for their phone we hold no other. None while the
    /// vault is closed: then nothing is made that it would have to sign.
    pub key: Option<&'a AccessKey>,
    /// Profiles with that very key: a session of one of them is a session of the user that this profile would get too.
    pub same_key: &'a [ProfileName],
    /// Where `login` writes the session.
    pub destination: Option<&'a ProfileName>,
    pub stamps: &'a Stamps,
}

/// A session, and how it came about.
pub struct Issued {
    pub record: Record,
    pub reused: bool,
    pub notes: Vec<Note>,
}

impl Issued {
    /// One that was there already.
    pub fn cached(record: Record) -> Self {
        Self { record, reused: true, notes: Vec::new() }
    }

    pub fn credentials(&self) -> &SessionCredentials {
        &self.record.credentials
    }

    /// By AWS's clock.
    pub fn expires(&self) -> Timestamp {
        self.record.credentials.expiration
    }
}

#[derive(Debug, Error)]
pub enum IssueError {
    #[error(transparent)]
    MinTtl(#[from] MinTtlTooLong),
    /// No cached session leads on, and the access key is in the closed vault.
    #[error("the access key of `{profile}` is needed")]
    KeyNeeded { profile: ProfileName },
    /// Another process was getting this session for longer than we waited.
    #[error("another process is getting the session of `{profile}`")]
    Busy { profile: ProfileName, pid: Option<u32> },
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The call for this profile's session; None where the role is, it was GetSessionToken.
    #[error("{error}")]
    Call { profile: ProfileName, role: Option<RoleArn>, error: AwsError },
}

/// The locks of the rungs that are being made; None where the state folder takes no lock files.
type Held = BTreeMap<usize, Option<Box<dyn Lock>>>;

impl Issuer<'_> {
    pub fn issue(&mut self, errand: &Errand) -> Result<Issued, IssueError> {
        let mut held = Held::new();
        loop {
            let (from, steps) = match self.look(errand)? {
                Plan::Reuse(record) => return Ok(Issued::cached(self.confirmed(errand, record))),
                Plan::Issue { from, steps } => (from, steps),
            };
            let signer = match (&from, errand.key) {
                (Some(record), _) => Signer::Session(&record.credentials),
                (None, Some(key)) => Signer::AccessKey(key),
                (None, None) => return Err(IssueError::KeyNeeded { profile: errand.ladder.user.clone() }),
            };
            // Every caller locks from the top down and looks again after each lock: who waited finds the winner's session.
            if let Some(rung) = steps.clone().rev().find(|rung| !held.contains_key(rung)) {
                held.insert(rung, self.lock(errand, rung)?);
                continue;
            }
            let mut notes = Vec::new();
            match (self.climb(errand, signer, steps, &mut notes), from) {
                (Ok(record), _) => return Ok(Issued { record, reused: false, notes }),
                // A cached session that AWS no longer takes, whatever its expiration says, must not be met again. Where it
                // can't be dropped it would be, for ever.
                (Err(error), Some(from)) if error.refuses_the_session() && self.cache.forget(&from) => {}
                (Err(error), _) => return Err(error),
            }
        }
    }

    fn look(&self, errand: &Errand) -> Result<Plan<Record>, MinTtlTooLong> {
        errand.ladder.plan(&errand.freshness, self.clock.now(), |rung| {
            let own = [errand.ladder.rungs[rung].slot.clone()]
                .into_iter()
                .filter_map(move |slot| self.cached(errand, rung, &slot));
            own.chain(self.of_same_key(errand, rung)).map(|record| (record.lifetime(), record))
        })
    }

    fn cached(&self, errand: &Errand, rung: usize, slot: &Slot) -> Option<Record> {
        self.cache.read(slot).filter(|record| errand.ladder.accepts(rung, &record.request()))
    }

    /// A user's session that other profiles of the same key have: AWS would take another code for the same. Not one that is for
    /// `exec` alone, where this profile's is not, nor the other way; and none that this profile would have for another time.
    fn of_same_key<'s>(&'s self, errand: &'s Errand, rung: usize) -> impl Iterator<Item = Record> + 's {
        let own = &errand.ladder.rungs[rung];
        let only_signs = rung < errand.ladder.last();
        let others = errand.same_key.iter().filter(|other| own.role.is_none() && **other != own.slot.profile);
        let slots = others.map(|other| Slot { profile: other.clone(), ..own.slot.clone() });
        slots.filter_map(move |slot| self.cached(errand, rung, &slot)).filter(move |record| {
            let as_long = record.rung().duration == own.duration;
            record.rung().protected == own.protected && (only_signs || as_long)
        })
    }

    fn lock(&mut self, errand: &Errand, rung: usize) -> Result<Option<Box<dyn Lock>>, IssueError> {
        let slot = &errand.ladder.rungs[rung].slot;
        let at_once = self.cache.lock(slot, Duration::ZERO);
        let locked = match at_once {
            Err(LockError::Held { pid }) if !self.patience.is_zero() => {
                let _found = self.asker.waiting(&slot.profile, pid);
                self.wait_for(slot)?
            }
            other => other,
        };
        match locked {
            Ok(lock) => Ok(Some(lock)),
            Err(LockError::Held { pid }) => Err(IssueError::Busy { profile: slot.profile.clone(), pid }),
            // A state folder that can't be written costs the sharing, not the session; storing it will say so.
            Err(LockError::Io(_) | LockError::NotAFile) => Ok(None),
        }
    }

    fn wait_for(&mut self, slot: &Slot) -> Result<Result<Box<dyn Lock>, LockError>, IssueError> {
        let mut left = self.patience;
        while left > LISTENS_EVERY {
            match self.cache.lock(slot, LISTENS_EVERY) {
                Err(LockError::Held { .. }) if self.asker.is_over() => return Err(CodeError::Cancelled.into()),
                Err(LockError::Held { .. }) => left -= LISTENS_EVERY,
                locked => return Ok(locked),
            }
        }
        Ok(self.cache.lock(slot, left))
    }

    /// Makes the missing sessions one from the other.
    fn climb(
        &mut self,
        errand: &Errand,
        signer: Signer,
        steps: Range<usize>,
        notes: &mut Vec<Note>,
    ) -> Result<Record, IssueError> {
        let mut below: Option<Record> = None;
        for rung in steps {
            let signer = below.as_ref().map_or(signer, |record| Signer::Session(&record.credentials));
            let credentials = self.make(errand, &errand.ladder.rungs[rung], signer)?;
            let record = self.record(errand, rung, credentials);
            notes.extend(errand.ladder.rungs[rung].notes.iter().cloned());
            self.keep(errand, rung, &record, notes);
            below = Some(record);
        }
        if let Some(offset) = self.clock_offset().filter(|offset| offset.unsigned_abs() >= NOTABLE_OFFSET) {
            notes.push(Note::ClockOff { offset });
        }
        Ok(below.expect("a plan to issue has at least one step"))
    }

    fn make(&mut self, errand: &Errand, rung: &Rung, signer: Signer) -> Result<SessionCredentials, IssueError> {
        let Some(device) = &rung.device else {
            return self.call(errand, rung, signer, None);
        };
        let mut codes = Codes::new(device, errand.ladder, rung);
        let mut why = Why::First;
        loop {
            let code = codes.next(self.asker, why)?;
            if let Some(next_in) = self.cache.code_was_used(&device.serial, &code, self.aws_now()) {
                why = Why::Used { next_in };
                continue;
            }
            let answer = MfaAnswer { serial: device.serial.clone(), code: code.clone() };
            match self.call(errand, rung, signer, Some(answer)) {
                Ok(credentials) => {
                    // Not remembering it costs a clear message at the next mistake, no more.
                    let _ = self.cache.remember_code(&device.serial, &code, self.aws_now());
                    return Ok(credentials);
                }
                Err(error) if error.is_refusal(&[Refusal::WrongCode]) => why = Why::Wrong,
                Err(error) => return Err(error),
            }
        }
    }

    fn call(
        &self,
        errand: &Errand,
        rung: &Rung,
        signer: Signer,
        mfa: Option<MfaAnswer>,
    ) -> Result<SessionCredentials, IssueError> {
        let answer = match (&rung.role, signer) {
            (Some(role), _) => self.aws.assume_role(&signer, &self.assume_role_request(errand, rung, role, mfa)),
            (None, Signer::AccessKey(key)) => {
                self.aws.session_token(key, &SessionTokenRequest { duration_seconds: rung.seconds(), mfa })
            }
            // AWS makes no session from a session.
            (None, Signer::Session(_)) => return Err(IssueError::KeyNeeded { profile: rung.slot.profile.clone() }),
        };
        answer.map_err(|error| IssueError::Call {
            profile: rung.slot.profile.clone(),
            role: rung.role.as_ref().map(|role| role.role_arn.clone()),
            error,
        })
    }

    fn assume_role_request(
        &self,
        errand: &Errand,
        rung: &Rung,
        role: &RoleRequest,
        mfa: Option<MfaAnswer>,
    ) -> AssumeRoleRequest {
        let RoleRequest { role_arn, options } = role.clone();
        let default_name =
            || default_session_name(errand.ladder.user_arn.as_deref(), &errand.ladder.user, self.aws_now());
        AssumeRoleRequest {
            role_arn,
            session_name: options.session_name.unwrap_or_else(default_name),
            duration_seconds: rung.seconds(),
            mfa,
            external_id: options.external_id,
            tags: options.tags,
            transitive_tags: options.transitive_tags,
            source_identity: options.source_identity,
            policy: options.policy,
            policy_arns: options.policy_arns,
        }
    }

    fn record(&self, errand: &Errand, rung: usize, credentials: SessionCredentials) -> Record {
        let is_last = rung == errand.ladder.last();
        Record {
            ladder: errand.ladder.up_to(rung),
            credentials,
            made_at: self.clock.now(),
            clock_offset: self.clock_offset().unwrap_or_default().as_secs(),
            stands_alone: errand.ladder.stands_alone(rung),
            destination: errand.destination.filter(|_| is_last).cloned(),
            stamps: errand.stamps.up_to(&errand.ladder.rungs[rung].slot.profile),
        }
    }

    /// A cached session that was asked for anew and stays: its record tells the next reader that it is what the profile asks
    /// for today.
    fn confirmed(&self, errand: &Errand, record: Record) -> Record {
        let rung = errand.ladder.last();
        let mut confirmed = Record {
            ladder: errand.ladder.up_to(rung),
            stands_alone: true,
            destination: errand.destination.cloned(),
            stamps: errand.stamps.clone(),
            ..record.clone()
        };
        // Which may be another than today's, where it was asked for by flag.
        confirmed.ladder.duration_asked = record.ladder.duration_asked;
        confirmed.ladder.rungs[rung].duration = record.rung().duration;
        let says_so = confirmed.ladder == record.ladder
            && (confirmed.stands_alone, &confirmed.destination, &confirmed.stamps)
                == (record.stands_alone, &record.destination, &record.stamps);
        if record.slot() != confirmed.slot() {
            self.cache.adopt(&confirmed, self.clock.now());
        } else if !says_so {
            self.cache.confirm(&confirmed, self.clock.now());
        }
        confirmed
    }

    /// Keeps a session for later callers. One whose duration was asked for also goes where callers look who name none,
    /// unless what they have there lives longer.
    fn keep(&self, errand: &Errand, rung: usize, record: &Record, notes: &mut Vec<Note>) {
        let mut kept = self.cache.store(record, self.clock.now());
        if record.ladder.duration_asked {
            let mut general = record.clone();
            general.ladder.rungs[rung].slot.asked.duration_seconds = None;
            let lives_longer = |other: &Record| {
                other.request().serves_in_any_duration(&errand.ladder.request(rung))
                    && other.credentials.expiration >= record.credentials.expiration
            };
            if !self.cache.read(general.slot()).is_some_and(|other| lives_longer(&other)) {
                kept = kept.and_then(|()| self.cache.store(&general, self.clock.now()));
            }
        }
        let told = notes.iter().any(|note| matches!(note, Note::NotCached { .. }));
        if let (Err(error), false) = (kept, told) {
            notes.push(Note::NotCached { cause: error.to_string() });
        }
    }

    /// AWS's clock minus the one that we were handed; `Aws` itself compares with the machine's.
    fn clock_offset(&self) -> Option<SignedDuration> {
        let aws_now = SystemClock.now().saturating_add(self.aws.clock_offset()?).ok()?;
        Some(aws_now.duration_since(self.clock.now()))
    }

    fn aws_now(&self) -> Timestamp {
        let now = self.clock.now();
        now.saturating_add(self.clock_offset().unwrap_or_default()).unwrap_or(now)
    }
}

impl IssueError {
    /// AWS refused what signed rather than what was asked.
    fn refuses_the_session(&self) -> bool {
        self.is_refusal(&[Refusal::Expired, Refusal::UnknownKey])
    }

    fn is_refusal(&self, ones: &[Refusal]) -> bool {
        matches!(self, Self::Call { error: AwsError::Refused { refusal, .. }, .. } if ones.contains(refusal))
    }
}

#[cfg(test)]
mod stage;
#[cfg(test)]
mod tests;
