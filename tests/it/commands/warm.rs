//! Sessions while the vault stays closed, and somebody holds its session identity.
//!
//! Here that is the test itself, with the commands running in its process: so every file that is read is known. What would
//! open the vault is a file that is missing, and the complaint about it tells that the vault was wanted.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use aws_sim::{Failure, Kind, Outcome, Request, Role, Trust};
use jiff::{SignedDuration, Timestamp};
use vault::agent::{Agent, Unlock};
use vault::cli::{Report, World, run_in};
use vault::clock::Clock;
use vault::disk::RealDisk;
use vault::paths::{Environment, Paths};
use vault::process::harden;
use vault::session::{SessionKey, name_key};
use vault::store::document::Document;
use vault::store::file::Place;
use vault::store::plugin::NoPlugins;
use vault::store::seal::unseal;

use super::error_and_hint;
use crate::program::{ACCOUNT, Case, Output, Running};
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
    document: Document,
    disk: WatchedDisk,
    ahead: Cell<Duration>,
    recovery: bool,
    variables: Vec<(&'static str, String)>,
}

struct Ran {
    outcome: Result<(), Report>,
    out: String,
    err: String,
    read: Vec<PathBuf>,
    /// Whether anybody was asked for the session identity.
    asked: bool,
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
    fn as_admin() -> Self {
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
    fn pass(&self, time: Duration) {
        self.ahead.set(self.ahead.get() + time);
        self.case.sim.advance(time);
    }

    fn run(&self, arguments: &[&str]) -> Ran {
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

    fn sent(&self) -> Vec<(String, bool)> {
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
    fn succeeds(self) -> Self {
        assert!(self.outcome.is_ok(), "{:?}\n{}", self.outcome, self.err);
        self
    }

    /// It was to open the vault.
    #[track_caller]
    fn wants_the_vault(&self) {
        let report = self.outcome.as_ref().expect_err("it had all it needed");
        assert!(report.message.contains("/given/missing"), "{report:?}");
        assert_eq!(self.out, "");
    }

    /// Names of the files in `sessions`, `record` for each; the others by their names.
    fn files_read(&self) -> Vec<&str> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let told = |path| if name(path).ends_with(".age") && name(path) != "vault.age" { "record" } else { "other" };
        self.read.iter().map(told).collect()
    }

    fn read(&self, name: &str) -> bool {
        self.read.iter().any(|path| path.ends_with(name))
    }
}

pub const GET: [&str; 3] = ["get", "prod", "aws_access_key_id"];
const GET_ADMIN: [&str; 3] = ["get", "admin", "aws_access_key_id"];

#[test]
fn a_session_takes_one_record_and_neither_the_vault_nor_an_unchanged_config_file() {
    for config in [None, Some("[profile prod]\nregion = eu-central-1\n")] {
        let warm = Warm::new(config);
        // The config file was written just before the login, so that its stamp said nothing then.
        let first = warm.run(&GET).succeeds();
        assert_eq!(first.read(".aws/config"), config.is_some());
        warm.settles(&GET);
        for command in [&GET[..], &["env", "prod"], &["credential-process", "prod"]] {
            let ran = warm.run(command).succeeds();
            assert_eq!(ran.files_read(), ["record"], "{:?}", ran.read);
            assert_eq!(ran.err, "");
        }
        let env = warm.run(&["env", "prod"]).succeeds().out;
        assert_eq!(env.contains("export AWS_REGION='eu-central-1'"), config.is_some());
        assert_eq!(warm.sent(), []);
    }
}

#[test]
fn what_is_handed_out_is_what_the_opened_vault_would_give() {
    let mut warm = Warm::as_admin();
    warm.variables.push(("AWS_PROFILE", "admin".into()));
    for command in [
        &["env"][..],
        &["env", "admin", "--shell", "json"],
        &["get", "admin", "region"],
        &["get", "admin", "account"],
        &["get", "admin", "expiration"],
        &["credential-process", "admin"],
        &["login", "admin", "--env"],
        &["login", "admin", "--no-export"],
    ] {
        let ran = warm.run(command).succeeds();
        let opened = warm.case.vault(command).variable("AWS_PROFILE", "admin").run();
        opened.succeeds();
        assert_eq!(ran.out, opened.out, "{command:?}");
        let words = |text: &str| text.split(" (").next().unwrap().to_owned();
        assert_eq!(words(&ran.err), words(&opened.err), "{command:?}");
    }
}

#[test]
fn whoami_and_a_roles_console_leave_the_vault_closed_and_a_users_console_takes_its_key() {
    let warm = Warm::as_admin();
    let arn = format!("arn = arn:aws:sts::{ACCOUNT}:assumed-role/admin/");
    assert!(warm.run(&["whoami", "admin"]).succeeds().out.contains(&arn));
    let ran = warm.run(&["console", "admin", "--service", "s3"]).succeeds();
    let visit = warm.case.sim.visit(ran.out.trim()).expect("it signs in");
    assert_eq!(visit.destination, "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1");
    let asked = [("GetCallerIdentity", true), ("ListAccountAliases", true), ("getSigninToken", true)];
    assert_eq!(warm.sent(), asked.map(|(action, session)| (action.to_owned(), session)));
    warm.run(&["console", "prod"]).wants_the_vault();
    // It takes a role session that only the key makes.
    warm.run(&["console", "admin", "--duration", "8h"]).wants_the_vault();
    assert_eq!(warm.sent(), []);
}

#[test]
fn after_a_save_the_vault_has_to_be_opened_once_and_the_session_stays() {
    let mut warm = Warm::new(None);
    let session = warm.run(&GET).succeeds().out;
    warm.case.run(&["set", "prod", "output=json"]).exits(2);
    warm.case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    warm.run(&GET).wants_the_vault();
    warm.recovery = true;
    assert_eq!(warm.run(&GET).succeeds().out, session);
    warm.recovery = false;
    let ran = warm.run(&GET).succeeds();
    assert_eq!((ran.files_read(), &ran.out), (vec!["record"], &session));
    assert_eq!(warm.run(&["get", "prod", "region"]).succeeds().out, "eu-west-3");
    assert_eq!(warm.sent(), []);
}

#[test]
fn an_edit_that_makes_another_request_makes_another_session() {
    let mut warm = Warm::new(None);
    warm.case.run(&["set", "prod", "duration_seconds=1h"]).succeeds();
    warm.run(&GET).wants_the_vault();
    warm.recovery = true;
    warm.variables.push(("VAULT_MFA_CODE", {
        warm.pass(Duration::from_secs(60));
        warm.case.phone.code()
    }));
    warm.run(&GET).succeeds();
    assert_eq!(warm.sent(), [("GetSessionToken".to_owned(), false)]);
}

#[test]
fn of_the_config_file_only_what_the_chain_was_read_from_counts() {
    let warm = Warm::as_admin();
    let text = fs::read_to_string(warm.case.config()).unwrap();
    warm.run(&GET_ADMIN).succeeds();
    let edited = |from: &str, to: &str| {
        fs::write(warm.case.config(), text.replace(from, to)).unwrap();
        warm.pass(Duration::from_secs(10));
    };
    edited("eu-west-2", "eu-west-4");
    let ran = warm.run(&GET_ADMIN).succeeds();
    assert!(ran.read(".aws/config"));
    warm.settles(&GET_ADMIN);
    edited("eu-west-1", "eu-west-4");
    warm.run(&GET_ADMIN).wants_the_vault();
    // What was made on the way to the role does not depend on it.
    warm.run(&GET).succeeds();
    fs::remove_file(warm.case.config()).unwrap();
    warm.run(&GET_ADMIN).wants_the_vault();
    warm.run(&GET).succeeds();
    fs::write(warm.case.config(), &text).unwrap();
    warm.run(&GET_ADMIN).succeeds();
    assert_eq!(warm.sent(), []);
}

#[test]
fn a_role_is_renewed_from_its_living_session_without_the_vault() {
    let warm = Warm::as_admin();
    let first = warm.run(&GET_ADMIN).succeeds().out;
    warm.pass(Duration::from_secs(50 * 60));
    let ran = warm.run(&["credential-process", "admin"]).succeeds();
    assert!(!ran.read("vault.age") && !ran.out.contains(&first), "{}", ran.out);
    assert_eq!((&*ran.err, warm.sent()), ("", vec![("AssumeRole".to_owned(), true)]));
    // And the next finds it, with all that a record has.
    let ran = warm.run(&GET_ADMIN).succeeds();
    assert_eq!((ran.files_read(), warm.sent()), (vec!["record"], Vec::new()));
    warm.run(&["login", "admin", "--no-export"]).succeeds();
    warm.pass(Duration::from_secs(12 * 3600));
    warm.run(&GET_ADMIN).wants_the_vault();
    assert_eq!(warm.sent(), []);
}

#[test]
fn a_session_that_aws_takes_no_longer_leads_to_the_vault_and_is_not_met_again() {
    let warm = Warm::as_admin();
    warm.pass(Duration::from_secs(50 * 60));
    let expired = Kind::Status { http: 403, code: "ExpiredToken".into(), message: "expired".into() };
    warm.case.sim.fail(Failure::on("AssumeRole").kind(expired).lasting());
    warm.run(&GET_ADMIN).wants_the_vault();
    assert_eq!(warm.sent(), [("AssumeRole".to_owned(), true)]);
    warm.run(&GET_ADMIN).wants_the_vault();
    warm.run(&GET).wants_the_vault();
    assert_eq!(warm.sent(), []);
}

#[test]
fn a_session_goes_to_no_other_endpoint_than_its_own() {
    let mut warm = Warm::new(None);
    warm.run(&GET).succeeds();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", "https://other.example"),
        ("AWS_ENDPOINT_URL_STS", "https://other.example"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_ENDPOINT_URL", "nonsense"),
    ] {
        warm.variables = vec![(name, value.to_owned())];
        warm.run(&GET).wants_the_vault();
    }
}

#[test]
fn a_login_that_finds_its_session_good_writes_it_with_the_vault_closed() {
    let mut warm = Warm::new(None);
    let ran = warm.run(&["login", "prod"]).succeeds();
    assert!(!ran.read("vault.age"));
    assert!(
        ran.err.starts_with("prod: still signed in as alice in account 123456789012 with MFA until "),
        "{}",
        ran.err
    );
    assert!(ran.err.ends_with("use: aws --profile prod --region us-east-1 sts get-caller-identity\n"), "{}", ran.err);
    assert!(fs::read_to_string(warm.case.credentials()).unwrap().starts_with("[prod]\n"));
    // In its last hour it is renewed while the person is there, and a key in the way is the vault's to judge.
    let key = (warm.case.alice.access_key_id(), warm.case.alice.secret_access_key());
    let long_term = format!("[prod]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.0, key.1);
    warm.case.write(&warm.case.credentials(), 0o600, &long_term);
    warm.run(&["login", "prod"]).wants_the_vault();
    assert_eq!(fs::read_to_string(warm.case.credentials()).unwrap(), long_term);
    warm.recovery = true;
    warm.run(&["login", "prod"]).succeeds();
    warm.recovery = false;
    warm.pass(Duration::from_secs(11 * 3600));
    warm.run(&["login", "prod"]).wants_the_vault();
    warm.run(&GET).succeeds();
    assert_eq!(warm.sent(), []);
}

#[test]
fn where_the_vault_must_be_a_certain_one_or_no_profile_is_named_nobody_is_asked() {
    let mut warm = Warm::new(None);
    let identity = warm.case.given("missing").display().to_string();
    for command in [&["env"][..], &[&GET[..], &["--identity", &identity]].concat()] {
        let ran = warm.run(command);
        ran.wants_the_vault();
        assert!(!ran.asked, "{command:?}");
    }
    warm.variables = vec![("VAULT_FINGERPRINT", "x".into())];
    let ran = warm.run(&GET);
    ran.wants_the_vault();
    assert!(!ran.asked);
    warm.variables = vec![("AWS_PROFILE", "prod".into())];
    assert!(warm.run(&["env"]).succeeds().asked);
}

#[test]
fn what_is_used_again_is_in_the_log_once() {
    let warm = Warm::new(None);
    let log = || fs::read_to_string(warm.case.home().join(".local/state/vault/log.jsonl")).unwrap_or_default();
    let before = log().lines().count();
    warm.run(&GET).succeeds();
    warm.run(&["login", "prod"]).succeeds();
    let text = log();
    let added: Vec<&str> = text.lines().skip(before).collect();
    assert_eq!(added.len(), 2, "{added:?}");
    assert!(added.iter().all(|line| line.contains("\"act\":\"reused\"") && line.contains("\"profile\":\"prod\"")));
}

/// An agent of this case, which holds what opens its vault's sessions. The variables lead to it.
pub struct WithAgent<'a> {
    case: &'a Case,
    agent: Option<Running<'a>>,
}

impl<'a> WithAgent<'a> {
    /// Sessions only.
    pub fn start(warm: &'a Warm) -> Self {
        Self::holding(warm, Duration::ZERO)
    }

    /// With what opens the vault too.
    pub fn unlocked(warm: &'a Warm) -> Self {
        Self::holding(warm, Duration::from_secs(900))
    }

    fn holding(warm: &'a Warm, vault_for: Duration) -> Self {
        let case = &warm.case;
        let agent = case.vault(&["agent", "run"]).asking().without_variable("VAULT_NO_AGENT").start();
        let sockets = case.home().join(".local/state/vault/run");
        let connected = loop {
            if let Some(connected) = Agent::connect(&sockets).unwrap() {
                break connected;
            }
            std::thread::yield_now();
        };
        let session_identity = warm.document.session.identity.clone();
        connected
            .unlock(Unlock {
                place: case.vault_file().as_path().into(),
                vault_id: warm.document.meta.vault_id.clone(),
                vault_identity: case.recovery_identity(),
                name_key: name_key(&session_identity),
                session_identity,
                idle: vault_for,
                max: vault_for,
                session: Duration::from_secs(900),
            })
            .unwrap();
        Self { case, agent: Some(agent) }
    }

    /// With nothing else at hand that opens the vault.
    fn run(&self, arguments: &[&str]) -> Output {
        self.case.vault(arguments).asking().without_variable("VAULT_NO_AGENT").run()
    }
}

impl Drop for WithAgent<'_> {
    fn drop(&mut self) {
        self.case.run(&["agent", "stop"]);
        self.agent.take().map(Running::finish);
    }
}

#[test]
fn a_session_is_served_by_the_agents_help_and_what_it_cannot_serve_is_told_why() {
    let warm = Warm::as_admin();
    let agent = WithAgent::start(&warm);
    let served = agent.run(&["credential-process", "admin"]);
    served.succeeds().stderr("").stdout_has("{\"Version\":1,");
    agent.run(&["exec", "admin", "--", "sh", "-c", "echo $AWS_VAULT $AWS_REGION"]).stdout("admin eu-west-1\n");
    agent.run(&["login", "admin", "--no-export"]).succeeds().stderr_has("admin: still signed in as role admin");
    // Where the session of the user, on whose way it was made, would be written, nobody has asked the vault yet.
    agent.run(&["login", "prod"]).refuses(3, "the vault is locked");
    let locked =
        |message: &str, name: &str| error_and_hint(message, &format!("run `vault login {name}` at a terminal"));
    let get = |name: &str| agent.run(&["get", name, "account"]);
    get("other").exits(3).stdout("").stderr(&locked("`other` has no session yet, and the vault is locked", "other"));
    let forced = agent.run(&["get", "prod", "account", "--force"]);
    let told = locked("the session of `prod` is over or about to end, and the vault is locked", "prod");
    forced.exits(3).stdout("").stderr(&told);
    let elsewhere = warm.case.vault(&["env", "prod"]).asking().without_variable("VAULT_NO_AGENT");
    let told = locked("the session of `prod` is for another endpoint, and the vault is locked", "prod");
    elsewhere.variable("AWS_ENDPOINT_URL", "https://other.example").run().exits(3).stdout("").stderr(&told);
    let config = fs::read_to_string(warm.case.config()).unwrap();
    fs::write(warm.case.config(), config.replace("eu-west-1", "eu-west-9")).unwrap();
    let told = locked("~/.aws/config changed since `admin` got its session, and the vault is locked", "admin");
    get("admin").exits(3).stdout("").stderr(&told);
    warm.case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    let told = locked("the vault changed since `prod` got its session, and is locked; unlock it", "prod");
    get("prod").exits(3).stdout("").stderr(&told);
    agent.run(&["credential-process", "prod"]).exits(3).stdout("").stderr(&told);
    assert_eq!(warm.sent(), []);
}

#[test]
fn an_unlocked_agent_opens_the_vault_where_a_session_cannot_be_served_without() {
    let warm = Warm::as_admin();
    let agent = WithAgent::unlocked(&warm);
    let get = |name: &str| agent.run(&["get", name, "aws_access_key_id"]).succeeds().stderr("").out.clone();
    let (user, role) = (get("prod"), get("admin"));
    warm.case.run(&["set", "prod", "region=eu-west-3"]).succeeds();
    // Another state of the vault, and the same request: the sessions stay.
    assert_eq!((get("prod"), get("admin")), (user, role));
    agent.run(&["login", "prod"]).succeeds().stderr_has("prod: still signed in as alice");
    agent.run(&["set", "prod", "region=eu-west-2"]).succeeds().stderr("set region\n");
    agent.run(&["list"]).succeeds();
    assert_eq!(warm.sent(), []);
}

#[test]
fn who_wants_no_agent_gets_nothing_from_it() {
    let warm = Warm::new(None);
    let agent = WithAgent::start(&warm);
    agent.run(&GET).succeeds();
    let alone = warm.case.vault(&GET).asking().variable("VAULT_NO_AGENT", "1").run();
    alone.refuses(3, "the vault is locked and there is no terminal to ask for the passphrase");
    drop(agent);
    warm.case.vault(&GET).asking().without_variable("VAULT_NO_AGENT").run().refuses(3, "the vault is locked");
}
