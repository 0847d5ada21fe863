//! The planner and the journal themselves, asked by the model: what a file says becomes a document and a position, a step is
//! saved into the document, and the document is written, read and looked at again. Each answer is remembered.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use vault::aws::ListedKey;
use vault::names::{AccessKeyId, ProfileName};
use vault::rotate::journal::{Asked, Journal, Position};
use vault::rotate::plan;
use vault::secret::{IdentityText, SecretAccessKey};
use vault::store::document::{Document, Profile, StoredAccessKey};

use super::world::*;

const USER: &str = "arn:aws:iam::123456789012:user/ada";
const NOW: i64 = 1_700_000_000;
const SPAN: i64 = 30;
const GRACE: i64 = 24 * 3600;

/// What a list shows, by key: active or not, and how old.
pub type Listed = [Option<(bool, Span)>; KEYS];

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Seen {
    pub stand: Stand,
    pub listed: Listed,
    /// How old the keys are that no list has yet.
    pub hidden: [Option<Span>; KEYS],
    pub mfa: plan::Mfa,
    pub memory: Memory,
    pub wish: Wish,
}

pub struct Real {
    empty: Document,
    steps: HashMap<Seen, Step>,
    saves: HashMap<(Stand, Save), Stand>,
}

impl Real {
    pub fn new() -> Self {
        let identity = IdentityText::new("AGE-SECRET-KEY-1".to_owned());
        let empty = Document::new(now(), "laptop".to_owned(), identity).unwrap();
        Self { empty, steps: HashMap::new(), saves: HashMap::new() }
    }

    pub fn next(&mut self, seen: &Seen) -> Step {
        if let Some(step) = self.steps.get(seen) {
            return *step;
        }
        let document = self.document(&seen.stand);
        let position = Position::find(&document, USER, &profile("prod")).unwrap();
        let listed = |(key, listed): (usize, &Option<(bool, Span)>)| {
            let (active, age) = (*listed)?;
            let status = AwsKey { active, maker: Maker::Person, age, hidden: false, worked: false }.status();
            // Of two keys of one span the one that was made later is the younger all the same.
            let created = ago(age) - SignedDuration::from_millis((KEYS - key) as i64);
            Some(ListedKey { id: id(key as Key), status, created })
        };
        let step = plan::next(&plan::View {
            state: &position.state,
            current: &position.current,
            made: &(0..).zip(&seen.hidden).filter_map(|(key, age)| Some((id(key), ago((*age)?)))).collect(),
            keys: &seen.listed.iter().enumerate().filter_map(listed).collect::<Vec<_>>(),
            now: now(),
            mfa: seen.mfa,
            run: &run(&seen.memory),
            wish: &wish(seen.wish),
        });
        let step = small(&step);
        self.steps.insert(seen.clone(), step);
        step
    }

    pub fn save(&mut self, stand: Stand, save: Save) -> Stand {
        if let Some(saved) = self.saves.get(&(stand, save)) {
            return *saved;
        }
        let mut document = self.document(&stand);
        let position = Position::find(&document, USER, &profile("prod")).unwrap();
        let found = if let Save::Adopt(key) = save { Some(stored(key)) } else { None };
        position.save(&mut document, &large(save), found.as_ref(), Asked::default(), now()).unwrap();
        let saved = read(&Document::decode(document.encode().unwrap().as_bytes()).unwrap());
        self.saves.insert((stand, save), saved);
        saved
    }

    pub fn asked(&self) -> (usize, usize) {
        (self.steps.len(), self.saves.len())
    }

    /// Every state that a file was in.
    pub fn stands(&self) -> Vec<Stand> {
        let stands: HashSet<Stand> = self.saves.iter().flat_map(|((from, _), to)| [*from, *to]).collect();
        stands.into_iter().collect()
    }

    /// Two profiles have the user's key; the journal stands with the first.
    pub fn document(&self, stand: &Stand) -> Document {
        let mut document = self.empty.clone();
        for name in ["prod", "prod-east"] {
            let user = Profile { access_key: Some(stored(stand.current)), ..Profile::default() };
            document.profiles.insert(profile(name), user);
        }
        if let Some(journal) = journal(stand) {
            let prod = document.profiles.get_mut(&profile("prod")).unwrap();
            prod.rest.insert("rotation".to_owned(), toml::Value::try_from(journal).unwrap());
        }
        document
    }
}

/// Both profiles must say the same, and both keys have their own secret still.
pub fn read(document: &Document) -> Stand {
    let position = Position::find(document, USER, &profile("prod")).unwrap();
    let prod = &document.profiles[&profile("prod")];
    let east = document.profiles[&profile("prod-east")].access_key.as_ref().unwrap();
    assert_eq!(east.id, position.current, "a profile was left with another key");
    let journal = Journal::of(&profile("prod"), prod).unwrap();
    let keys = prod.access_key.iter().chain(Some(east)).chain(journal.as_ref().and_then(Journal::other_key));
    for key in keys {
        assert_eq!(key.secret.expose(), stored(number(&key.id)).secret.expose(), "a key has another's secret");
    }
    let state = match position.state {
        plan::State::Idle => Journaled::Idle,
        plan::State::Intended { since } => Journaled::Intended { age: age(since) },
        plan::State::Created { new, since } => Journaled::Created { new: number(&new), age: age(since) },
        plan::State::Proven { old } => Journaled::Proven { old: number(&old) },
        plan::State::Retired { old, until } => Journaled::Retired { old: number(&old), over: until <= now() },
        plan::State::Undoing { old } => Journaled::Undoing { old: number(&old) },
    };
    Stand { current: number(&position.current), state }
}

fn journal(stand: &Stand) -> Option<Journal> {
    let (user_arn, long_ago) = (USER.to_owned(), ago(2 * LONG));
    Some(match stand.state {
        Journaled::Idle => return None,
        Journaled::Intended { age } => Journal::Intended { user_arn, since: ago(age), kept: false, grace: None },
        Journaled::Created { new, age } => {
            Journal::Created { user_arn, since: ago(age), kept: false, grace: None, new: stored(new) }
        }
        Journaled::Proven { old } => {
            Journal::Proven { user_arn, since: long_ago, kept: false, grace: None, old: stored(old) }
        }
        Journaled::Retired { old, over } => {
            let until = if over { now() } else { now() + SignedDuration::from_secs(GRACE) };
            Journal::Retired { user_arn, since: long_ago, until, old: stored(old) }
        }
        Journaled::Undoing { old } => Journal::Undoing { user_arn, since: long_ago, old: stored(old) },
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn ago(spans: Span) -> Timestamp {
    Timestamp::from_second(NOW - SPAN * i64::from(spans)).unwrap()
}

fn age(since: Timestamp) -> Span {
    ((NOW - since.as_second()) / SPAN).min(i64::from(LONG)) as Span
}

fn profile(name: &str) -> ProfileName {
    name.parse().unwrap()
}

fn id(key: Key) -> AccessKeyId {
    format!("AKIAIOSFODNN7EXAMPL{key}").parse().unwrap()
}

fn number(id: &AccessKeyId) -> Key {
    id.as_str().as_bytes()[19] - b'0'
}

fn stored(key: Key) -> StoredAccessKey {
    StoredAccessKey {
        id: id(key),
        secret: SecretAccessKey::new(key.to_string().repeat(40)),
        user_arn: Some(USER.to_owned()),
        added: now(),
        created: None,
        verified: None,
        endpoint: None,
        rest: toml::Table::new(),
    }
}

fn run(memory: &Memory) -> plan::Run {
    fn by_id<T: Copy>(known: &[Option<T>; KEYS]) -> std::collections::BTreeMap<AccessKeyId, T> {
        (0..).zip(known).filter_map(|(key, known)| Some((id(key), (*known)?))).collect()
    }
    plan::Run {
        intent: memory.intent,
        preflighted: memory.preflighted,
        uses: by_id(&memory.uses),
        secrets: by_id(&memory.secrets),
        proof: memory.proof.map(|(key, age, depth)| (id(key), ago(age), depth)),
        deleted: memory.deleted.all().map(id).collect(),
        refused: memory.refused.all().map(id).collect(),
        turned: memory.turned,
        undone: memory.undone,
    }
}

/// What a run remembers after a save.
pub fn remember(run: &Run, save: Save) -> Memory {
    let Memory { intent, turned, undone, .. } = run.memory;
    let before = journal(&run.stand).map_or(plan::State::Idle, |journal| journal.state());
    let mut after = plan::Run { intent, turned, undone, ..plan::Run::default() };
    after.saved(&large(save), &before, &wish(run.wish));
    Memory { intent: after.intent, turned: after.turned, undone: after.undone, ..run.memory }
}

fn wish(wish: Wish) -> plan::Wish {
    plan::Wish {
        start: !matches!(wish, Wish::Resume | Wish::ResumeNow | Wish::Undo | Wish::ResumeDelete(_)),
        older_than: None,
        undo: wish == Wish::Undo,
        now: matches!(wish, Wish::Now | Wish::ResumeNow | Wish::NowForce),
        force: wish == Wish::NowForce,
        keep_old: wish == Wish::KeepOld,
        grace: SignedDuration::from_secs(GRACE),
        delete_key: if let Wish::Delete(key) | Wish::ResumeDelete(key) = wish { Some(id(key)) } else { None },
    }
}

fn large(save: Save) -> plan::Save {
    match save {
        Save::Intend => plan::Save::Intend,
        Save::Adopt(key) => plan::Save::Adopt(id(key)),
        Save::Prove => plan::Save::Prove,
        Save::Retire => plan::Save::Retire { until: now() + SignedDuration::from_secs(GRACE) },
        Save::Undo => plan::Save::Undo,
        Save::TurnBack => plan::Save::TurnBack,
        Save::Return => plan::Save::Return,
        Save::Finish => plan::Save::Finish,
    }
}

fn small(step: &plan::Step) -> Step {
    match step {
        plan::Step::NeedCode => Step::NeedCode,
        plan::Step::Look(plan::Look::AtUse(key)) => Step::LookAtUse(number(key)),
        plan::Step::Look(plan::Look::AtKey(key)) => Step::LookAtKey(number(key)),
        plan::Step::Look(plan::Look::ForSecret(key)) => Step::LookForSecret(number(key)),
        plan::Step::Look(plan::Look::Preflight) => Step::Preflight,
        plan::Step::Prove(key, depth) => Step::Prove(number(key), *depth),
        plan::Step::Save(save) => Step::Save(match save {
            plan::Save::Intend => Save::Intend,
            plan::Save::Adopt(key) => Save::Adopt(number(key)),
            plan::Save::Prove => Save::Prove,
            plan::Save::Retire { .. } => Save::Retire,
            plan::Save::Undo => Save::Undo,
            plan::Save::TurnBack => Save::TurnBack,
            plan::Save::Return => Save::Return,
            plan::Save::Finish => Save::Finish,
        }),
        plan::Step::Create => Step::Create,
        plan::Step::Switch(key, status) => Step::Switch(number(key), *status == vault::aws::KeyStatus::Active),
        plan::Step::Delete(key) => Step::Delete(number(key)),
        plan::Step::ListAgain(at) => Step::Wait(((at.as_second() - NOW + SPAN - 1) / SPAN) as Span),
        plan::Step::End(end) => Step::End(small_end(end)),
    }
}

fn small_end(end: &plan::End) -> End {
    match end {
        plan::End::Done => End::Done,
        plan::End::Young { .. } => unreachable!("no wish here asks for an age"),
        plan::End::OldKept { .. } => End::OldKept,
        plan::End::Grace { .. } => End::Grace,
        plan::End::GraceNotOver { .. } => End::GraceNotOver,
        plan::End::NothingToUndo => End::NothingToUndo,
        plan::End::AlreadyUndone { .. } => End::AlreadyUndone,
        plan::End::OldKeyGone { .. } => End::OldKeyGone,
        plan::End::TwoKeys => End::TwoKeys,
        plan::End::InUse { .. } => End::InUse,
        plan::End::CurrentGone => End::CurrentGone,
        plan::End::CurrentOff => End::CurrentOff,
        plan::End::RotatedElsewhere => End::RotatedElsewhere,
        plan::End::Orphan { key, .. } => End::Orphan(number(key)),
        plan::End::NewKeyOff { new } => End::NewKeyOff(number(new)),
        plan::End::OldKeyOn { .. } => End::OldKeyOn,
        plan::End::NoWorkingKey => End::NoWorkingKey,
        plan::End::NotToDelete { .. } => End::NotToDelete,
    }
}
