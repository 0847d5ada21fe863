//! The real program in a world of its own: a home folder, an AWS, no terminal unless asked for, and nothing of the
//! developer's environment. Everything it says and leaves is searched for secrets when the case ends.

mod conversation;
mod endpoint;
mod invocation;
mod output;
mod secrets;
mod terminal;

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use aws_sim::{MfaDevice, Simulator, User};
use tempfile::TempDir;
use vault::secret::IdentityText;

pub use conversation::Conversation;
pub use endpoint::{Endpoint, Reply};
pub use invocation::{Invocation, Running};
pub use output::Output;
use secrets::{Secrets, session_secrets_in};
pub use terminal::Terminal;

pub const ACCOUNT: &str = "123456789012";
const PINS: &str = ".local/state/vault/pins.toml";
const RECOVERY: &str = "recovery.txt";
pub const PASSPHRASE: &str = "correct horse/battery+staple änderung";

/// One person with one machine and one AWS account.
pub struct Case {
    folder: TempDir,
    pub sim: Simulator,
    pub alice: User,
    pub phone: MfaDevice,
    secrets: RefCell<Secrets>,
}

impl Case {
    /// No vault yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sim = Simulator::start();
        let alice = sim.add_user(ACCOUNT, "alice");
        let phone = sim.add_mfa_device(&alice, "phone");
        let secrets = Secrets::of([("the passphrase", PASSPHRASE), ("alice's secret key", alice.secret_access_key())]);
        let case = Self { folder, sim, alice, phone, secrets: RefCell::new(secrets) };
        for name in ["home", "tmp", "given"] {
            fs::create_dir(case.folder.path().join(name)).unwrap();
        }
        case.give("passphrase", PASSPHRASE);
        case
    }

    /// With a vault that no profile is in. It is opened by its recovery key: deriving costs, and is tried elsewhere.
    pub fn with_vault() -> Self {
        let case = Self::new();
        let made = MadeVault::get();
        case.write(&case.vault_file(), 0o600, &made.vault);
        // As if it had been made on this machine.
        let pins = made.pins.replace(&made.home, case.home().to_str().unwrap());
        case.write(&case.home().join(PINS), 0o600, pins);
        case.give(RECOVERY, &made.recovery);
        case.keep_secret("the recovery key", made.recovery.lines().last().unwrap());
        case
    }

    /// With alice's key in the vault as `prod`, and nothing in the simulator's log.
    pub fn with_prod() -> Self {
        let case = Self::with_vault();
        case.add("prod").succeeds();
        case.sim.clear_requests();
        case
    }

    /// With a session of `prod` that is cached and in no file, and nothing in the simulator's log.
    pub fn with_session() -> Self {
        let case = Self::with_prod();
        case.run(&["login", "prod", "--no-export", "--mfa-code", &case.phone.code()]).succeeds();
        case.sim.clear_requests();
        case
    }

    /// The recovery key, which opens the vault.
    pub fn recovery_identity(&self) -> IdentityText {
        let text = fs::read_to_string(self.given(RECOVERY)).unwrap();
        IdentityText::new(text.lines().last().unwrap().to_owned())
    }

    /// Adds alice's key under a name.
    pub fn add(&self, name: &str) -> Output {
        self.vault(&["add", name, "--access-key-id", self.alice.access_key_id(), "--secret-stdin"])
            .stdin(self.alice.secret_access_key())
            .run()
    }

    /// A session for `prod` in `~/.aws/credentials`.
    pub fn login(&self) -> Output {
        self.run(&["login", "prod", "--mfa-code", &self.phone.code()])
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn vault_file(&self) -> PathBuf {
        self.home().join(".local/share/vault/vault.age")
    }

    pub fn credentials(&self) -> PathBuf {
        self.home().join(".aws/credentials")
    }

    pub fn config(&self) -> PathBuf {
        self.home().join(".aws/config")
    }

    /// Writes a file as the user's own tools would, and the folders above it.
    pub fn write(&self, path: &Path, mode: u32, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::set_permissions(path.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
        match mode & 0o111 {
            0 => fs::write(path, bytes).unwrap(),
            _ => write_program(path, bytes.as_ref()),
        }
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A file outside the home folder, 0600: what a test hands to the program by name.
    pub fn give(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("given").join(name);
        self.write(&path, 0o600, content);
        path
    }

    /// A program that is not ours, there too.
    pub fn give_program(&self, name: &str, script: impl AsRef<[u8]>) -> PathBuf {
        let path = self.given(name);
        self.write(&path, 0o700, script);
        path
    }

    /// Something more that must not be seen anywhere.
    pub fn keep_secret(&self, what: &str, secret: &str) {
        self.secrets.borrow_mut().add(what, secret);
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.vault(arguments).run()
    }

    /// The program with these arguments, and with what opens the vault at hand in a file.
    pub fn vault(&self, arguments: &[impl AsRef<OsStr>]) -> Invocation<'_> {
        self.vault_as(env!("CARGO_BIN_EXE_vault"), arguments)
    }

    /// The same, started by another path, or by another program.
    pub fn vault_as(&self, program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Invocation<'_> {
        let invocation = self.command(program, arguments);
        match self.given(RECOVERY) {
            recovery if recovery.exists() => invocation.variable("VAULT_IDENTITY", recovery),
            _ => invocation.variable("VAULT_PASSPHRASE_FILE", self.given("passphrase")),
        }
    }

    /// Another program in the same world: a shell, a tool that reads what ours wrote.
    pub fn command(&self, program: impl AsRef<OsStr>, arguments: &[impl AsRef<OsStr>]) -> Invocation<'_> {
        Invocation::new(self, program.as_ref(), arguments)
    }

    /// Where `give` puts a file of that name, and where none is yet.
    pub fn given(&self, name: &str) -> PathBuf {
        self.folder.path().join("given").join(name)
    }

    /// The secrets that lie in files now, and where.
    pub fn secrets_left(&self) -> Vec<String> {
        let mut secrets = self.secrets.borrow_mut();
        let exported = fs::read(self.credentials()).unwrap_or_default();
        for secret in session_secrets_in(&exported) {
            secrets.add("a session's secret", &secret);
        }
        let mut found = Vec::new();
        for folder in ["home", "tmp"] {
            for path in files_below(&self.folder.path().join(folder)) {
                // Where the user asked for the session, and where it is on its way there: the long-term secrets stay forbidden.
                let on_its_way = || path.to_string_lossy().contains("/.aws/.credentials.vault-");
                let session_belongs = path == self.credentials() || on_its_way();
                let bytes = fs::read(&path).unwrap_or_default();
                found.extend(secrets.found_in(&path.display().to_string(), &bytes, session_belongs));
            }
        }
        found
    }

    /// Something that was said, by `stdout of ...` or another way; it is searched when the case ends.
    pub fn see(&self, what: &str, bytes: &[u8]) {
        self.secrets.borrow_mut().see(what, bytes);
    }
}

/// No secret may have been shown, or lie in any file; the vault and cached sessions are searched too, being encrypted.
impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut found = self.secrets.borrow().found();
        found.extend(self.secrets_left());
        assert!(found.is_empty(), "secrets were left:\n{}", found.join("\n"));
    }
}

pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files
}

/// One vault for all cases that are not about making one.
struct MadeVault {
    home: String,
    vault: Vec<u8>,
    pins: String,
    recovery: String,
}

impl MadeVault {
    fn get() -> &'static Self {
        static MADE: OnceLock<MadeVault> = OnceLock::new();
        MADE.get_or_init(|| {
            let case = Case::new();
            let recovery = case.given(RECOVERY);
            let init = ["init", "--kdf", "small", "--recovery-key"].map(OsStr::new);
            case.vault(&[&init[..], &[recovery.as_os_str()]].concat()).run().succeeds();
            let vault = fs::read(case.vault_file()).unwrap();
            let pins = fs::read_to_string(case.home().join(PINS)).unwrap();
            let home = case.home().to_str().unwrap().to_owned();
            Self { home, vault, pins, recovery: fs::read_to_string(recovery).unwrap() }
        })
    }
}

/// Written by another process: a child that another test forks just then would inherit our descriptor of it, and while
/// anyone has a program open to write it can't be started (`ETXTBSY`).
pub fn write_program(path: &Path, bytes: &[u8]) {
    let mut writer = Command::new("sh");
    writer.args(["-c", "umask 077; exec cat > \"$0\""]).arg(path).stdin(Stdio::piped());
    let mut writer = writer.spawn().unwrap();
    writer.stdin.take().unwrap().write_all(bytes).unwrap();
    assert!(writer.wait().unwrap().success());
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_secret_that_is_shown_or_left_is_found_in_any_of_its_spellings() {
    let spellings = ["raw", "base64", "url"];
    for spelling in spellings {
        let found = std::panic::catch_unwind(|| {
            let case = Case::new();
            let spelled = match spelling {
                "raw" => PASSPHRASE.to_owned(),
                "base64" => secrets::base64(&format!("x{PASSPHRASE}")),
                _ => secrets::url_encoded(PASSPHRASE),
            };
            let file = case.give("to-show", spelled);
            case.command("cat", &[file]).run().succeeds();
        });
        let message = found.expect_err(spelling).downcast::<String>().unwrap();
        assert!(message.contains("the passphrase, in stdout of $ cat"), "{spelling}: {message}");
    }
}

#[test]
fn a_session_that_is_exported_may_stand_there_and_nowhere_else() {
    let section = "[prod]\naws_access_key_id = ASIAXXXXXXXXXXXXXXXX\naws_secret_access_key = abcdefghijklmnop\n\
                   aws_session_token = 0123456789abcdef0123456789abcdef\n";
    let case = Case::new();
    case.write(&case.credentials(), 0o600, section);
    drop(case);
    let found = std::panic::catch_unwind(|| {
        let case = Case::new();
        case.write(&case.credentials(), 0o600, section);
        case.write(&case.home().join("copy"), 0o600, section);
    });
    let message = found.expect_err("the copy").downcast::<String>().unwrap();
    assert!(message.contains("home/copy") && !message.contains(".aws/credentials"), "{message}");
}
