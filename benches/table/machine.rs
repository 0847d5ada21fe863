//! A home folder with a vault, and an AWS of its own.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_sim::{MfaDevice, Simulator, User};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");
/// The small one beside it, as `cargo install` makes it.
pub const QUICK: &str = env!("CARGO_BIN_EXE_vault-quick");
pub const ACCOUNT: &str = "123456789012";
pub const PASSPHRASE: &str = "correct horse battery staple mountain";

pub struct Machine {
    home: TempDir,
    pub aws: Simulator,
    /// Whose keys came by the import.
    pub users: Vec<User>,
    added: Cell<usize>,
}

impl Machine {
    /// With so many users' keys in the vault, which nothing opens but what is said with each command.
    pub fn new(users: usize) -> Self {
        let (home, aws) = (tempfile::tempdir().expect("a temporary folder"), Simulator::start());
        let users = (0..users).map(|n| aws.add_user(ACCOUNT, &user_name(n))).collect();
        let machine = Self { home, aws, users, added: Cell::new(0) };
        machine.write("passphrase", PASSPHRASE);
        let init = ["init", "--kdf", "small", "--recovery-key", "recovery.txt"];
        done(machine.vault(&init).env("VAULT_PASSPHRASE_FILE", "passphrase"), "");
        if !machine.users.is_empty() {
            machine.write(".aws/credentials", &machine.users.iter().map(section).collect::<String>());
            done(&mut machine.opening(&["import", "--no-verify", "--yes"]), "");
            machine.write(".aws/credentials", "");
        }
        machine
    }

    /// With an agent that keeps the vault unlocked, and one more user, `prod`, who has an MFA device.
    pub fn unlocked(profiles: usize) -> (Self, MfaDevice) {
        let machine = Self::new(profiles - 1);
        let phone = machine.add_user("prod");
        done(&mut machine.unlock(), "");
        (machine, phone)
    }

    /// The same, and `prod` is signed in.
    pub fn signed_in(profiles: usize) -> Self {
        let (machine, phone) = Self::unlocked(profiles);
        done(&mut machine.vault(&["login", "prod", "--no-export", "--mfa-code", &phone.code()]), "");
        machine
    }

    /// Adds a user to AWS and to the vault.
    pub fn add_user(&self, name: &str) -> MfaDevice {
        let user = self.aws.add_user(ACCOUNT, name);
        let phone = self.aws.add_mfa_device(&user, name);
        let add = ["add", name, "--access-key-id", user.access_key_id(), "--secret-stdin"];
        done(&mut self.opening(&add), user.secret_access_key());
        phone
    }

    /// A user that the vault does not have yet: a code works once, and waiting for the next would move AWS's clock away from
    /// this machine's.
    pub fn add_another_user(&self) -> (String, MfaDevice) {
        self.added.set(self.added.get() + 1);
        let name = format!("person-{}", self.added.get());
        let phone = self.add_user(&name);
        (name, phone)
    }

    pub fn unlock(&self) -> Command {
        self.unlock_by(PROGRAM)
    }

    pub fn unlock_by(&self, vault: impl AsRef<OsStr>) -> Command {
        let mut command = self.command(vault, &["unlock"]);
        command.env("VAULT_IDENTITY", "recovery.txt").stderr(Stdio::null());
        command
    }

    /// With nothing that opens the vault but the agent.
    pub fn vault(&self, words: &[&str]) -> Command {
        self.command(PROGRAM, words)
    }

    /// With an identity instead.
    pub fn opening(&self, words: &[&str]) -> Command {
        let mut command = self.vault(words);
        command.env("VAULT_IDENTITY", "recovery.txt").env("VAULT_NO_AGENT", "1");
        command
    }

    pub fn command(&self, program: impl AsRef<OsStr>, words: &[&str]) -> Command {
        command_at(self.home.path(), &self.aws.endpoint(), program, words)
    }

    pub fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn agent(&self) -> u32 {
        let told = done(&mut self.vault(&["agent", "status", "--json"]), "");
        let told: serde_json::Value = serde_json::from_str(&told).expect("it is JSON");
        told["agent"]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("it runs")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Where it can't be told it locks itself, and its folder is gone.
        let _ = self.vault(&["agent", "stop"]).stderr(Stdio::null()).status();
    }
}

/// A program in that home folder, which knows no AWS but this.
pub fn command_at(home: &Path, endpoint: &str, program: impl AsRef<OsStr>, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(words).env_clear().env("HOME", home).current_dir(home);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("AWS_ENDPOINT_URL", endpoint);
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

pub fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("it is in a home folder");
    fs::create_dir_all(folder).expect("the folder is ours");
    fs::set_permissions(folder, Permissions::from_mode(0o700)).expect("the folder is ours");
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
}

/// What it prints, with this on its standard input.
pub fn done(command: &mut Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(input.as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let words: Vec<&OsStr> = command.get_args().collect();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Resident, in KiB.
pub fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it lives, and this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
    line.trim().trim_end_matches(" kB").parse().expect("it is a number")
}

pub fn user_name(n: usize) -> String {
    format!("user-{n:05}")
}

/// Of `~/.aws/credentials`.
fn section(user: &User) -> String {
    let (name, id, secret) = (user.name(), user.access_key_id(), user.secret_access_key());
    format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = us-east-1\n")
}
