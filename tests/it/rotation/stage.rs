//! A machine on which whole rotations run in this process, on its disk and against its AWS. When the program waits the clock
//! is moved, here and at AWS.

mod disks;
mod ran;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, Once};
use std::time::Duration;

use aws_sim::{Simulator, Status, User};
use jiff::Timestamp;
use vault::cli::{World, run_in};
use vault::clock::Clock;
use vault::disk::{Disk, RealDisk};
use vault::paths::{Environment, Paths};
use vault::process::harden;
use vault::rotate::journal::Journal;
use vault::store::document::{Document, StoredAccessKey};
use vault::store::file::Place;
use vault::store::plugin::{NoPlugins, Plugins};
use vault::store::seal::unseal;

use crate::program::Case;

pub use ran::Ran;

/// alice's key is in the vault as `prod`.
pub struct Stage {
    pub case: Case,
    /// Whose key `prod` is.
    pub user: User,
    /// Keys that somebody else made.
    theirs: RefCell<Vec<String>>,
    sleep: Cell<Duration>,
    meanwhile: RefCell<Option<Command>>,
}

/// AWS's clock; whoever waits moves it.
struct MovedClock<'a> {
    sim: &'a Simulator,
    waited: Mutex<Duration>,
    /// For how long the machine sleeps at the next wait.
    sleep: Mutex<Duration>,
    /// Somebody else at the next wait.
    meanwhile: Mutex<Option<Command>>,
}

impl Clock for MovedClock<'_> {
    fn now(&self) -> Timestamp {
        self.sim.now()
    }

    fn wait(&self, pause: Duration) {
        if let Some(mut somebody) = self.meanwhile.lock().unwrap().take() {
            assert!(somebody.output().unwrap().status.success());
        }
        *self.waited.lock().unwrap() += pause;
        self.sim.advance(pause + std::mem::take(&mut *self.sleep.lock().unwrap()));
    }
}

/// The keys that the vault has.
pub struct Held {
    pub current: StoredAccessKey,
    pub other: Option<StoredAccessKey>,
    /// The journal's state, as the vault calls it.
    pub state: Option<&'static str>,
}

impl Stage {
    pub fn new() -> Self {
        Self::on(Case::with_prod())
    }

    pub fn without_mfa() -> Self {
        let case = Case::with_vault();
        let words =
            ["add", "prod", "--access-key-id", case.alice.access_key_id(), "--secret-stdin", "--mfa-serial", "none"];
        case.vault(&words).stdin(case.alice.secret_access_key()).run().succeeds();
        Self::on(case)
    }

    pub fn on(case: Case) -> Self {
        // Made a while ago, as the key of one who rotates it is; and what added it to the vault was not this very minute.
        case.sim.age_key(case.alice.access_key_id(), Duration::from_secs(91 * 86_400));
        case.sim.advance(Duration::from_secs(60));
        case.sim.clear_requests();
        without_terminal();
        let user = case.alice.clone();
        Self { case, user, theirs: RefCell::default(), sleep: Cell::default(), meanwhile: RefCell::default() }
    }

    pub fn sim(&self) -> &Simulator {
        &self.case.sim
    }

    /// A rotation of `prod` with these flags, and with a code at hand.
    pub fn rotate(&self, flags: &[&str]) -> Ran {
        self.with_code(&[&["rotate", "prod"], flags].concat())
    }

    pub fn with_code(&self, words: &[&str]) -> Ran {
        let code = self.case.phone.code();
        self.run(&[words, &["--mfa-code", &code]].concat())
    }

    pub fn run(&self, words: &[&str]) -> Ran {
        let mut ran = self.run_on(&RealDisk, words);
        // A test beside this one that just starts a program has for a moment every lock of this process too.
        let ourselves = format!("is running, pid {}", std::process::id());
        while ran.report.as_ref().is_some_and(|report| report.message.ends_with(&ourselves)) {
            ran = self.run_on(&RealDisk, words);
        }
        self.check(&ran, &self.held_on(&RealDisk));
        ran
    }

    /// On another disk, and without a look at what is left there.
    pub fn run_on(&self, disk: &dyn Disk, words: &[&str]) -> Ran {
        let environment = self.environment();
        let clock = MovedClock {
            sim: self.sim(),
            waited: Mutex::default(),
            sleep: Mutex::new(self.sleep.take()),
            meanwhile: Mutex::new(self.meanwhile.take()),
        };
        let (mut out, mut messages) = (Vec::new(), Vec::new());
        let before = self.sim().requests().len();
        let outcome = run_in(
            words,
            &mut World {
                paths: Paths::from_environment(&environment).unwrap(),
                environment,
                started_as: "/bin/sh".into(),
                disk,
                clock: &clock,
                plugins: &NoPlugins,
                hardened: harden(),
                unlock: Default::default(),
                held_key: &|_| None,
                agent_is_silent: Cell::new(false),
                clock_is_told: Cell::new(false),
                output: RefCell::new(Box::new(&mut out)),
                messages: RefCell::new(Box::new(&mut messages)),
            },
        );
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Ran {
            told: format!("$ vault {}", words.join(" ")),
            report: outcome.err(),
            out: text(out),
            messages: text(messages),
            waited: clock.waited.into_inner().unwrap(),
            requests: self.sim().requests().split_off(before),
        };
        self.search_for_secrets(&ran);
        ran
    }

    fn environment(&self) -> Environment {
        self.variables().into_iter().collect()
    }

    fn variables(&self) -> [(&'static str, OsString); 4] {
        let case = &self.case;
        [
            ("HOME", case.home().into_os_string()),
            ("AWS_ENDPOINT_URL", case.sim.endpoint().into()),
            ("VAULT_IDENTITY", case.given("recovery.txt").into_os_string()),
            ("VAULT_NO_AGENT", "1".into()),
        ]
    }

    /// Also for the secrets of keys that were made since.
    fn search_for_secrets(&self, ran: &Ran) {
        let made = self.sim().access_keys(&self.user).into_iter().map(|key| key.access_key_id);
        for id in made {
            self.case.keep_secret("a secret access key", &self.sim().secret_of(&id).unwrap());
        }
        self.case.see(&format!("stdout of {}", ran.told), ran.out.as_bytes());
        self.case.see(&format!("stderr of {}", ran.told), ran.shown().as_bytes());
    }

    /// What must hold after every command, however it ended.
    #[track_caller]
    fn check(&self, ran: &Ran, held: &Held) {
        let keys = self.sim().access_keys(&self.user);
        let shown = || format!("{}\nkeys: {keys:#?}\nstate: {:?}", ran.shown(), held.state);
        assert!(keys.len() <= 2, "a third key\n{}", shown());
        let known: BTreeSet<&str> = held.all().map(|key| key.id.as_str()).collect();
        for key in held.all().filter(|key| keys.iter().any(|listed| listed.access_key_id == key.id.as_str())) {
            let secret = self.sim().secret_of(key.id.as_str()).unwrap();
            assert!(key.secret.expose() == secret, "another secret for {}\n{}", key.id, shown());
        }
        let works = |key: &StoredAccessKey| self.status(key.id.as_str()) == Some(Status::Active);
        assert!(works(&held.current) || held.other.as_ref().is_some_and(works), "no key works\n{}", shown());
        let theirs = self.theirs.borrow();
        let is_known = |id: &String| known.contains(&**id) || theirs.contains(id);
        for key in keys.iter().filter(|key| !is_known(&key.access_key_id)) {
            let named = ran.shown().contains(&key.access_key_id) || ran.report.is_none();
            let to_be_listed = held.state == Some("intended") && ran.report.is_some();
            assert!(named || to_be_listed, "{} is unknown and was not named\n{}", key.access_key_id, shown());
        }
    }

    pub fn status(&self, id: &str) -> Option<Status> {
        let keys = self.sim().access_keys(&self.user);
        keys.iter().find(|key| key.access_key_id == id).map(|key| key.status)
    }

    pub fn held(&self) -> Held {
        self.held_on(&RealDisk)
    }

    pub fn held_on(&self, disk: &dyn Disk) -> Held {
        Self::held_in(&self.document_on(disk))
    }

    pub fn held_in(document: &Document) -> Held {
        let (name, profile) = document.profiles.iter().find(|(name, _)| name.as_str() == "prod").unwrap();
        let journal = Journal::of(name, profile).unwrap();
        let state = journal.as_ref().map(|journal| match journal {
            Journal::Intended { .. } => "intended",
            Journal::Created { .. } => "created",
            Journal::Proven { .. } => "proven",
            Journal::Retired { .. } => "retired",
            Journal::Undoing { .. } => "undoing",
        });
        let other = journal.as_ref().and_then(|journal| journal.other_key().cloned());
        Held { current: profile.access_key.clone().unwrap(), other, state }
    }

    pub fn document_on(&self, disk: &dyn Disk) -> Document {
        document_of(&self.case, disk)
    }

    /// None of what is no whole vault.
    pub fn document_in(&self, file: &[u8]) -> Option<Document> {
        unseal(file, &self.case.recovery_identity(), &Plugins::none()).ok()
    }

    /// Runs what the hint of a failed command says, with a code at hand.
    #[track_caller]
    pub fn follow_hint(&self, ran: &Ran) -> Ran {
        let command = ran.hinted();
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        self.with_code(&words)
    }

    /// A new session by the key that the vault holds, and nothing else.
    #[track_caller]
    pub fn signs_in(&self) {
        let ran = self.with_code(&["login", "prod", "--no-export", "--force"]);
        ran.succeeds();
        let current = self.held().current.id.to_string();
        let signed = ran.requests.iter().any(|request| {
            request.action == "GetSessionToken"
                && request.succeeded()
                && request.access_key_id.as_deref() == Some(&*current)
        });
        assert!(signed, "not by {current}\n{}", ran.shown());
    }

    /// Everything works again: finishes what is under way, twice, and signs in.
    #[track_caller]
    pub fn recovers(&self) {
        self.sim().stop_failing();
        self.rotate(&["--resume"]).succeeds();
        let (keys, held) = (self.sim().access_keys(&self.user), self.held());
        self.rotate(&["--resume"]).succeeds();
        assert_eq!(self.sim().access_keys(&self.user), keys, "a second resume changed AWS");
        assert_eq!(self.held().state, held.state, "a second resume changed the journal");
        self.signs_in();
    }

    /// One key is in use and the other off, and the vault has both.
    #[track_caller]
    pub fn is_rotated(&self) {
        let held = self.held();
        assert_eq!(held.state, Some("retired"));
        assert!(held.current.id.as_str() != self.user.access_key_id(), "the key is the old one");
        assert_eq!(self.status(held.current.id.as_str()), Some(Status::Active));
        assert_eq!(self.status(self.user.access_key_id()), Some(Status::Inactive));
    }

    /// Nothing was changed at AWS, and nothing is under way.
    #[track_caller]
    pub fn is_untouched(&self) {
        let held = self.held();
        assert_eq!((held.current.id.as_str(), held.state), (self.user.access_key_id(), None));
        assert_eq!(self.status(self.user.access_key_id()), Some(Status::Active));
    }

    pub fn sleeps_at_the_first_wait(&self, time: Duration) {
        self.sleep.set(time);
    }

    /// Another `vault` runs at the first wait, with these words.
    pub fn meanwhile(&self, words: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vault"));
        command.args(words).env_clear().envs(self.variables());
        self.meanwhile.replace(Some(command));
    }

    /// Somebody else makes a key for the user.
    pub fn another_key(&self) -> String {
        let (id, secret) = self.sim().add_access_key(&self.user);
        self.case.keep_secret("another's secret", &secret);
        self.theirs.borrow_mut().push(id.clone());
        id
    }

    /// Somebody else uses the key for S3, and AWS comes to tell of it.
    pub fn others_use(&self, key: &str) {
        self.sim().last_used_lag(Duration::from_secs(15 * 60));
        self.sim().use_key(key, "s3");
        self.pass(Duration::from_secs(16 * 60));
    }

    pub fn pass(&self, time: Duration) {
        self.sim().advance(time);
    }
}

impl Held {
    pub fn all(&self) -> impl Iterator<Item = &StoredAccessKey> {
        [Some(&self.current), self.other.as_ref()].into_iter().flatten()
    }

    /// The id of the key beside the current one.
    #[track_caller]
    pub fn other_id(&self) -> String {
        self.other.as_ref().expect("the journal has a key").id.to_string()
    }
}

/// What the vault has, read by its recovery key.
pub fn document_of(case: &Case, disk: &dyn Disk) -> Document {
    let place = Place::new(disk, &case.vault_file(), &case.home().join(".local/state/vault"));
    unseal(&place.load().unwrap().bytes, &case.recovery_identity(), place.plugins()).unwrap()
}

/// Lets go of the terminal that the tests may have been started in: what asks there would wait for whoever runs them.
fn without_terminal() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Ok(terminal) = std::fs::File::open(Path::new("/dev/tty")) {
            // SAFETY: the descriptor is open, and the request takes no argument.
            unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&terminal), libc::TIOCNOTTY) };
        }
    });
}
