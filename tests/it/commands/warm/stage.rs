//! A machine with a session in the cache, on which commands run in the test's own process.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::Duration;

use aws_sim::{Outcome, Request, Role, Trust};
use jiff::{SignedDuration, Timestamp};
use vault::cli::{Report, World, run_in};
use vault::clock::Clock;
use vault::disk::RealDisk;
use vault::paths::{Environment, Paths};
use vault::process::harden;
use vault::session::SessionKey;
use vault::store::document::Document;
use vault::store::file::Place;
use vault::store::plugin::NoPlugins;
use vault::store::seal::unseal;

use crate::program::{ACCOUNT, Case};
use crate::watched_disk::WatchedDisk;
/// Ahead of the machine's clock.
struct Ahead(Duration);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::try_from(self.0).unwrap()
    }

    /// Nothing here waits.
    fn wait(&self, _: Duration) {}
}

/// A machine with somebody on it who holds the session identity.
pub struct Warm {
    pub case: Case,
    pub document: Document,
    disk: WatchedDisk,
    ahead: Cell<Duration>,
    pub recovery: bool,
    pub variables: Vec<(&'static str, String)>,
}

pub struct Ran {
    outcome: Result<(), Report>,
    pub out: String,
    pub err: String,
    pub read: Vec<PathBuf>,
    /// Whether anybody was asked for the session identity.
    pub asked: bool,
}

impl Warm {
    /// alice signed in as `prod`, in the cache alone, and a moment ago: the stamp of her config file has settled.
    pub fn new(config: Option<&str>) -> Self {
        let case = Case::with_prod();
        config.into_iter().for_each(|config| case.write(&case.config(), 0o600, config));
        let code = case.phone.code();
        case.run(&["login", "prod", "--no-export", "--mfa-code", &code]).succeeds();
        Self::on(case)
    }

    /// As the role `admin` too.
    pub fn as_admin() -> Self {
        let case = Case::with_prod();
        case.sim.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/admin");
        let admin = format!("[profile admin]\nrole_arn = {arn}\nsource_profile = prod\nregion = eu-west-1\n");
        case.write(&case.config(), 0o600, admin + "[profile other]\nregion = eu-west-2\n");
        let code = case.phone.code();
        case.run(&["login", "admin", "--no-export", "--mfa-code", &code]).succeeds();
        Self::on(case)
    }

    fn on(case: Case) -> Self {
        case.sim.clear_requests();
        let place = Place::new(&RealDisk, &case.vault_file(), &case.home().join(".local/state/vault"));
        let document = unseal(&place.load().unwrap().bytes, &case.recovery_identity(), place.plugins()).unwrap();
        let warm = Self {
            case,
            document,
            disk: WatchedDisk::default(),
            ahead: Cell::default(),
            recovery: false,
            variables: Vec::new(),
        };
        warm.pass(Duration::from_secs(10));
        warm
    }

    /// Time goes by, here and at AWS.
    pub fn pass(&self, time: Duration) {
        self.ahead.set(self.ahead.get() + time);
        self.case.sim.advance(time);
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let (case, asked) = (&self.case, Cell::new(false));
        let opens = if self.recovery { case.given("recovery.txt") } else { case.given("missing") };
        let own = [
            ("HOME", case.home().display().to_string()),
            ("AWS_ENDPOINT_URL", case.sim.endpoint()),
            ("VAULT_IDENTITY", opens.display().to_string()),
        ];
        let environment: Environment = own.iter().chain(&self.variables).map(|(name, value)| (*name, value)).collect();
        let held_key = |world: &World| {
            assert_eq!(world.paths.vault, case.vault_file());
            asked.set(true);
            SessionKey::of(&self.document.session.identity, &self.document.meta.vault_id).ok()
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        self.disk.read();
        let outcome = run_in(
            arguments,
            &mut World {
                paths: Paths::from_environment(&environment).unwrap(),
                environment,
                disk: &self.disk,
                clock: &Ahead(self.ahead.get()),
                plugins: &NoPlugins,
                hardened: harden(),
                unlock: Default::default(),
                held_key: &held_key,
                agent_is_silent: Cell::new(false),
                clock_is_told: Cell::new(false),
                started_as: "/bin/sh".into(),
                output: RefCell::new(Box::new(&mut out)),
                messages: RefCell::new(Box::new(&mut err)),
            },
        );
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { outcome, out: text(out), err: text(err), read: self.disk.read(), asked: asked.get() }
    }

    /// Runs until the record has noted the config file's stamp. A test beside this one that just starts a program has for a
    /// moment every lock of this process too, and then the noting is left to the next reader.
    #[track_caller]
    pub fn settles(&self, arguments: &[&str]) {
        let settled = |_: &u32| !self.run(arguments).succeeds().read(".aws/config");
        assert!((0..100).find(settled).is_some(), "the stamp is never noted");
    }

    pub fn sent(&self) -> Vec<(String, bool)> {
        let sent = self.case.sim.requests();
        self.case.sim.clear_requests();
        // Signed by the machine's clock, which lags behind here; AWS refuses it unread, and it is sent again.
        let skewed = |request: &Request| request.outcome == Outcome::Refused("SignatureDoesNotMatch".into());
        sent.into_iter()
            .filter(|request| !skewed(request))
            .map(|request| (request.action, request.signed_with_token))
            .collect()
    }
}

impl Ran {
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(self.outcome.is_ok(), "{:?}\n{}", self.outcome, self.err);
        self
    }

    /// It was to open the vault.
    #[track_caller]
    pub fn wants_the_vault(&self) {
        let report = self.outcome.as_ref().expect_err("it had all it needed");
        assert!(report.message.contains("/given/missing"), "{report:?}");
        assert_eq!(self.out, "");
    }

    /// Names of the files in `sessions`, `record` for each; the others by their names.
    pub fn files_read(&self) -> Vec<&str> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let told = |path| if name(path).ends_with(".age") && name(path) != "vault.age" { "record" } else { "other" };
        self.read.iter().map(told).collect()
    }

    pub fn read(&self, name: &str) -> bool {
        self.read.iter().any(|path| path.ends_with(name))
    }
}
