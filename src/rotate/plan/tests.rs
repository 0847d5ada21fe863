//! A row for each row of the table of rotation, and for each rule below it.

mod orphan;
mod room;
mod rows;
mod wishes;

use super::*;

/// By AWS's clock, now.
const NOW: i64 = 1_700_000_000;
const GRACE: i64 = 24 * 3600;

/// The current key of most cases, the one beside it, and one that nobody here knows.
const K1: char = '1';
const K2: char = '2';
const K3: char = '3';

/// A view to decide from. As it begins: no rotation, K1 current and active, a session with MFA, somebody who starts one.
#[derive(Clone)]
struct Case {
    state: State,
    current: AccessKeyId,
    made: BTreeMap<AccessKeyId, Timestamp>,
    keys: Vec<ListedKey>,
    now: i64,
    mfa: Mfa,
    run: Run,
    wish: Wish,
}

fn id(last: char) -> AccessKeyId {
    format!("AKIAIOSFODNN7EXAMPL{last}").parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Seconds from now.
fn after(seconds: i64) -> Timestamp {
    at(NOW + seconds)
}

impl Case {
    fn of(state: State) -> Self {
        let wish = Wish {
            start: true,
            older_than: None,
            undo: false,
            now: false,
            force: false,
            keep_old: false,
            grace: SignedDuration::from_secs(GRACE),
            delete_key: None,
        };
        let (made, keys, run) = (BTreeMap::new(), Vec::new(), Run::default());
        let case = Self { state, current: id(K1), made, keys, now: NOW, mfa: Mfa::Session, run, wish };
        case.active(K1)
    }

    fn idle() -> Self {
        Self::of(State::Idle)
    }

    /// An intent of so many seconds ago.
    fn intended(ago: i64) -> Self {
        Self::of(State::Intended { since: after(-ago) })
    }

    /// K2 made and saved so many seconds ago.
    fn created(ago: i64) -> Self {
        Self::of(State::Created { new: id(K2), since: after(-ago) }).made(K2, ago)
    }

    /// K2 is the current key and K1 the old one, active.
    fn proven() -> Self {
        Self::of(State::Proven { old: id(K1) }).current(K2).active(K2)
    }

    /// K1 is off, and to be deleted in so many seconds.
    fn retired(left: i64) -> Self {
        Self::of(State::Retired { old: id(K1), until: after(left) }).current(K2).active(K2).off(K1)
    }

    fn undoing() -> Self {
        Self::of(State::Undoing { old: id(K1) }).current(K2).active(K2).off(K1)
    }

    fn current(self, key: char) -> Self {
        Self { current: id(key), ..self }
    }

    fn active(self, key: char) -> Self {
        self.listed(key, KeyStatus::Active, 90 * 24 * 3600)
    }

    fn off(self, key: char) -> Self {
        self.listed(key, KeyStatus::Inactive, 90 * 24 * 3600)
    }

    /// Neither in the list, nor does it work.
    fn gone(self, key: char) -> Self {
        self.unlisted(key).run(|run| {
            run.refused.insert(id(key));
        })
    }

    fn unlisted(mut self, key: char) -> Self {
        self.keys.retain(|listed| listed.id != id(key));
        self
    }

    fn made(mut self, key: char, ago: i64) -> Self {
        self.made.insert(id(key), after(-ago));
        self
    }

    /// Made so many seconds ago.
    fn listed(self, key: char, status: KeyStatus, ago: i64) -> Self {
        let mut case = self.unlisted(key);
        case.keys.push(ListedKey { id: id(key), status, created: after(-ago) });
        case
    }

    fn mfa(self, mfa: Mfa) -> Self {
        Self { mfa, ..self }
    }

    fn wish(mut self, change: impl FnOnce(&mut Wish)) -> Self {
        change(&mut self.wish);
        self
    }

    /// Of who only goes on with what is under way.
    fn resume(self) -> Self {
        self.wish(|wish| wish.start = false)
    }

    fn undo(self) -> Self {
        self.wish(|wish| (wish.start, wish.undo) = (false, true))
    }

    fn delete_key(self, key: char) -> Self {
        self.wish(|wish| wish.delete_key = Some(id(key)))
    }

    fn run(mut self, change: impl FnOnce(&mut Run)) -> Self {
        change(&mut self.run);
        self
    }

    fn intent(self, intent: OwnIntent) -> Self {
        self.run(|run| run.intent = intent)
    }

    fn used(self, key: char, used: Use) -> Self {
        self.run(|run| {
            run.uses.insert(id(key), used);
        })
    }

    fn secret(self, key: char, secret: Secret) -> Self {
        self.run(|run| {
            run.secrets.insert(id(key), secret);
        })
    }

    fn proved(self, key: char, depth: Depth, ago: i64) -> Self {
        self.run(|run| run.proof = Some((id(key), after(-ago), depth)))
    }

    fn deleted(self, key: char) -> Self {
        self.run(|run| {
            run.deleted.insert(id(key));
        })
    }

    fn next(&self) -> Step {
        next(&View {
            state: &self.state,
            current: &self.current,
            made: &self.made,
            keys: &self.keys,
            now: at(self.now),
            mfa: self.mfa,
            run: &self.run,
            wish: &self.wish,
        })
    }
}

/// The step that follows from each of the cases.
#[track_caller]
fn expect(cases: &[(Case, Step)]) {
    for (number, (case, step)) in cases.iter().enumerate() {
        assert_eq!(case.next(), *step, "case {number}");
    }
}
