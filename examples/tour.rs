//! The main job, end to end, against a simulated AWS: `cargo run --example tour`.
//!
//! Cargo builds no program beside an example, so this one is both: started under the name `vault` it is the real command
//! line, started otherwise it is the tour that runs that command line, step by step, in a home folder of its own.

use std::error::Error;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use aws_sim::{Role, Simulator, Trust};
use tempfile::TempDir;

const ACCOUNT: &str = "123456789012";

fn main() -> ExitCode {
    if std::env::args_os().next().is_some_and(|name| name == "vault") {
        return vault::main();
    }
    match tour() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the tour ends here: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tour() -> Result<(), Box<dyn Error>> {
    // An AWS with a user, her phone, and a role that wants MFA.
    let aws = Simulator::start();
    let alice = aws.add_user(ACCOUNT, "alice");
    let phone = aws.add_mfa_device(&alice, "phone");
    let role = aws.add_role(Role::new(ACCOUNT, "admin", Trust::of(ACCOUNT).with_mfa()));
    let machine = Machine::new(&aws)?;

    say(
        "A key goes into the vault. Its secret comes through a pipe, the passphrase from a file; at a terminal\nboth are asked for.",
    );
    let add = ["add", "prod", "--access-key-id", alice.access_key_id(), "--secret-stdin"];
    machine.vault(
        &[&add[..], &["--kdf", "small", "--recovery-key", "recovery.txt"]].concat(),
        alice.secret_access_key(),
    )?;
    machine.vault(&["list"], "")?;

    say("A session comes out, by passphrase and MFA code.");
    machine.vault(&["login", "prod", "--mfa-code", &phone.code()], "")?;
    machine.show(".aws/credentials")?;

    say("A second time it is the same session: no code, no call to AWS.");
    let calls = aws.requests().len();
    machine.vault(&["login", "prod"], "")?;
    if aws.requests().len() > calls {
        return Err("AWS was asked again".into());
    }

    say("A role on that user takes no new code either: the session with MFA signs for it.");
    machine.vault(&["add", "admin", "--role-arn", &role, "--source-profile", "prod"], "")?;
    let print = r#"echo "$AWS_VAULT has $AWS_ACCESS_KEY_ID until $AWS_CREDENTIAL_EXPIRATION""#;
    machine.vault(&["exec", "admin", "--", "sh", "-c", print], "")?;
    machine.vault(&["status"], "")?;

    say("Nothing of it is left in plaintext after this.");
    machine.vault(&["logout", "--all"], "")?;
    machine.show(".aws/credentials")
}

fn say(text: &str) {
    println!("\n# {}", text.replace('\n', "\n# "));
}

/// A home folder that vanishes with the tour, and the variables that lead to it and to the simulator.
struct Machine {
    home: TempDir,
    endpoint: String,
}

impl Machine {
    fn new(aws: &Simulator) -> std::io::Result<Self> {
        let machine = Self { home: tempfile::tempdir()?, endpoint: aws.endpoint() };
        fs::write(machine.path("passphrase"), "correct horse battery staple mountain\n")?;
        fs::set_permissions(machine.path("passphrase"), Permissions::from_mode(0o600))?;
        Ok(machine)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs one command line, printing it and what it answers; the tour goes on only where it succeeds.
    fn vault(&self, arguments: &[&str], stdin: &str) -> Result<(), Box<dyn Error>> {
        println!("\n$ vault {}", arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg0("vault").args(arguments).current_dir(self.home.path()).env_clear();
        command.env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_REGION", "eu-central-1");
        command.env("VAULT_PASSPHRASE_FILE", self.path("passphrase"));
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        child.stdin.take().ok_or("no stdin")?.write_all(stdin.as_bytes())?;
        let status = child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("`vault {}`: {status}", arguments[0]).into()) }
    }

    /// Prints a file of the home folder, its secrets cut short as one would on a screen that others see.
    fn show(&self, name: &str) -> Result<(), Box<dyn Error>> {
        println!("\n$ cat ~/{name}");
        for line in fs::read_to_string(self.path(name))?.lines() {
            match line.split_once(" = ") {
                Some((key @ ("aws_secret_access_key" | "aws_session_token"), value)) => {
                    println!("{key} = {}...", value.get(..4).unwrap_or_default())
                }
                _ => println!("{line}"),
            }
        }
        Ok(())
    }
}

fn quoted(word: &str) -> String {
    if word.contains([' ', '$', '"']) { format!("'{word}'") } else { word.to_owned() }
}
