//! What the tests of issuing play on: a simulated AWS with one user, a moved clock, and a person who types codes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sim::{MfaDevice, Request as Sent, Role, Simulator, Trust, User};

use super::super::cache::Cache;
use super::super::chain::Chain;
use super::super::fixture::{cache, config, document, stamps};
use super::super::mfa::{CodePrompt, Waiting};
use super::super::options::Options;
use super::super::sources::Sources;
use super::*;
use crate::names::{Endpoint, Endpoints, Region};
use crate::secret::SecretAccessKey;

const ACCOUNT: &str = "123456789012";

pub struct Stage {
    pub sim: Simulator,
    pub alice: User,
    pub phone: MfaDevice,
    pub state: tempfile::TempDir,
    pub clock: MovedClock,
}

/// Seconds that our clock is ahead of the machine's.
#[derive(Default)]
pub struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn wait(&self, pause: Duration) {
        self.0.fetch_add(pause.as_secs().cast_signed(), Ordering::Relaxed);
    }
}

impl Stage {
    pub fn new() -> Self {
        let sim = Simulator::start();
        let alice = sim.add_user(ACCOUNT, "alice");
        let phone = sim.add_mfa_device(&alice, "phone");
        for name in ["ops", "dev"] {
            sim.add_role(
                Role::new(ACCOUNT, name, Trust::of(ACCOUNT).with_mfa()).max_session(Duration::from_secs(14_400)),
            );
        }
        Self { sim, alice, phone, state: tempfile::tempdir().unwrap(), clock: MovedClock::default() }
    }

    /// Time goes by, here and at AWS.
    pub fn pass(&self, hours: u32, minutes: u32) {
        let seconds = hours * 3600 + minutes * 60;
        self.clock.0.fetch_add(seconds.into(), Ordering::Relaxed);
        self.sim.advance(Duration::from_secs(seconds.into()));
    }

    pub fn endpoint(&self) -> Endpoint {
        self.sim.endpoint().parse().unwrap()
    }

    pub fn lazy_aws(&self) -> LazyAws {
        let endpoints = Endpoints::all_at(self.endpoint());
        LazyCell::new(Box::new(move || Aws::new(Region::fallback(), endpoints)))
    }

    pub fn vault(&self, more_of_alice: &str) -> String {
        let (serial, arn, endpoint) = (self.phone.serial(), self.alice.arn(), self.endpoint());
        let (id, secret) = (self.alice.access_key_id(), self.alice.secret_access_key());
        let role = |name: &str, source: &str| {
            format!(
                "[profile.{name}]\nrole_arn = \"arn:aws:iam::{ACCOUNT}:role/{name}\"\nsource_profile = \"{source}\"\n"
            )
        };
        let long = format!("{}duration_seconds = 7200\n", role("ops", "alice").replace(".ops]", ".long]"));
        let at = "2026-01-01T00:00:00Z";
        let user = |name: &str, more: &str| {
            format!(
                "[profile.{name}]\nmfa_serial = \"{serial}\"\n{more}\n[profile.{name}.access_key]\nid = \"{id}\"\n\
                 secret = \"{secret}\"\nadded = \"{at}\"\nuser_arn = \"{arn}\"\nverified = \"{at}\"\nendpoint = \"{endpoint}\"\n"
            )
        };
        // The same key by another name.
        format!(
            "{}{}{}{}{long}",
            user("alice", more_of_alice),
            user("twin", ""),
            role("ops", "alice"),
            role("dev", "alice"),
        )
    }

    pub fn ladder(&self, profile: &str, options: &Options) -> Ladder {
        self.ladder_of(&self.vault(""), profile, options)
    }

    pub fn ladder_of(&self, vault: &str, profile: &str, options: &Options) -> Ladder {
        let (document, config) = (document(vault), config(""));
        let chain = Chain::of(&profile.parse().unwrap(), &Sources::new(&document, &config)).unwrap();
        Ladder::of(&chain, options, Some(&self.endpoint())).unwrap()
    }

    pub fn issue(&self, profile: &str, person: &mut Person) -> Result<Issued, IssueError> {
        self.run(&self.ladder(profile, &Options::default()), Freshness::default(), person)
    }

    pub fn run(&self, ladder: &Ladder, freshness: Freshness, person: &mut Person) -> Result<Issued, IssueError> {
        self.run_with(&cache(self.state.path()), &self.lazy_aws(), ladder, freshness, person)
    }

    pub fn run_with(
        &self,
        cache: &Cache,
        aws: &LazyAws,
        ladder: &Ladder,
        freshness: Freshness,
        person: &mut Person,
    ) -> Result<Issued, IssueError> {
        let key = AccessKey {
            id: self.alice.access_key_id().parse().unwrap(),
            secret: SecretAccessKey::new(self.alice.secret_access_key().into()),
        };
        let mut issuer = Issuer { cache, aws, clock: &self.clock, asker: person, patience: Duration::from_secs(60) };
        issuer.issue(&Errand {
            ladder,
            freshness,
            key: Some(&key),
            same_key: &["alice", "twin"].map(|name| name.parse().unwrap()),
            destination: None,
            stamps: &stamps(),
        })
    }

    /// What AWS was asked since the last look, in words: action, what signed, and all parameters.
    pub fn sent(&self) -> Vec<String> {
        let sent = self.sim.requests();
        self.sim.clear_requests();
        // A request signed by a clock that is off is refused unread and sent again; what was read is what counts.
        let skewed =
            |sent: &Sent| matches!(&sent.outcome, aws_sim::Outcome::Refused(code) if code == "SignatureDoesNotMatch");
        sent.iter().filter(|sent| !skewed(sent)).map(|sent| self.words(sent)).collect()
    }

    pub fn words(&self, sent: &Sent) -> String {
        let signer = if sent.signed_with_token { "session" } else { "key" };
        let told = |(name, value): (&String, &String)| match name.as_str() {
            "TokenCode" => "code".to_owned(),
            "SerialNumber" => value.replace(self.phone.serial(), "phone"),
            "RoleArn" => value.rsplit('/').next().unwrap().to_owned(),
            "DurationSeconds" => value.clone(),
            "RoleSessionName" if value.starts_with("vault-alice-") => "vault-alice".to_owned(),
            _ => format!("{name}={value}"),
        };
        let parameters: Vec<_> = sent.parameters.iter().map(told).collect();
        format!("{} by {signer}: {}", sent.action, parameters.join(" "))
    }
}

/// Who types codes, and what they were asked.
pub struct Person<'a> {
    pub phone: &'a MfaDevice,
    pub given: Option<String>,
    pub process: Option<String>,
    pub types: VecDeque<Types>,
    pub asked: Vec<Why>,
}

#[derive(Clone, PartialEq)]
pub enum Types {
    TheCode,
    AWrongCode,
    Text(String),
}

pub fn person(phone: &MfaDevice) -> Person<'_> {
    Person { phone, given: None, process: None, types: VecDeque::new(), asked: Vec::new() }
}

pub fn typing<'a>(phone: &'a MfaDevice, types: &[Types]) -> Person<'a> {
    Person { types: types.to_vec().into(), ..person(phone) }
}

impl CodeAsker for Person<'_> {
    fn waiting(&mut self, _: &ProfileName, _: Option<u32>) -> Option<Box<dyn Waiting>> {
        None
    }

    fn given(&mut self) -> Result<Option<String>, CodeError> {
        Ok(self.given.take())
    }

    fn run(&mut self, words: &str) -> Result<String, CodeError> {
        assert_eq!(words, "print code");
        self.process.take().ok_or(CodeError::Process { cause: "exit status 1".into() })
    }

    fn ask(&mut self, prompt: &CodePrompt) -> Result<String, CodeError> {
        assert_eq!(prompt.serial.as_str(), self.phone.serial());
        assert_eq!(prompt.user_arn.and_then(crate::names::arn_user_name), Some("alice"));
        self.asked.push(prompt.why);
        assert_eq!(prompt.try_number as usize, self.asked.len());
        match self.types.pop_front().ok_or(CodeError::NoTerminal)? {
            Types::TheCode => Ok(self.phone.code()),
            Types::AWrongCode => Ok(self.phone.wrong_code()),
            Types::Text(text) => Ok(text),
        }
    }
}

pub fn lasting(seconds: u64) -> Options {
    Options { duration: Some(Duration::from_secs(seconds)), ..Options::default() }
}

pub fn forced(stage: &Stage) -> Freshness {
    Freshness { made_since: Some(stage.clock.now()), ..Freshness::default() }
}

pub fn done(issued: Result<Issued, IssueError>) -> Issued {
    issued.unwrap_or_else(|error| panic!("{error}"))
}
