//! A home folder with a vault that an agent keeps unlocked, and in it a user who is signed in.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use aws_sim::{Simulator, User};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_vault");
pub const ACCOUNT: &str = "123456789012";

pub struct Machine {
    home: TempDir,
    endpoint: String,
    user: User,
}

impl Machine {
    /// With so many profiles.
    pub fn new(aws: &Simulator, name: &str, profiles: usize) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let user = aws.add_user(ACCOUNT, name);
        let phone = aws.add_mfa_device(&user, name);
        let machine = Self { home, endpoint: aws.endpoint(), user };
        machine.write("passphrase", "correct horse battery staple mountain");
        let init = ["init", "--kdf", "small", "--recovery-key", "recovery.txt"];
        done(machine.vault(&init).env("VAULT_PASSPHRASE_FILE", "passphrase"), "");
        let add = ["add", "prod", "--access-key-id", machine.user.access_key_id(), "--secret-stdin"];
        done(&mut machine.opening(&add), machine.user.secret_access_key());
        if profiles > 1 {
            machine.write(".aws/credentials", &(1..profiles).map(section).collect::<String>());
            done(&mut machine.opening(&["import", "--no-verify", "--yes"]), "");
            machine.write(".aws/credentials", "");
        }
        done(&mut machine.opening(&["login", "prod", "--no-export", "--mfa-code", &phone.code()]), "");
        done(machine.vault(&["unlock"]).env("VAULT_IDENTITY", "recovery.txt"), "");
        machine
    }

    /// With nothing that opens the vault but the agent.
    pub fn vault(&self, arguments: &[&str]) -> Command {
        self.unlocked(PROGRAM, arguments)
    }

    /// With an identity instead.
    pub fn opening(&self, arguments: &[&str]) -> Command {
        let mut command = self.vault(arguments);
        command.env("VAULT_IDENTITY", "recovery.txt").env("VAULT_NO_AGENT", "1");
        command
    }

    pub fn unlocked(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("HOME", self.home.path()).current_dir(self.home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("AWS_ENDPOINT_URL", &self.endpoint);
        command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// What uses the session of a role that is in the AWS CLI's own cache by now, where that is on PATH.
    pub fn cached_by_the_aws_cli(&self, role: &str) -> Option<Command> {
        let key = (self.user.access_key_id(), self.user.secret_access_key());
        let plaintext = format!("[peer]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.0, key.1);
        self.write(".aws/credentials", &plaintext);
        self.write(".aws/config", &format!("[profile peer-role]\nrole_arn = {role}\nsource_profile = peer\n"));
        let mut command = self.unlocked("aws", &["sts", "get-caller-identity", "--profile", "peer-role"]);
        command.status().is_ok_and(|status| status.success()).then_some(command)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().expect("it is below the home folder")).expect("the folder is ours");
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Where it can't be told it locks itself, and its folder is gone.
        let _ = self.vault(&["agent", "stop"]).stderr(Stdio::null()).status();
    }
}

/// With this on its standard input.
fn done(command: &mut Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it was piped");
    stdin.write_all(input.as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let arguments: Vec<&OsStr> = command.get_args().collect();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Of `~/.aws/credentials`.
fn section(n: usize) -> String {
    format!(
        "[team/user-{n:05}]\naws_access_key_id = AKIA{n:016}\naws_secret_access_key = {n:040}\nregion = us-east-1\n"
    )
}
