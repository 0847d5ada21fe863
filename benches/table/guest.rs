//! A peer on a machine of its own, with an AWS of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sim::{MfaDevice, Role, Simulator, Trust, User};
use tempfile::TempDir;

use super::bench::Bench;
use super::figure::{Other, Told};
use super::machine::{self, ACCOUNT};
use super::peer::Kind;
use super::stopwatch::finished;

/// Built of the region alone (its `vault/vault.go`).
const AWS_VAULT: &str = "not measured: its client of STS can't be led to another endpoint";

/// Of the AWS CLI, which keeps sessions of roles alone, and in its version 1 hands them to nobody but itself.
const AS_ROLE: [&str; 4] = ["sts", "get-caller-identity", "--profile", "peer-role"];

pub struct Guest {
    pub kind: Kind,
    program: PathBuf,
    home: TempDir,
    pub aws: Simulator,
    person: Option<(User, MfaDevice)>,
    people: usize,
}

impl Guest {
    /// Those that talk to AWS and that can be told of another one, each with a user of its own.
    pub fn all(bench: &Bench) -> Vec<Self> {
        let found = bench.peers.iter().filter_map(|peer| Some((peer.kind, peer.program.clone()?)));
        let led = found.filter(|(kind, _)| !matches!(kind, Kind::AwsVault | Kind::Age));
        led.map(|(kind, program)| Self::new(kind, program)).collect()
    }

    fn new(kind: Kind, program: PathBuf) -> Self {
        let (home, aws) = (tempfile::tempdir().expect("a temporary folder"), Simulator::start());
        let mut guest = Self { kind, program, home, aws, person: None, people: 0 };
        guest.next_person();
        guest
    }

    /// What is to be said of those that can't.
    pub fn not_led(bench: &Bench) -> Option<Other> {
        let found = bench.peers.iter().find(|peer| peer.kind == Kind::AwsVault && peer.program.is_some())?;
        Some(Other { name: found.kind.name(), told: Told::Words(AWS_VAULT.to_owned()) })
    }

    /// In the place of the one before: a code works once, and waiting for the next would move AWS's clock away from this
    /// machine's.
    pub fn next_person(&mut self) {
        self.people += 1;
        let name = format!("person-{}", self.people);
        let user = self.aws.add_user(ACCOUNT, &name);
        let phone = self.aws.add_mfa_device(&user, &name);
        let key = (user.access_key_id(), user.secret_access_key());
        let key = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.0, key.1);
        // As each of them wants it called.
        let sections = ["peer", "identity", "peer-long-term"].map(|name| format!("[{name}]\n{key}"));
        self.write(".aws/credentials", &sections.concat());
        self.person = Some((user, phone));
    }

    pub fn code(&self) -> String {
        self.phone().code()
    }

    fn phone(&self) -> &MfaDevice {
        &self.person.as_ref().expect("there is one from the start").1
    }

    /// Gets a session with MFA from STS, and keeps it if it keeps any.
    pub fn signs_in(&self, code: &str) -> SignIn {
        let serial = self.phone().serial();
        let mut input = String::new();
        let words: Vec<&str> = match self.kind {
            Kind::AwsCli => {
                vec!["sts", "get-session-token", "--profile", "peer", "--serial-number", serial, "--token-code", code]
            }
            Kind::Awsmfa => vec!["--target-profile", "session", "--serial-number", serial, "--token-code", code],
            Kind::AwsMfa => {
                input = format!("{code}\n");
                vec!["--profile", "peer", "--device", serial, "--force"]
            }
            Kind::AwsMfaSession => {
                vec!["--profile", "peer", "--arn", serial, "--code", code, "--update-profile", "session", "--force"]
            }
            Kind::AwsVault | Kind::Age => unreachable!("no guest is made of it"),
        };
        SignIn { command: self.command(&words), input }
    }

    /// What finds a session that is there already, which this gets first: where it keeps any.
    pub fn has_session(&self) -> Option<Command> {
        let words: &[&str] = match self.kind {
            Kind::AwsCli => &AS_ROLE,
            Kind::AwsMfa => &["--profile", "peer", "--device", "none"],
            Kind::AwsMfaSession => &["--profile", "peer", "--update-profile", "session"],
            _ => return None,
        };
        if self.kind == Kind::AwsCli {
            finished(&mut self.as_role());
        } else {
            self.signs_in(&self.code()).timed();
        }
        Some(self.command(words))
    }

    /// What uses the session of a role, and gets it first if there is none.
    pub fn as_role(&self) -> Command {
        let role = self.aws.add_role(Role::new(ACCOUNT, "peer", Trust::of(ACCOUNT)));
        self.write(".aws/config", &format!("[profile peer-role]\nrole_arn = {role}\nsource_profile = peer\n"));
        self.command(&AS_ROLE)
    }

    /// Sessions that it got so far, or was refused.
    pub fn sessions_asked_for(&self) -> usize {
        ["GetSessionToken", "AssumeRole"].map(|action| self.aws.count(action)).iter().sum()
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = machine::command_at(self.home.path(), &self.aws.endpoint(), &self.program, words);
        command.stderr(Stdio::null());
        command
    }

    pub fn write(&self, name: &str, text: &str) {
        machine::write(&self.home.path().join(name), text);
    }

    pub fn told(&self, told: Told) -> Other {
        Other { name: self.kind.name(), told }
    }
}

pub struct SignIn {
    command: Command,
    input: String,
}

impl SignIn {
    pub fn start(mut self) -> Child {
        let mut child = self.command.stdin(Stdio::piped()).spawn().expect("it was found");
        let mut stdin = child.stdin.take().expect("it was piped");
        // Who is not asked does not read.
        let _ = stdin.write_all(self.input.as_bytes());
        child
    }

    /// From its start to its exit.
    pub fn timed(self) -> Duration {
        let started = Instant::now();
        let mut child = self.start();
        let status = child.wait().expect("it was started");
        let took = started.elapsed();
        assert!(status.success(), "a peer could not sign in: {status}");
        took
    }
}
