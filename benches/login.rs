//! How long a cold login takes, with and without deriving the key, beside the AWS CLI making the same call in the same
//! run: `cargo bench --bench login`. Whole processes, from start to exit, medians of five.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_sim::{MfaDevice, Simulator, User};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");
const RUNS: usize = 5;

fn main() {
    let bench = Bench::new();
    let by_passphrase = bench.passphrase.clone();
    let by_identity = bench.path("recovery.txt");
    println!("program: {:.1} MB", fs::metadata(PROGRAM).expect("cargo built it").len() as f64 / 1e6);
    show("vault --version", || bench.vault(&["--version"], None));
    show("cold login by passphrase (256 MiB)", || bench.login(("VAULT_PASSPHRASE_FILE", &by_passphrase)));
    show("cold login by identity (no KDF)", || bench.login(("VAULT_IDENTITY", &by_identity)));
    show("login with a cached session, by identity", || {
        bench.vault(&["login", "user-1"], Some(("VAULT_IDENTITY", &by_identity)))
    });
    if Command::new("aws").arg("--version").output().is_ok() {
        show("aws sts get-session-token", || bench.aws_cli());
    } else {
        println!("aws is not on PATH: no comparison");
    }
}

fn show(what: &str, run: impl Fn() -> Duration) {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (least, median, most) = (times[0], times[RUNS / 2], times[RUNS - 1]);
    println!(
        "{what}: {:.1} ms (of {RUNS}: {:.1} to {:.1})",
        milliseconds(median),
        milliseconds(least),
        milliseconds(most)
    );
}

/// A vault to which each measured login adds a user first: a code works once, and waiting for the next would move AWS's
/// clock away from this machine's.
struct Bench {
    home: TempDir,
    aws: Simulator,
    passphrase: PathBuf,
    users: Cell<u32>,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let passphrase = home.path().join("passphrase");
        fs::write(&passphrase, "correct horse battery staple mountain").expect("the folder is ours");
        fs::set_permissions(&passphrase, Permissions::from_mode(0o600)).expect("the file is ours");
        let bench = Self { home, aws: Simulator::start(), passphrase, users: Cell::new(0) };
        let init = ["init", "--kdf", "standard", "--recovery-key", "recovery.txt"];
        bench.vault(&init, Some(("VAULT_PASSPHRASE_FILE", &bench.passphrase)));
        bench
    }

    fn new_user(&self) -> (User, MfaDevice) {
        self.users.set(self.users.get() + 1);
        let user = self.aws.add_user("123456789012", &format!("user-{}", self.users.get()));
        let phone = self.aws.add_mfa_device(&user, &format!("phone-{}", self.users.get()));
        (user, phone)
    }

    fn login(&self, opened_by: (&str, &Path)) -> Duration {
        let (user, phone) = self.new_user();
        let mut add = self.command(PROGRAM);
        add.env("VAULT_IDENTITY", self.path("recovery.txt")).stdin(Stdio::piped()).stderr(Stdio::null());
        add.args(["add", user.name(), "--access-key-id", user.access_key_id(), "--secret-stdin"]);
        let mut child = add.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("it was piped");
        stdin.write_all(user.secret_access_key().as_bytes()).expect("it reads its input");
        drop(stdin);
        assert!(child.wait().expect("it ends").success(), "add failed");
        self.vault(&["login", user.name(), "--mfa-code", &phone.code()], Some(opened_by))
    }

    fn vault(&self, arguments: &[&str], opened_by: Option<(&str, &Path)>) -> Duration {
        let mut command = self.command(PROGRAM);
        command.args(arguments).envs(opened_by);
        timed(command)
    }

    fn aws_cli(&self) -> Duration {
        let (user, phone) = self.new_user();
        let mut command = self.command("aws");
        command.args(["sts", "get-session-token", "--serial-number", phone.serial(), "--token-code", &phone.code()]);
        command.env("AWS_ACCESS_KEY_ID", user.access_key_id());
        command.env("AWS_SECRET_ACCESS_KEY", user.secret_access_key());
        timed(command)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("AWS_ENDPOINT_URL", self.aws.endpoint())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_DEFAULT_REGION", "us-east-1");
        command.current_dir(self.home.path());
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

fn timed(mut command: Command) -> Duration {
    let started = Instant::now();
    let output = command.output().expect("the program starts");
    let took = started.elapsed();
    let program = command.get_program().display();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    took
}
