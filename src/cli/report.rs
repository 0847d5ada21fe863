//! Every failure's words: what happened, what to do next, and the exit code that scripts can rely on. One place, so that the
//! program speaks with one voice.

mod agent;
pub mod aws;
pub mod aws_mfa;
pub mod configure;
mod console;
pub mod difference;
pub mod due;
pub mod export;
mod files;
mod held;
mod history;
pub mod import;
mod key_source;
mod keys;
pub mod log;
mod many_keys;
mod mfa;
mod need;
mod plugin;
pub mod point_in_time;
mod policy;
mod profile;
mod recipient;
pub mod role_source;
mod rotate;
mod rotated;
pub mod schedule;
mod serve;
mod session;
mod shell;
mod signed_in;
mod trust;
mod unlock;
mod usage;
mod vault;

use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::escape::{escape, without_secrets};
use crate::paths::PathsError;
use crate::process::LEAST_OPEN_FILES;

use super::failure::Failure;

pub use aws::words as aws_words;
pub use console::{console_visit, console_without_mfa};
pub use held::say_held;
pub use history::say_not_restored;
pub use keys::{key_changed, key_of_rotation_gone, key_risks, key_unchanged, names, rotation_goes_on};
pub use many_keys::{failed_meanwhile, rotated_in_all};
pub use mfa::{device_of_others, device_removed, device_risks};
pub use rotate::{before_giving_up, deed, ended_words, gave_up, orphan, rotation_news, session_at_hand, strange_use};
pub use rotated::rotated;
pub use serve::{forgotten, not_renewed, unseen, unserved};
pub use session::{left, note as session_note};
pub use signed_in::{hint_region, say_signed_in};
pub use trust::{recipients_changed, state as vault_state, what_changed};
pub use vault::vault_warning;

/// Said by a process that is ended while it waits for a person, or for another process that does, below its question.
pub const ENDED_WHILE_ASKING: &str = "\nvault: error: ended by another process while it waited, as `vault lock` does\n\
                                      vault: hint: `vault status` says where things stand\n";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Done = 0,
    /// Can't be done in this state.
    State = 1,
    Usage = 2,
    /// Locked, or a wrong passphrase.
    Locked = 3,
    AwsRefused = 4,
    Network = 5,
    /// Damaged, or not to be trusted.
    NotTrusted = 6,
    /// Interrupted with work pending: the same command, or the one in the hint, goes on with it.
    Pending = 7,
    /// A person is needed: a code, a confirmation.
    PersonNeeded = 8,
    /// The shell's own codes for what `exec` could not start.
    CannotRun = 126,
    NotFound = 127,
    /// A bug of ours.
    Internal = 70,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(status as u8)
    }
}

/// What a person is told about a failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    pub message: String,
    pub hint: Option<String>,
    pub status: Status,
}

impl Report {
    fn new(status: Status, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, status }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub fn usage(error: &clap::Error) -> Self {
        usage::told(error).unwrap_or_else(|| Self::new(Status::Usage, without_secrets(&error.to_string())))
    }

    pub fn of(failure: &Failure) -> Self {
        use Failure::*;
        match failure {
            ReaderGone => Self::new(Status::Done, ""),
            Paths(error @ PathsError::NoHome) => {
                Self::new(Status::State, error.to_string()).hint("set HOME to your home folder")
            }
            Paths(error) => Self::new(Status::Usage, escape(&error.to_string())),
            Output(error) => Self::new(Status::State, format!("can't write to standard output: {error}")),
            Input(error) => Self::new(Status::State, format!("can't read standard input: {error}")),
            Terminal(error) => Self::new(Status::PersonNeeded, format!("can't talk to the terminal: {error}")),
            Declined => Self::new(Status::PersonNeeded, "not confirmed; nothing was changed"),
            NoTerminal(need) => need::no_terminal(need),
            NoAnswer(need) => need::no_answer(need),
            StartedByUs => {
                Self::new(Status::State, "vault was started by a program that it started itself, and stops here")
                    .hint("a plugin or a configured command must not need the vault that needs it")
            }
            TooFewOpenFiles { limit } => Self::new(
                Status::State,
                format!("vault may have only {limit} files open at a time, and needs {LEAST_OPEN_FILES}"),
            )
            .hint("`ulimit -n 256` allows more in this shell; then the same again"),
            Mfa(failure) => mfa::report(failure),
            KeysDue(profiles) => due::report(profiles),
            Unwell { problems: 1 } => Report::new(Status::State, "one problem was found"),
            Unwell { problems } => Report::new(Status::State, format!("{problems} problems were found")),
            UnknownPolicy(name) => policy::unknown(name),
            Plugin { plugin, error } => plugin::to_add(plugin, error),
            Exec { program, error } => exec(program, error),
            Serve(error) => serve::report(error),
            DefaultFirst { path, line } => serve::default_first(path, *line),
            ServedOn { pid } => serve::still_served(*pid),
            Shell(error) => shell::report(error),
            Distrusted(_)
            | OtherFingerprint { .. }
            | TypedAnother
            | BadFingerprint { .. }
            | TypedFingerprint(_)
            | TrustByPassphrase
            | KnownElsewhere(_) => trust::report(failure),
            Load(_)
            | NoVaultBesideKeys { .. }
            | Open(_)
            | Damaged(_)
            | WrongPassphrase { .. }
            | Reopen(_)
            | Create(_)
            | NewPassphrase(_)
            | PassphraseNotAtHand
            | Derive(_)
            | PassphraseWeak
            | PassphraseOfAKey
            | Randomness(_)
            | NotCommitted(_)
            | NotDurable(_) => vault::report(failure),
            History(error) => history::unknown(error),
            Restore(failure) => history::not_restored(failure),
            RotationUnfinished(name) => history::rotation_unfinished(name),
            Recipient(failure) => recipient::report(failure),
            PassphraseCommand { .. }
            | PassphraseDescriptor { .. }
            | PassphraseNotText(_)
            | PassphraseEmpty(_)
            | PassphraseSeveralLines(_)
            | OneInputForTwo
            | UnlockFile { .. }
            | NamedFile { .. }
            | NoPathInVariable { .. }
            | SecretFileOpen { .. }
            | NoIdentityIn { .. }
            | FileExists { .. } => unlock::report(failure),
            AgentNotWanted
            | HandOver(_)
            | AgentListen(_)
            | AgentEnded(_)
            | AgentUnreachable
            | Agent(_)
            | AgentHolds(_)
            | AsksOn { .. }
            | Untold(..)
            | AgentUnit(_) => agent::report(failure),
            Endpoint(error) => aws::endpoint(error),
            CaBundleFile { path, error } => aws::ca_bundle(path, error),
            CaBundle { path, error } => aws::ca_bundle(path, error),
            KeyCheck { error, id } => aws::key_check(error, id),
            Aws(error) => aws::report(error),
            AwsFile(error) => files::file(error),
            Config(error) => files::config(error),
            Export(error) => files::export(error),
            Configure(_) | OwnProgram { .. } | OwnProgramPath(_) | RoleBesideKey { .. } | TakenDiffers { .. } => {
                configure::report(failure)
            }
            Chain(error) => session::chain(error),
            Ladder(error) => session::ladder(error),
            Issue { profile, error } => session::issue(profile, error),
            Cache(error) => session::cache(error),
            KeyRefused(refused) => session::key_refused(refused),
            Console(error) => console::report(error),
            Keys(error) => keys::report(error),
            Rotate(failure) => rotate::report(failure),
            NotAllRotated { failed, all } => many_keys::not_all_rotated(failed, *all),
            OtherRun { pid } => rotate::other_run(*pid),
            RotationGoesOn { pid } => rotate::goes_on(*pid),
            Schedule(error) => schedule::report(error),
            Log(failure) => log::report(failure),
            OldSession { profile, error } => session::too_old(profile, error),
            RoleElsewhere { role, profile, account } => session::role_elsewhere(role, profile, account),
            RoleMaximum(exceeded) => session::role_maximum(exceeded),
            Name(_)
            | BadVariable { .. }
            | NameNeeded { .. }
            | UnknownProfile { .. }
            | NotAProfileToRunIn(_)
            | UnknownSource { .. }
            | Protected(_)
            | ForOneProfile { .. }
            | Several(_)
            | ProfileExists(_)
            | NameTaken(_)
            | NoAccessKey(_)
            | UnknownSetting { .. }
            | BadSetting { .. }
            | UnknownField { .. }
            | FieldMissing { .. } => profile::report(failure),
            NothingToImport { .. } | NotFoundToImport(_) | KeysRefused { .. } | LeftOut { .. } | AwsVault(_) => {
                import::report(failure)
            }
            KeySource(failure) => key_source::report(failure),
            NotAUsersKey { arn } => key_source::not_a_users_key(arn),
        }
    }
}

/// Only reached if a variant is sent to the wrong part of this file.
fn internal() -> Report {
    Report::new(Status::Internal, "a failure without words; please report this")
}

fn exec(program: &str, error: &std::io::Error) -> Report {
    let program = escape(program);
    match error.kind() {
        std::io::ErrorKind::NotFound => Report::new(Status::NotFound, format!("no program `{program}` on PATH")),
        _ => Report::new(Status::CannotRun, format!("can't run `{program}`: {error}")),
    }
}

/// Another one, by its number where that is known.
pub fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another program".to_owned(), |pid| format!("process {pid}"))
}

/// Shows a failure and gives its exit code.
pub fn failure(failure: &Failure) -> ExitCode {
    let report = Report::of(failure);
    show(&report);
    report.status.into()
}

fn show(report: &Report) {
    if !report.message.is_empty() {
        say(&format!("{}\n", error_line(&report.message)));
    }
    if let Some(hint) = &report.hint {
        say(&format!("vault: hint: {hint}\n"));
    }
}

fn error_line(message: &str) -> String {
    let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    format!("vault: {red}error{red:#}: {message}")
}

/// A standard error that can't be written is no reason to end otherwise than planned.
pub fn say(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Shows what clap has to say: help and version are answers, the rest are errors.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that went away has what it wanted.
        let _ = error.print();
        return Status::Done.into();
    }
    match usage::told(error) {
        Some(report) => show(&report),
        None => say(&format!("vault: {}", without_secrets(&error.render().ansi().to_string()))),
    }
    Status::Usage.into()
}

const FIRST_STEPS: &str = "\
vault keeps long-term AWS keys encrypted and hands out short-lived sessions

  vault add prod             put an access key into the vault (makes the vault if there is none)
  vault import               move the keys in that lie in ~/.aws, in aws-vault or another vault
  vault login prod           passphrase + MFA code -> session in ~/.aws/credentials
  vault exec prod -- CMD     run one command with a session
  vault status               keys, sessions, and how long they last
  vault doctor               what stands between a profile and AWS, and how to mend it
  vault help                 everything else
";

/// What `vault` alone answers.
pub fn first_steps() -> ExitCode {
    // A reader that went away has what it wanted.
    let _ = anstream::stdout().write_all(FIRST_STEPS.as_bytes());
    Status::Done.into()
}

/// Ends the program at a bug of ours without showing what it held: a panic's message may quote data.
pub fn on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        crate::process::restore_terminal();
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("vault: error: internal error at {place}\n"));
        say("vault: hint: please report this line\n");
        std::process::exit(Status::Internal as i32);
    }));
}
