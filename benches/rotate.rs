//! How long it takes to rotate many keys, beside the least that it could take: `cargo bench --bench rotate`. The whole program
//! against a simulated AWS whose every answer takes 50 ms; a new key is tried for 20 seconds, as always. Of many keys one is
//! tried while others are made, which takes it below that ideal.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use aws_sim::{Failure, Kind, Simulator, Status, User};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");
const SIZES: [usize; 3] = [1, 100, 1_000];
const ANSWER: Duration = Duration::from_millis(50);
/// Calls at once.
const AT_ONCE: u32 = 20;
/// Three rounds of trying the new key, ten seconds apart.
const PROOF: Duration = Duration::from_secs(20);

fn main() {
    println!(
        "| keys | `vault rotate --all` | the ideal: calls x 50 ms / 20, and 20 s of trying | ratio | calls a key |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for size in SIZES {
        let bench = Bench::with(size);
        let (took, calls) = bench.rotate_all();
        let at_once = AT_ONCE.min(u32::try_from(size).unwrap_or(u32::MAX));
        let ideal = ANSWER * u32::try_from(calls).unwrap_or(u32::MAX) / at_once + PROOF;
        let ratio = took.as_secs_f64() / ideal.as_secs_f64();
        println!(
            "| {size} | {:.1} s | {:.1} s | {ratio:.2} | {:.1} |",
            took.as_secs_f64(),
            ideal.as_secs_f64(),
            calls as f64 / size as f64
        );
        bench.check();
    }
}

struct Bench {
    home: TempDir,
    aws: Simulator,
    users: Vec<User>,
}

impl Bench {
    fn with(size: usize) -> Self {
        let (home, aws) = (tempfile::tempdir().expect("a temporary folder"), Simulator::start());
        let users = (0..size).map(|n| aws.add_user("123456789012", &format!("user-{n}"))).collect();
        let bench = Self { home, aws, users };
        bench.write("passphrase", "correct horse battery staple mountain");
        let sections = bench.users.iter().map(|user| {
            let (name, id, secret) = (user.name(), user.access_key_id(), user.secret_access_key());
            format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
        });
        bench.write(".aws/credentials", &sections.collect::<String>());
        let passphrase = bench.path("passphrase");
        let mut init = bench.vault(&["init", "--kdf", "small", "--recovery-key", "recovery.txt"]);
        succeeded(init.env_remove("VAULT_IDENTITY").env("VAULT_PASSPHRASE_FILE", passphrase));
        succeeded(&mut bench.vault(&["import", "--yes", "--no-verify"]));
        bench
    }

    fn rotate_all(&self) -> (Duration, usize) {
        self.aws.fail(Failure::on_every_action().kind(Kind::Delay(ANSWER)).lasting());
        let started = Instant::now();
        succeeded(&mut self.vault(&["rotate", "--all"]));
        let took = started.elapsed();
        self.aws.stop_failing();
        (took, self.aws.requests().len())
    }

    /// Every user has a new key that works, and the old one is off.
    fn check(&self) {
        for user in &self.users {
            let keys = self.aws.access_keys(user);
            let statuses: Vec<Status> = keys.iter().map(|key| key.status).collect();
            assert_eq!(statuses, [Status::Inactive, Status::Active], "{}", user.name());
        }
    }

    fn vault(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.env("AWS_ENDPOINT_URL", self.aws.endpoint()).env("VAULT_NO_AGENT", "1");
        command.env("VAULT_IDENTITY", self.path("recovery.txt"));
        command
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let folder = path.parent().expect("it is in the home folder");
        fs::create_dir_all(folder).expect("the folder is ours");
        fs::set_permissions(folder, Permissions::from_mode(0o700)).expect("the folder is ours");
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

fn succeeded(command: &mut Command) {
    let Output { status, stderr, .. } = command.output().expect("the program starts");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
}
