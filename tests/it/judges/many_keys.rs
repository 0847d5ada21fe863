//! The real program, killed while it rotates many keys, and watched at a terminal while it goes on. Three machines at once: a
//! proof takes its twenty seconds. Each has 200 keys, or as many as `MANY_KEYS` says.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use aws_sim::{Request, Status, User};
use rustix::process::Signal;
use vault::disk::RealDisk;
use vault::rotate::journal::Journal;

use super::rotation::at_once;
use crate::program::{ACCOUNT, Case, Terminal};
use crate::rotation::stage::document_of;
use crate::waiting;

static KEYS: LazyLock<usize> =
    LazyLock::new(|| std::env::var("MANY_KEYS").map_or(200, |count| count.parse().expect("a number")));

/// One vault, and in it a key of each of these users by the user's name.
struct Many {
    case: Case,
    users: Vec<User>,
}

/// How many requests have changed something in this way when the program is killed.
struct Moment {
    action: &'static str,
    status: Option<&'static str>,
    nth: usize,
}

static MOMENTS: LazyLock<[Moment; 3]> = LazyLock::new(|| {
    [
        // Some keys are made, some being made, and of some nothing was asked yet.
        Moment { action: "CreateAccessKey", status: None, nth: *KEYS / 3 },
        // The last one is just made, and none of them known to work.
        Moment { action: "CreateAccessKey", status: None, nth: *KEYS },
        Moment { action: "UpdateAccessKey", status: Some("Inactive"), nth: *KEYS / 3 },
    ]
});

impl Moment {
    fn has_come(&self, case: &Case) -> bool {
        let is_one = |request: &&Request| {
            request.action == self.action && request.parameter("Status") == self.status && request.succeeded()
        };
        case.sim.count(self.action) >= self.nth && case.sim.requests().iter().filter(is_one).count() >= self.nth
    }
}

impl Many {
    fn new() -> Self {
        let case = Case::with_vault();
        let users: Vec<User> = (0..*KEYS).map(|n| case.sim.add_user(ACCOUNT, &format!("user-{n}"))).collect();
        let sections = users.iter().map(|user| {
            let (id, secret) = (user.access_key_id(), user.secret_access_key());
            format!("[{}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n", user.name())
        });
        case.write(&case.credentials(), 0o600, sections.collect::<String>());
        case.run(&["import", "--yes", "--no-verify", "--remove"]).succeeds();
        Self { case, users }
    }

    fn rotate_all(&self) -> Terminal<'_> {
        self.case.vault(&["rotate", "--all"]).on_terminal_of(100, 24)
    }

    fn killed_at(&self, moment: &Moment) {
        let mut terminal = self.rotate_all();
        waiting::until(format_args!("{} {}", moment.action, moment.nth), || moment.has_come(&self.case));
        terminal.signal(Signal::KILL);
        let (output, echoes) = terminal.finish();
        output.dies_of(Signal::KILL);
        assert!(echoes);
    }

    /// Keys at AWS of which the vault has no secret: made by calls whose answers nobody was there to save.
    fn lost(&self) -> Vec<String> {
        let known = self.known();
        let listed = self.users.iter().flat_map(|user| self.case.sim.access_keys(user));
        listed.map(|key| key.access_key_id).filter(|id| !known.contains(id)).collect()
    }

    /// The keys that the vault has, each with the secret that AWS knows it by.
    fn known(&self) -> BTreeSet<String> {
        let mut known = BTreeSet::new();
        for (name, profile) in &document_of(&self.case, &RealDisk).profiles {
            let journal = Journal::of(name, profile).unwrap();
            for key in profile.access_key.iter().chain(journal.as_ref().and_then(Journal::other_key)) {
                let secret = self.case.sim.secret_of(key.id.as_str());
                assert!(secret.is_none_or(|secret| secret == key.secret.expose()), "another secret for {}", key.id);
                known.insert(key.id.to_string());
            }
        }
        known
    }

    /// Before anything is done about it.
    fn nobody_is_locked_out(&self) {
        let known = self.known();
        for user in &self.users {
            let keys = self.case.sim.access_keys(user);
            let works = keys.iter().any(|key| key.status == Status::Active && known.contains(&key.access_key_id));
            assert!(works && keys.len() <= 2, "{}: {keys:?}", user.name());
        }
    }

    fn statuses(&self, user: &User) -> Vec<Status> {
        self.case.sim.access_keys(user).iter().map(|key| key.status).collect()
    }

    /// At a terminal, where somebody agrees that what was lost is deleted.
    fn goes_on(&self) {
        let lost = self.lost();
        let mut terminal = self.rotate_all();
        terminal.expect(" done");
        terminal.press(&"y\n".repeat(lost.len()));
        let (output, _) = terminal.finish();
        output.succeeds().screen_has(" waiting until the new key works").screen_has("off, and deleted after ");
        let asked: BTreeSet<&str> =
            output.screen.split("Delete ").skip(1).filter_map(|asked| asked.get(..11)).collect();
        // One that a save which was killed had in its file already is gone on with, and nobody is asked about it.
        let known = self.known();
        let is_asked = |id: &String| asked.contains(&*format!("AKIA...{}", &id[16..]));
        assert!(lost.iter().all(|id| is_asked(id) != known.contains(id)), "{asked:?} {lost:?} {known:?}");
        assert!(asked.len() <= lost.len(), "{asked:?} {lost:?}");
    }

    fn is_rotated(&self) {
        assert_eq!(self.lost(), [""; 0]);
        for user in &self.users {
            assert_eq!(self.statuses(user), [Status::Inactive, Status::Active], "{}", user.name());
        }
    }

    fn signs_in(&self) {
        let names = self.users.iter().map(User::name);
        let words: Vec<&str> = ["login", "--no-export", "--force"].into_iter().chain(names).collect();
        self.case.run(&words).succeeds();
    }
}

#[test]
#[ignore = "takes a minute of real time"]
fn many_rotations_that_are_killed_at_once_all_go_on_and_nobody_is_locked_out() {
    at_once(&*MOMENTS, |moment| {
        let many = Many::new();
        many.killed_at(moment);
        many.nobody_is_locked_out();
        // Longer than a list may lag behind a call.
        many.case.sim.advance(Duration::from_secs(120));
        many.goes_on();
        many.is_rotated();
        many.signs_in();
        many.case.sim.clear_requests();
        many.case.run(&["rotate", "--all"]).succeeds();
        let looks = ["GetCallerIdentity", "ListAccessKeys"];
        let asked = many.case.sim.requests();
        assert!(asked.iter().all(|request| looks.contains(&&*request.action)), "there was nothing left to do");
    });
}
