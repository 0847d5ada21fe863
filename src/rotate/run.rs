//! Carries out a rotation, one turn at a time: reads IAM's list, has the next step decided, does it and saves what came of
//! it. A turn never waits; it says when the next one is to be.
//!
//! Dying between any two of its operations loses nothing: the next run reads the journal and decides from there.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::journal::Position;
use super::ledger::{Entry, Ledger, LedgerError};
use super::lock::{self, UserLock};
use super::plan::{self, End, Mfa, OwnIntent, Run, Save, Secret, State, Step, Use, View, Wish};
use super::preview::{Deed, Preview};
use super::proof::{Proof, Round};
use super::stop::Stop;
use crate::aws::{Aws, AwsError, CallerIdentity, KeyStatus, LastUse, ListedKey, Refusal, Signer};
use crate::credentials::{AccessKey, SessionCredentials};
use crate::disk::Disk;
use crate::names::{AccessKeyId, ProfileName, arn_user_name};
use crate::store::document::StoredAccessKey;
use crate::store::search::Search;

/// A call whose answer was lost so often is not sent again: the next run looks what came of it.
const MOST_LOST: u32 = 2;

/// Time for IAM's list to catch up with a change.
const CATCHING_UP: Duration = Duration::from_secs(2);

/// Pauses after a refusal that passes by itself: AWS's throttling, a fresh key that one more server does not know yet.
const BACK_OFF: [u64; 6] = [1, 2, 4, 8, 16, 30];

/// What a turn works with; each worker has its own.
pub struct Tools<'t, 'l, 'd> {
    pub aws: &'t Aws,
    pub ledger: &'t Ledger<'l, 'd>,
    pub disk: &'d dyn Disk,
    /// The state folder.
    pub state: &'t std::path::Path,
}

impl Tools<'_, '_, '_> {
    /// By AWS's clock, in whole seconds: it is written down and shown.
    fn now(&self) -> Timestamp {
        let now = self.aws.now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}

/// A session with MFA that signs the changes. A user's own, never a role's.
#[derive(Clone)]
pub struct Session {
    pub credentials: SessionCredentials,
    /// When its code was given, by AWS's clock.
    pub made_at: Timestamp,
}

/// What happened that others should know at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Created {
        new: AccessKeyId,
    },
    Adopted {
        new: AccessKeyId,
    },
    /// Waiting until the new key works everywhere.
    Proving {
        key: AccessKeyId,
    },
    /// The profile has another key now.
    Replaced {
        old: AccessKeyId,
        new: AccessKeyId,
    },
    SwitchedOff {
        key: AccessKeyId,
    },
    SwitchedOn {
        key: AccessKeyId,
    },
    Deleted {
        key: AccessKeyId,
    },
    /// A call whose reply was lost may have made a key; AWS's list will tell.
    ReplyLost {
        until: Timestamp,
    },
}

/// How a turn ended.
pub enum Turn {
    Again,
    After(Duration),
    /// A session with MFA is needed before it goes on.
    NeedCode,
    /// Somebody else is to have the new key before the old one is switched off.
    NeedHook(Hook),
    Ended(End),
    Failed(Stop),
}

/// A command that tells another consumer of the new key.
pub struct Hook {
    pub profile: ProfileName,
    pub words: String,
    pub old: AccessKeyId,
    pub new: AccessKey,
}

/// What a rotation begins with.
pub struct Start {
    pub profile: ProfileName,
    /// The profile's, and the one that its journal has beside it.
    pub key: AccessKey,
    pub other_key: Option<AccessKey>,
    /// Whether a session with MFA is to sign.
    pub has_mfa: bool,
    /// How old a session's code may be for a change of keys.
    pub mfa_max_age: Duration,
    /// A key that may be deleted, as somebody named it.
    pub delete_key: Option<String>,
    /// The setting rotate_hook of each profile that has the key.
    pub hooks: Vec<(ProfileName, String)>,
    pub wish: Wish,
}

/// The rotation of one user's key.
pub struct Rotation {
    /// The profile that was named.
    pub profile: ProfileName,
    pub user: Option<User>,
    pub news: Vec<News>,
    /// What IAM said last, for who is told about it.
    pub keys: Vec<ListedKey>,
    pub last_uses: BTreeMap<AccessKeyId, Option<LastUse>>,
    /// The keys that may tell whose they are; put away after that.
    to_identify: Vec<AccessKey>,
    entry: Option<Entry>,
    expected: Option<Position>,
    session: Option<Session>,
    has_mfa: bool,
    /// How old a session's code may be for a change of keys.
    mfa_max_age: Duration,
    run: Run,
    wish: Wish,
    found: Option<StoredAccessKey>,
    proof: Option<Proof>,
    saved: bool,
    /// Replies to CreateAccessKey.
    lost: u32,
    /// What was switched last.
    switched: Option<(AccessKeyId, KeyStatus)>,
    refused: usize,
    lock: Option<UserLock>,
    /// A key that may be deleted, as somebody named it; IAM's list tells which that is.
    delete_key: Option<String>,
    /// Those that were not run yet.
    hooks: Vec<(ProfileName, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub arn: String,
    pub name: String,
}

impl Rotation {
    pub fn new(start: Start) -> Self {
        let Start { profile, key, other_key, has_mfa, mfa_max_age, delete_key, hooks, wish } = start;
        Self {
            profile,
            user: None,
            news: Vec::new(),
            keys: Vec::new(),
            last_uses: BTreeMap::new(),
            to_identify: [Some(key), other_key].into_iter().flatten().collect(),
            entry: None,
            expected: None,
            session: None,
            has_mfa,
            mfa_max_age,
            run: Run::default(),
            wish,
            found: None,
            proof: None,
            saved: false,
            lost: 0,
            switched: None,
            refused: 0,
            lock: None,
            delete_key,
            hooks,
        }
    }

    /// Whether it is to make a new key, rather than to finish what is under way.
    pub fn starts(&self) -> bool {
        self.wish.start
    }

    /// Whether a session with MFA would sign, and there is none.
    pub fn wants_session(&self) -> bool {
        self.has_mfa && self.session.is_none()
    }

    /// The hook ended well.
    pub fn hook_is_done(&mut self) {
        self.hooks.pop();
    }

    /// Whether this run has moved the rotation on.
    pub fn has_saved(&self) -> bool {
        self.saved
    }

    /// Goes on with this session from now on.
    pub fn give_session(&mut self, session: Session) {
        // What could not be asked by the key may be asked by the session.
        self.run.uses.retain(|_, used| *used != Use::Unknown);
        self.session = Some(session);
    }

    /// Somebody said that this key may be deleted.
    pub fn may_delete(&mut self, key: AccessKeyId) {
        self.wish.delete_key = Some(key);
    }

    /// Where the journal stands, as far as it was read.
    pub fn state(&self) -> Option<&State> {
        self.position().map(|position| &position.state)
    }

    pub fn position(&self) -> Option<&Position> {
        self.entry.as_ref().map(|entry| &entry.position).or(self.expected.as_ref())
    }

    /// What it would do now, if all went well; changes nothing. A list that takes a session with MFA is refused.
    pub fn survey(&mut self, tools: &Tools) -> Result<(Vec<Deed>, Option<End>), Stop> {
        let user = self.known_user(tools)?;
        self.keys = self.list(tools, &user)?;
        self.resolve_key_to_delete()?;
        for key in self.keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>() {
            self.look_at_use(tools, &key)?;
        }
        let position = self.entry()?.position.clone();
        let preview = Preview {
            state: position.state,
            current: position.current,
            keys: self.keys.clone(),
            now: tools.now(),
            mfa: self.mfa(tools),
            run: self.run.clone(),
            wish: &self.wish,
        };
        self.lock = None;
        Ok(preview.play())
    }

    pub fn turn(&mut self, tools: &Tools) -> Turn {
        let turn = self.try_turn(tools).unwrap_or_else(Turn::Failed);
        let turn = match turn {
            Turn::Failed(stop) if stop.passes() && self.refused < BACK_OFF.len() => {
                self.refused += 1;
                Turn::After(Duration::from_secs(BACK_OFF[self.refused - 1]))
            }
            other => other,
        };
        match &turn {
            Turn::Again => {}
            Turn::After(_) | Turn::NeedCode | Turn::NeedHook(_) => self.put_keys_away(),
            Turn::Ended(_) | Turn::Failed(_) => {
                self.put_keys_away();
                self.proof = None;
                self.session = None;
                self.lock = None;
            }
        }
        turn
    }

    /// Before a wait: the key that is being proven is the only one that is kept in mind.
    fn put_keys_away(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.expected = Some(entry.position);
        }
    }

    fn try_turn(&mut self, tools: &Tools) -> Result<Turn, Stop> {
        if self.proof.is_some() {
            return self.prove(tools);
        }
        let user = match self.known_user(tools) {
            Err(stop) if self.only_a_session_knows(&stop, tools)? => return Ok(Turn::NeedCode),
            known => known?,
        };
        self.read(tools, &user)?;
        match self.list(tools, &user) {
            Err(Stop::Aws(AwsError::Refused { refusal: Refusal::AccessDenied, .. }))
                if self.mfa(tools) == Mfa::Missing =>
            {
                return Ok(Turn::NeedCode);
            }
            other => self.keys = other?,
        }
        self.resolve_key_to_delete()?;
        // What only looks needs no newer list.
        loop {
            match self.decide(tools)? {
                Step::LookAtUse(key) => self.look_at_use(tools, &key)?,
                Step::LookForSecret(key) => self.look_for_secret(tools, &key)?,
                Step::Preflight => self.preflight(tools, &user)?,
                step => return self.perform(tools, &user, step),
            }
        }
    }

    /// By its whole id, as it is shown, or by its end.
    fn resolve_key_to_delete(&mut self) -> Result<(), Stop> {
        let Some(given) = self.delete_key.take() else { return Ok(()) };
        let is_meant = |key: &&ListedKey| {
            let by_its_end = given.len() >= 4 && key.id.as_str().ends_with(&given);
            key.id.as_str() == given || key.id.short() == given || by_its_end
        };
        let meant: Vec<&ListedKey> = self.keys.iter().filter(is_meant).collect();
        match meant[..] {
            [key] => self.wish.delete_key = Some(key.id.clone()),
            _ => return Err(Stop::NoSuchKey { given }),
        }
        Ok(())
    }

    fn known_user(&mut self, tools: &Tools) -> Result<User, Stop> {
        match self.user.clone() {
            Some(user) => Ok(user),
            None => self.identify(tools),
        }
    }

    /// Somebody switched off both keys of an unfinished rotation: a session that is left from before outlives them, and can
    /// switch one on again.
    fn only_a_session_knows(&self, stop: &Stop, tools: &Tools) -> Result<bool, Stop> {
        let tried = self.refused == BACK_OFF.len() && stop.is(&Refusal::UnknownKey);
        Ok(tried && self.has_mfa && self.session.is_none() && tools.ledger.other_key(&self.profile)?.is_some())
    }

    /// Whose key it is, and that no other run is at it.
    fn identify(&mut self, tools: &Tools) -> Result<User, Stop> {
        let identity = self.ask_who(tools)?;
        let name = arn_user_name(&identity.arn).map(str::to_owned);
        let name = name.ok_or_else(|| Stop::NotAUser { arn: identity.arn.clone() })?;
        let user = User { arn: identity.arn, name };
        self.lock = Some(lock::take(tools.disk, tools.state, &user.arn)?);
        let entry = tools.ledger.durable_entry(&user.arn, &self.profile)?;
        match &entry.current.user_arn {
            Some(arn) if *arn != user.arn => return Err(Stop::WrongUser { expected: arn.clone(), found: user.arn }),
            _ => {}
        }
        self.entry = Some(entry);
        self.to_identify.clear();
        self.user = Some(user.clone());
        Ok(user)
    }

    /// By whichever key AWS still takes: the current one may be the one that somebody took away.
    fn ask_who(&self, tools: &Tools) -> Result<CallerIdentity, Stop> {
        let session = self.session.iter().map(|session| Signer::Session(&session.credentials));
        let mut refused = Stop::NoSigner;
        for signer in session.chain(self.to_identify.iter().map(Signer::AccessKey)) {
            match tools.aws.caller_identity(&signer) {
                Err(error @ AwsError::Refused { refusal: Refusal::UnknownKey | Refusal::Expired, .. }) => {
                    refused = error.into();
                }
                answer => return Ok(answer?),
            }
        }
        Err(refused)
    }

    /// Takes up the keys again that were put away before a wait.
    fn read(&mut self, tools: &Tools, user: &User) -> Result<(), Stop> {
        if self.entry.is_none() {
            let entry = tools.ledger.entry(&user.arn, &self.profile)?;
            if self.expected.as_ref().is_some_and(|expected| *expected != entry.position) {
                return Err(LedgerError::Conflict(super::journal::Conflict::Changed).into());
            }
            self.entry = Some(entry);
        }
        Ok(())
    }

    fn entry(&self) -> Result<&Entry, Stop> {
        self.entry.as_ref().ok_or(Stop::NoSigner)
    }

    fn mfa(&self, tools: &Tools) -> Mfa {
        let now = tools.now();
        let is_good = |session: &Session| {
            let age = Duration::try_from(now.duration_since(session.made_at)).unwrap_or_default();
            age < self.mfa_max_age && session.credentials.expiration > now
        };
        match &self.session {
            _ if !self.has_mfa => Mfa::None,
            Some(session) if is_good(session) => Mfa::Session,
            _ => Mfa::Missing,
        }
    }

    /// By the session, else by whichever key AWS still takes.
    fn list(&mut self, tools: &Tools, user: &User) -> Result<Vec<ListedKey>, Stop> {
        if let Some(session) = &self.session {
            match tools.aws.access_keys(&Signer::Session(&session.credentials), &user.name) {
                Err(AwsError::Refused { refusal: Refusal::Expired | Refusal::UnknownKey, .. }) => self.session = None,
                listed => return Ok(listed?),
            }
        }
        let entry = self.entry()?;
        let current = tools.aws.access_keys(&Signer::AccessKey(&entry.current.access_key()), &user.name);
        match (current, &entry.other) {
            (Err(AwsError::Refused { refusal: Refusal::UnknownKey, .. }), Some(other)) => {
                Ok(tools.aws.access_keys(&Signer::AccessKey(&other.access_key()), &user.name)?)
            }
            (listed, _) => Ok(listed?),
        }
    }

    fn decide(&self, tools: &Tools) -> Result<Step, Stop> {
        let position = &self.entry()?.position;
        Ok(plan::next(&View {
            state: &position.state,
            current: &position.current,
            keys: &self.keys,
            now: tools.now(),
            mfa: self.mfa(tools),
            run: &self.run,
            wish: &self.wish,
        }))
    }

    /// What signs calls about keys: the session, or without MFA the current key.
    fn signed<T>(&self, call: impl FnOnce(&Signer) -> Result<T, AwsError>) -> Result<T, Stop> {
        let answer = match &self.session {
            Some(session) => call(&Signer::Session(&session.credentials)),
            None => call(&Signer::AccessKey(&self.entry()?.current.access_key())),
        };
        Ok(answer?)
    }

    fn look_at_use(&mut self, tools: &Tools, key: &AccessKeyId) -> Result<(), Stop> {
        let used = match self.signed(|signer| tools.aws.access_key_last_use(signer, key)) {
            Err(Stop::Aws(AwsError::Refused { refusal: Refusal::AccessDenied, .. })) => Use::Unknown,
            answer => {
                let last = answer?;
                let used = last.as_ref().map_or(Use::Never, of_service);
                self.last_uses.insert(key.clone(), last);
                used
            }
        };
        self.run.uses.insert(key.clone(), used);
        Ok(())
    }

    fn look_for_secret(&mut self, tools: &Tools, key: &AccessKeyId) -> Result<(), Stop> {
        let found = match tools.ledger.secret_of(key)? {
            Search::Found(stored) => {
                self.found = Some(*stored);
                Secret::Found
            }
            Search::NotFound | Search::Unknown => Secret::NotFound,
        };
        self.run.secrets.insert(key.clone(), found);
        Ok(())
    }

    fn preflight(&mut self, tools: &Tools, user: &User) -> Result<(), Stop> {
        let current = self.entry()?.position.current.clone();
        self.signed(|signer| tools.aws.set_access_key_status(signer, &user.name, &current, KeyStatus::Active))?;
        self.run.preflighted = true;
        Ok(())
    }

    fn perform(&mut self, tools: &Tools, user: &User, step: Step) -> Result<Turn, Stop> {
        match step {
            Step::LookAtUse(_) | Step::LookForSecret(_) | Step::Preflight => {}
            Step::NeedCode => return Ok(Turn::NeedCode),
            Step::ListAgain(at) => return Ok(Turn::After(until(tools.now(), at))),
            Step::End(end) => return self.end(tools, end),
            Step::Save(save) => self.save(tools, &save)?,
            Step::Create => self.create(tools, user)?,
            Step::Prove(key, depth) => {
                let key = self.held(&key)?;
                self.news.push(News::Proving { key: key.id.clone() });
                self.proof = Some(Proof::new(key, depth, tools.now()));
            }
            Step::Switch(old, KeyStatus::Inactive) if let Some((profile, words)) = self.hooks.last().cloned() => {
                return Ok(Turn::NeedHook(Hook { profile, words, old, new: self.entry()?.current.access_key() }));
            }
            // A list that lags is not answered by the same call again and again.
            Step::Switch(key, status) if self.switched == Some((key.clone(), status)) => {
                self.switched = None;
                return Ok(Turn::After(CATCHING_UP));
            }
            Step::Switch(key, status) => {
                self.switch(tools, user, key.clone(), status)?;
                self.switched = Some((key, status));
            }
            Step::Delete(key) if self.entry()?.elsewhere.contains(&key) => return Err(Stop::InVault { key }),
            Step::Delete(key) => self.delete(tools, user, key)?,
        }
        Ok(Turn::Again)
    }

    fn held(&self, id: &AccessKeyId) -> Result<AccessKey, Stop> {
        let entry = self.entry()?;
        let mut keys = [Some(&entry.current), entry.other.as_ref()].into_iter().flatten();
        Ok(keys.find(|key| key.id == *id).ok_or(Stop::NoSigner)?.access_key())
    }

    fn end(&mut self, tools: &Tools, end: End) -> Result<Turn, Stop> {
        if self.saved {
            tools.ledger.keep()?;
        }
        Ok(Turn::Ended(end))
    }

    fn save(&mut self, tools: &Tools, save: &Save) -> Result<(), Stop> {
        let before = self.entry()?.position.clone();
        let after = tools.ledger.save(&before, save, self.found.as_ref(), self.wish.keep_old, tools.now())?;
        self.note(save, &before, &after);
        self.entry = Some(after);
        self.found = None;
        self.saved = true;
        Ok(())
    }

    /// What the saved step means for the rest of this run.
    fn note(&mut self, save: &Save, before: &Position, after: &Entry) {
        let new = after.position.current.clone();
        match save {
            Save::Intend => self.run.intent = OwnIntent::Unsent,
            Save::Adopt(key) => {
                self.run.turned = true;
                self.news.push(News::Adopted { new: key.clone() });
            }
            Save::Prove => self.news.push(News::Replaced { old: before.current.clone(), new }),
            Save::TurnBack | Save::Return => {
                self.run.undone = true;
                self.run.turned = true;
                self.news.push(News::Replaced { old: before.current.clone(), new });
            }
            // Who ended a grace by hand, or took a rotation back, asked for that and not for the next one.
            Save::Finish => {
                let taken_back = self.wish.undo && matches!(before.state, State::Created { .. });
                self.run.turned |= self.wish.now || taken_back;
            }
            Save::Retire { .. } | Save::Undo => {}
        }
    }

    /// Sent once. Whatever becomes of the reply, the next list tells whether a key was made.
    fn create(&mut self, tools: &Tools, user: &User) -> Result<(), Stop> {
        let made = match self.signed(|signer| tools.aws.create_access_key(signer, &user.name)) {
            Err(Stop::Aws(error)) if may_have_made_one(&error) => {
                self.run.intent = OwnIntent::Sent;
                self.lost += 1;
                if self.lost >= MOST_LOST {
                    return Err(Stop::Aws(error));
                }
                let until = tools.now().saturating_add(SignedDuration::from_secs(90));
                self.news.push(News::ReplyLost { until: until.unwrap_or(Timestamp::MAX) });
                return Ok(());
            }
            Err(stop) if stop.passes() => return Err(stop),
            Err(stop) => {
                self.save(tools, &Save::Finish)?;
                return Err(stop);
            }
            Ok(made) => made,
        };
        let id = made.key.id.clone();
        let position = self.entry()?.position.clone();
        let new = StoredAccessKey {
            id: id.clone(),
            secret: made.key.secret,
            user_arn: Some(user.arn.clone()),
            added: made.created,
            created: Some(made.created),
            verified: None,
            endpoint: tools.aws.session_endpoint().map(ToString::to_string),
            rest: toml::Table::new(),
        };
        match tools.ledger.save(&position, &Save::Adopt(id.clone()), Some(&new), false, tools.now()) {
            Ok(entry) => {
                self.entry = Some(entry);
                (self.run.turned, self.saved) = (true, true);
                self.news.push(News::Created { new: id });
                Ok(())
            }
            Err(LedgerError::NotDurable(error)) => Err(LedgerError::NotDurable(error).into()),
            // Its secret is nowhere but here, and will be nowhere: it goes again, by its id.
            Err(error) => {
                let deleted = self.signed(|signer| tools.aws.delete_access_key(signer, &user.name, &id));
                let left = deleted.err().filter(|stop| !stop.is(&Refusal::NoSuchEntity)).map(|_| id);
                Err(Stop::NewKeyNotSaved { error, left })
            }
        }
    }

    fn switch(&mut self, tools: &Tools, user: &User, key: AccessKeyId, status: KeyStatus) -> Result<(), Stop> {
        if status == KeyStatus::Inactive {
            tools.ledger.keep()?;
        }
        match self.signed(|signer| tools.aws.set_access_key_status(signer, &user.name, &key, status)) {
            // Somebody deleted it meanwhile, as the next list says.
            Err(stop) if stop.is(&Refusal::NoSuchEntity) => return Ok(()),
            switched => switched?,
        }
        (self.refused, self.saved) = (0, true);
        self.news.push(match status {
            KeyStatus::Active => News::SwitchedOn { key },
            KeyStatus::Inactive => News::SwitchedOff { key },
        });
        Ok(())
    }

    fn delete(&mut self, tools: &Tools, user: &User, key: AccessKeyId) -> Result<(), Stop> {
        match self.signed(|signer| tools.aws.delete_access_key(signer, &user.name, &key)) {
            Err(stop) if stop.is(&Refusal::NoSuchEntity) => {}
            deleted => deleted?,
        }
        self.refused = 0;
        self.run.deleted.insert(key.clone());
        self.news.push(News::Deleted { key });
        Ok(())
    }

    /// One round. While it waits for the next, the key that is being proven is the only one in mind.
    fn prove(&mut self, tools: &Tools) -> Result<Turn, Stop> {
        let (Some(proof), Some(user)) = (&mut self.proof, &self.user) else { return Ok(Turn::Again) };
        match proof.round(tools.aws, &user.arn, &user.name) {
            Round::Next(pause) => return Ok(Turn::After(pause)),
            Round::Proven => self.run.proof = Some((proof.key.id.clone(), tools.now(), proof.depth())),
            Round::NotLive(error) => return Err(Stop::NotLive { key: proof.key.id.clone(), error }),
            Round::WrongUser { arn } => return Err(Stop::WrongUser { expected: user.arn.clone(), found: arn }),
        }
        self.proof = None;
        Ok(Turn::Again)
    }
}

/// STS and IAM are what this program itself calls with a key.
fn of_service(last: &LastUse) -> Use {
    if ["sts", "iam"].contains(&last.service.as_str()) { Use::Ours } else { Use::Others }
}

/// Whether AWS may have made a key though it was not told so: also behind an error of its own.
fn may_have_made_one(error: &AwsError) -> bool {
    match error {
        AwsError::Network { failure, .. } => failure.may_have_been_sent(),
        AwsError::Unreadable { .. } => true,
        AwsError::Refused { refusal, .. } => *refusal == Refusal::Unavailable,
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    at.duration_since(now).try_into().unwrap_or_default()
}
