//! All that there is: the keys at AWS, the vault files, and the runs of the program under way. Small, so that very many of
//! them fit: a key is a number, and time is counted in spans of half a minute that stop where no rule tells them apart.

use vault::aws::KeyStatus;
use vault::rotate::plan::{Depth, OwnIntent, Secret, Use};

/// Keys are made in this order; no world has more over its whole life, and the last is for a person who needs one in the end.
pub type Key = u8;
pub const KEYS: usize = 5;
pub const LAST_KEY: Key = 4;

/// AWS's limit.
pub const QUOTA: usize = 2;

/// A set of keys.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Keys(u8);

impl Keys {
    pub fn with(self, key: Key) -> Self {
        Self(self.0 | 1 << key)
    }

    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn has(self, key: Key) -> bool {
        self.0 & 1 << key != 0
    }

    pub fn all(self) -> impl Iterator<Item = Key> {
        (0..KEYS as Key).filter(move |key| self.has(*key))
    }
}

/// Half minutes.
pub type Span = u8;
/// Create is sent within half a minute and a list lags for a whole one: after three, all is over.
pub const LONG: Span = 3;
/// What is older is in every list.
pub const LAG: Span = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Maker {
    /// The program, on the first machine or on the second.
    Run(u8),
    /// Somebody at the console.
    Person,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AwsKey {
    pub active: bool,
    pub maker: Maker,
    pub age: Span,
    /// The list that is asked for next does not show it.
    pub hidden: bool,
    /// It was seen to work.
    pub worked: bool,
}

impl AwsKey {
    pub fn status(&self) -> KeyStatus {
        if self.active { KeyStatus::Active } else { KeyStatus::Inactive }
    }
}

/// What a vault file says of the rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stand {
    pub current: Key,
    pub state: Journaled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Journaled {
    Idle,
    Intended { age: Span },
    Created { new: Key, age: Span },
    Proven { old: Key },
    Retired { old: Key, over: bool },
    Undoing { old: Key },
}

impl Stand {
    pub fn other(&self) -> Option<Key> {
        match self.state {
            Journaled::Idle | Journaled::Intended { .. } => None,
            Journaled::Created { new, .. } => Some(new),
            Journaled::Proven { old } | Journaled::Retired { old, .. } | Journaled::Undoing { old } => Some(old),
        }
    }

    /// Whose secrets it has.
    pub fn held(&self) -> Keys {
        let current = Keys::default().with(self.current);
        self.other().map_or(current, |other| current.with(other))
    }

    pub fn older(self, by: Span, grace_is_over: bool) -> Self {
        let state = match self.state {
            Journaled::Intended { age } => Journaled::Intended { age: LONG.min(age + by) },
            Journaled::Created { new, age } => Journaled::Created { new, age: LONG.min(age + by) },
            Journaled::Retired { old, over } => Journaled::Retired { old, over: over || grace_is_over },
            same => same,
        };
        Self { state, ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct File {
    /// What a power loss leaves, and what is read.
    pub durable: Stand,
    pub live: Stand,
    /// Whose secrets stand in earlier generations.
    pub kept: Keys,
}

impl File {
    pub fn of(stand: Stand) -> Self {
        Self { durable: stand, live: stand, kept: Keys::default() }
    }

    pub fn held(&self) -> Keys {
        self.durable.held().and(self.live.held())
    }
}

/// What somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    Rotate,
    Resume,
    Undo,
    Now,
    ResumeNow,
    NowForce,
    KeepOld,
    /// `--delete-key`, with a rotation and without.
    Delete(Key),
    ResumeDelete(Key),
}

/// What a run has done and seen: the planner's `Run`, with small keys.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    pub intent: OwnIntent,
    pub preflighted: bool,
    pub uses: [Option<Use>; KEYS],
    pub secrets: [Option<Secret>; KEYS],
    pub proof: Option<(Key, Span, Depth)>,
    pub deleted: Keys,
    pub refused: Keys,
    pub turned: bool,
    pub undone: bool,
}

/// The planner's `Save` and `Step`, with small keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Save {
    Intend,
    Adopt(Key),
    Prove,
    Retire,
    Undo,
    TurnBack,
    Return,
    Finish,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    NeedCode,
    LookAtUse(Key),
    LookAtKey(Key),
    LookForSecret(Key),
    Preflight,
    Prove(Key, Depth),
    Save(Save),
    Create,
    Switch(Key, bool),
    Delete(Key),
    /// So many spans from now.
    Wait(Span),
    End(End),
}

/// The ends that a person does something about each in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    Done,
    OldKept,
    Grace,
    GraceNotOver,
    NothingToUndo,
    AlreadyUndone,
    OldKeyGone,
    TwoKeys,
    InUse,
    CurrentGone,
    CurrentOff,
    RotatedElsewhere,
    Orphan(Key),
    NewKeyOff(Key),
    OldKeyOn,
    NoWorkingKey,
    NotToDelete,
    /// Of the run, not of the planner: nothing that the vault has signs any more.
    NoSigner,
    /// A call or a save failed, a code was not given, the vault was changed meanwhile.
    Stopped,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    pub at: At,
    pub wish: Wish,
    pub memory: Memory,
    /// What it last read of the file, or saved there.
    pub stand: Stand,
    /// Somebody else saved since.
    pub stale: bool,
    /// It has a session with MFA.
    pub session: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// About to list and to decide.
    Look,
    /// It has decided on a call that changes something at AWS.
    Call(Step),
    /// It alone knows the secret of this new key.
    Holding(Key),
    /// It could not save that secret, and takes the key back.
    Dropping(Key),
    /// What was saved last is not durable yet.
    Settling,
}

/// How many there may be still.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Left {
    pub crashes: u8,
    pub faults: u8,
    pub acts: u8,
    pub runs: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    /// The user's policy asks for MFA.
    pub mfa: bool,
    pub keys: [Option<AwsKey>; KEYS],
    pub made: u8,
    pub files: [Option<File>; 2],
    pub runs: [Option<Run>; 2],
    /// The file of the second machine.
    pub second: u8,
    pub left: Left,
    /// Keys that ends of runs named to somebody.
    pub shown: Keys,
    /// Somebody took a key away that a vault had, or put an old file in the place of a new one.
    pub taken: bool,
}

impl World {
    /// One key, its vault, nothing under way.
    pub fn new(mfa: bool, left: Left) -> Self {
        let first = AwsKey { active: true, maker: Maker::Run(0), age: LONG, hidden: false, worked: true };
        let mut keys = [None; KEYS];
        keys[0] = Some(first);
        let stand = Stand { current: 0, state: Journaled::Idle };
        let files = [Some(File::of(stand)), None];
        Self { mfa, keys, made: 1, files, runs: [None; 2], second: 0, left, shown: Keys::default(), taken: false }
    }

    pub fn file_of(&self, machine: usize) -> usize {
        if machine == 0 { 0 } else { self.second as usize }
    }

    pub fn file(&self, machine: usize) -> &File {
        self.files[self.file_of(machine)].as_ref().expect("a run has a file")
    }

    pub fn file_mut(&mut self, machine: usize) -> &mut File {
        self.files[self.file_of(machine)].as_mut().expect("a run has a file")
    }

    pub fn run(&mut self, machine: usize) -> &mut Run {
        self.runs[machine].as_mut().expect("it runs")
    }

    pub fn key(&mut self, key: Key) -> Option<&mut AwsKey> {
        self.keys[key as usize].as_mut()
    }

    pub fn is_active(&self, key: Key) -> bool {
        self.keys[key as usize].is_some_and(|key| key.active)
    }

    pub fn exists(&self, key: Key) -> bool {
        self.keys[key as usize].is_some()
    }

    pub fn listed(&self) -> usize {
        self.keys.iter().flatten().count()
    }

    /// None where AWS has no room, or the model no more numbers.
    pub fn make_key(&mut self, maker: Maker, hidden: bool) -> Option<Key> {
        if self.listed() >= QUOTA || self.made >= LAST_KEY {
            return None;
        }
        let key = self.made;
        self.made += 1;
        self.keys[key as usize] = Some(AwsKey { active: true, maker, age: 0, hidden, worked: false });
        Some(key)
    }

    pub fn pass(&mut self, by: Span, grace_is_over: bool) {
        for key in self.keys.iter_mut().flatten() {
            key.age = LONG.min(key.age + by);
            key.hidden &= key.age < LAG;
        }
        for file in self.files.iter_mut().flatten() {
            file.durable = file.durable.older(by, grace_is_over);
            file.live = file.live.older(by, grace_is_over);
        }
        for run in self.runs.iter_mut().flatten() {
            run.stand = run.stand.older(by, grace_is_over);
            if let Some((_, age, _)) = &mut run.memory.proof {
                *age = LONG.min(*age + by);
            }
        }
    }

    /// Whose secrets any vault has.
    pub fn held(&self) -> Keys {
        self.files.iter().flatten().fold(Keys::default(), |held, file| held.and(file.held()))
    }
}
