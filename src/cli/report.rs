//! Every failure's words: what happened, what to do next, and the exit code that scripts can rely on. One place, so that the
//! program speaks with one voice.

mod agent;
pub mod aws;
pub mod configure;
mod console;
pub mod due;
pub mod export;
mod files;
mod held;
pub mod import;
mod keys;
pub mod log;
mod many_keys;
mod mfa;
mod plugin;
mod policy;
mod rotate;
mod rotated;
pub mod schedule;
mod serve;
mod session;
mod shell;
mod trust;
mod vault;

use std::io::Write;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::escape::{escape, shown_path};
use crate::names::ProfileName;
use crate::paths::PathsError;
use crate::process::LEAST_OPEN_FILES;

use super::failure::{Failure, Need, SerialBy};

pub use aws::words as aws_words;
pub use console::{console_visit, console_without_mfa};
pub use held::say_held;
pub use keys::{key_changed, key_risks, key_unchanged};
pub use many_keys::{failed_meanwhile, rotated_in_all};
pub use rotate::{before_giving_up, deed, ended_words, gave_up, orphan, rotation_news, session_at_hand, strange_use};
pub use rotated::rotated;
pub use serve::{forgotten, not_renewed, unseen, unserved};
pub use session::{left, note as session_note};
pub use trust::{recipients_changed, what_changed};
pub use vault::vault_warning;

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
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(status as u8)
    }
}

/// A bug of ours: the panic hook ends the program with it.
pub const INTERNAL: i32 = 70;

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
        Self::new(Status::Usage, error.to_string())
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
            NoTerminal(need) => no_terminal(need),
            NoAnswer(need) => no_answer(need),
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
            | BadFingerprint { .. }
            | TypedFingerprint(_)
            | TrustByPassphrase
            | KnownElsewhere(_) => trust::report(failure),
            Load(_)
            | NoVaultBesideKeys { .. }
            | Open(_)
            | WrongPassphrase { .. }
            | Reopen(_)
            | Create(_)
            | VaultExists
            | NewPassphrase(_)
            | PassphraseNotAtHand
            | Derive(_)
            | NoSuchGeneration { .. }
            | GenerationDoesNotOpen { .. }
            | RotationUnfinished(_)
            | NotRestored { .. }
            | RecipientName(_)
            | RecipientExists(_)
            | UnknownRecipient(_)
            | NotARecipient
            | IdentityForRecipient
            | LastRecipient
            | OwnRecipient(_)
            | PassphraseWeak
            | PassphraseOfAKey
            | Randomness(_)
            | NotCommitted(_)
            | NotDurable(_)
            | PassphraseCommand { .. }
            | PassphraseDescriptor { .. }
            | PassphraseNotText(_)
            | PassphraseEmpty(_)
            | PassphraseSeveralLines(_)
            | OneInputForTwo
            | UnlockFile { .. }
            | NamedFile { .. }
            | SecretFileOpen { .. }
            | NoIdentityIn { .. }
            | IdentityDoesNotOpen
            | OpensByIdentityOnly
            | FileExists { .. } => vault::report(failure),
            AgentNotWanted | HandOver(_) | AgentListen(_) | AgentEnded(_) | AgentUnreachable | Agent(_)
            | AgentHolds(_) | AgentTraces(_) | AgentUnit(_) => agent::report(failure),
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
            RoleMaximum { profile, role, asked, maximum } => session::role_maximum(profile, role, *asked, *maximum),
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
            | FieldMissing { .. } => profile(failure),
            NothingToImport { .. } | NotFoundToImport(_) | KeysRefused { .. } | LeftOut { .. } | AwsVault(_) => {
                import::report(failure)
            }
            SecretMissing
            | SecretMalformed
            | VariableMissing(_)
            | TemporaryKey(_)
            | NotAUsersKey { .. }
            | TemporaryEnvironment
            | NoSuchSection { .. }
            | NoKeyInSection { .. }
            | NotAConsoleCsv { .. }
            | SeveralKeysInCsv { .. } => key_source(failure),
        }
    }
}

fn profile(failure: &Failure) -> Report {
    use Failure::*;
    match failure {
        Name(error) => Report::new(Status::Usage, escape(&error.to_string())),
        BadVariable { name, error } => Report::new(Status::Usage, format!("{name}: {}", escape(&error.to_string()))),
        NameNeeded { names } if names.is_empty() => {
            Report::new(Status::Usage, "which profile? the vault has none").hint("vault add NAME")
        }
        NameNeeded { names } => {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            Report::new(Status::Usage, format!("which profile? the vault has {}", names.join(", ")))
                .hint("name one, or choose the usual one by `vault set --vault default_profile=NAME`")
        }
        UnknownProfile { name, suggestion: Some(meant) } => {
            Report::new(Status::State, format!("no profile named `{name}`; did you mean `{}`?", escape(meant)))
        }
        UnknownProfile { name, suggestion: None } => {
            Report::new(Status::State, format!("no profile named `{name}`")).hint("`vault list` shows what there is")
        }
        UnknownSource { profile, by, suggestion } => session::missing_source(profile, by, suggestion.as_deref()),
        ForOneProfile { flag } => Report::new(Status::Usage, format!("{flag} is for a login of one profile"))
            .hint("name one profile at a time"),
        Several(failed) => several(failed),
        Protected(name) => {
            Report::new(Status::State, format!("`{name}` is protected: its session is for `vault exec` alone"))
                .hint(format!("`vault exec {name} -- COMMAND`, or `vault unset {name} protected`"))
        }
        NotAProfileToRunIn(name) => Report::new(Status::State, format!("no profile named `{name}`"))
            .hint("the profile comes first: `vault exec NAME -- COMMAND`; `vault list` shows what there is"),
        ProfileExists(name) => Report::new(Status::State, format!("there is a profile `{name}` already"))
            .hint(format!("another name, or `vault add {name} --replace`")),
        NameTaken(name) => Report::new(Status::State, format!("there is a profile `{name}` already"))
            .hint(format!("another name, or `vault remove {name}` first")),
        NoAccessKey(name) => Report::new(Status::State, format!("`{name}` is a role profile and has no access key")),
        UnknownSetting { key, known } => Report::new(Status::Usage, format!("no setting named `{}`", escape(key)))
            .hint(format!("one of {}", known.join(", "))),
        BadSetting { key, why } => Report::new(Status::Usage, format!("`{}`: {}", escape(key), escape(why))),
        UnknownField { field, known } => Report::new(Status::Usage, format!("no field named `{}`", escape(field)))
            .hint(format!("one of {}", known.join(", "))),
        FieldMissing { field: "region", name } => Report::new(Status::State, format!("`{name}` has no region"))
            .hint(format!("`vault set {name} region=REGION` gives it one")),
        FieldMissing { field, name } => Report::new(Status::State, format!("`{name}` has no {field}")),
        _ => internal(),
    }
}

/// One report for all, each by its own words; the exit code is the first's, unless something is to be gone on with.
fn several(failed: &[(ProfileName, Failure)]) -> Report {
    let reports: Vec<Report> = failed.iter().map(|(name, failure)| of_one(name, failure)).collect();
    let lines: Vec<&str> = reports.iter().map(|report| &*report.message).collect();
    let report = Report::new(status_of(&reports), lines.join("; "));
    Report { hint: reports.into_iter().find_map(|report| report.hint), ..report }
}

/// Of one among several, so that it says of which.
fn of_one(name: &ProfileName, failure: &Failure) -> Report {
    let report = Report::of(failure);
    match failure {
        // It names the profile itself.
        Failure::Rotate(_) => report,
        _ => Report { message: format!("{name}: {}", report.message), ..report },
    }
}

fn status_of(reports: &[Report]) -> Status {
    match reports.iter().any(|report| report.status == Status::Pending) {
        true => Status::Pending,
        false => reports.first().map_or(Status::State, |report| report.status),
    }
}

fn key_source(failure: &Failure) -> Report {
    use Failure::*;
    let usage = |message: String| Report::new(Status::Usage, message);
    match failure {
        SecretMissing => usage("no secret access key was given".into()).hint("pipe it in with --secret-stdin"),
        // The text is not shown: it may be the secret with a typing error.
        SecretMalformed => {
            usage("that is not a secret access key".into()).hint("it is 40 characters long, without blanks")
        }
        VariableMissing(name) => usage(format!("{name} is not set")).hint("export it, or leave out --from-env"),
        TemporaryKey(id) => {
            Report::new(Status::State, format!("{} belongs to a session; the vault keeps long-term keys", id.short()))
                .hint("make an access key in the AWS console (IAM, Security credentials); its id starts with AKIA")
        }
        NotAUsersKey { arn } => Report::new(
            Status::State,
            format!("AWS says that this key belongs to `{}`, which is no IAM user; nothing was stored", escape(arn)),
        ),
        TemporaryEnvironment => {
            Report::new(Status::State, "AWS_SESSION_TOKEN is set: these variables hold a session, not a long-term key")
                .hint("unset it if the other two are a long-term key")
        }
        NoSuchSection { path, section } => {
            Report::new(Status::State, format!("no section [{section}] in {}", shown_path(path)))
        }
        NoKeyInSection { path, section } => {
            Report::new(Status::State, format!("section [{section}] in {} holds no long-term key", shown_path(path)))
        }
        NotAConsoleCsv { path } => {
            Report::new(Status::State, format!("{} is not an access key file of the AWS console", shown_path(path)))
                .hint("it has the columns `Access key ID` and `Secret access key`")
        }
        SeveralKeysInCsv { path } => {
            Report::new(Status::State, format!("{} holds more than one key", shown_path(path)))
        }
        _ => internal(),
    }
}

/// Only reached if a variant is sent to the wrong part of this file.
fn internal() -> Report {
    Report::new(Status::State, "a failure without words; please report this")
}

fn no_terminal(need: &Need) -> Report {
    let (status, what, hint) = match need {
        Need::Passphrase => (
            Status::Locked,
            "the vault is locked and there is no terminal to ask for the passphrase".to_owned(),
            "run `vault unlock` at a terminal, or pass `--passphrase-file FILE`".to_owned(),
        ),
        Need::Unlock(name, why) => {
            (Status::Locked, session::locked(name, *why), format!("run `vault login {name}` at a terminal"))
        }
        Need::NewPassphrase { flag } => (
            Status::PersonNeeded,
            "the vault needs a new passphrase and there is no terminal to ask on".to_owned(),
            format!("pass `{flag} FILE`"),
        ),
        Need::GeneratedPassphrase { flag } => (
            Status::PersonNeeded,
            "there is no terminal to show the generated passphrase on".to_owned(),
            format!("pass `{flag} FILE` with the name of a new file; it is written there"),
        ),
        Need::RecoveryKeyChoice { instead } => (
            Status::PersonNeeded,
            "there is no terminal to show the recovery key on".to_owned(),
            format!("pass `--recovery-key FILE` to write it there, or {instead}"),
        ),
        Need::AccessKey => (
            Status::PersonNeeded,
            "there is no terminal to ask for the access key".to_owned(),
            "pass `--access-key-id ID --secret-stdin`, `--from-env`, `--from-csv FILE` or `--from-profile NAME`"
                .to_owned(),
        ),
        Need::DeviceChoice(serials, by) => {
            let serials: Vec<&str> = serials.iter().map(AsRef::as_ref).collect();
            let what = format!(
                "this user has several MFA devices ({}) and there is no terminal to ask on",
                serials.join(", ")
            );
            let hint = match by {
                SerialBy::Flag => "pass one as `--mfa-serial ARN`".to_owned(),
                SerialBy::Setting(name) => format!("`vault set {name} mfa_serial=ARN` stores one of them"),
            };
            (Status::PersonNeeded, what, hint)
        }
        Need::SerialGuess(usual, by) => (
            Status::PersonNeeded,
            "this user may not list its MFA devices, and there is no terminal to ask on".to_owned(),
            match (by, escape(usual)) {
                (SerialBy::Flag, usual) => {
                    format!("pass `--mfa-serial {usual}` if that is the device, or `--mfa-serial none`")
                }
                (SerialBy::Setting(name), usual) => {
                    format!("`vault set {name} mfa_serial={usual}` if that is the device")
                }
            },
        ),
        Need::MfaCode(name) => (
            Status::PersonNeeded,
            format!("`{name}` needs an MFA code and there is no terminal to ask on"),
            "pass `--mfa-code`, or set `mfa_process` for this profile".to_owned(),
        ),
        Need::NewDevice(name) => {
            let name = name.as_ref().map_or("NAME", ProfileName::as_str);
            (
                Status::PersonNeeded,
                "there is no terminal to draw the QR code on".to_owned(),
                format!("`vault mfa enable {name} --begin FILE`, then `--finish`, do it in two steps"),
            )
        }
        Need::TwoCodes(name) => (
            Status::PersonNeeded,
            format!("`{name}` needs two MFA codes and there is no terminal to ask on"),
            "pass them as `--codes CODE,CODE`".to_owned(),
        ),
        Need::SignIn(name) => (
            Status::PersonNeeded,
            format!("`{name}` needs an MFA code and there is no terminal to ask on"),
            format!("run `vault login {name}` at a terminal"),
        ),
        Need::FirstSight(fingerprint) => (
            Status::NotTrusted,
            format!(
                "this machine has not seen this vault before (fingerprint {fingerprint}) and there is no terminal to ask on"
            ),
            "compare with `vault status` where it is known, then pass `--expect-fingerprint FINGERPRINT`".to_owned(),
        ),
        Need::MissingVault { generation } => (
            Status::PersonNeeded,
            format!(
                "the vault that this machine knows here (generation {generation}) is missing, and there is no terminal to ask on"
            ),
            "bring it back, or pass `--forget-missing` to make a new one".to_owned(),
        ),
        Need::Trust => (
            Status::PersonNeeded,
            "`vault trust` needs a person at a terminal".to_owned(),
            "run it where you can compare fingerprints and type".to_owned(),
        ),
        Need::Confirmation { flag } => (
            Status::PersonNeeded,
            "this needs a confirmation and there is no terminal to ask on".to_owned(),
            format!("pass `{flag}`"),
        ),
    };
    Report::new(status, what).hint(hint)
}

fn no_answer(need: &Need) -> Report {
    match need {
        Need::Passphrase | Need::Unlock(..) => {
            Report::new(Status::Locked, "no passphrase was typed; the vault stays locked")
        }
        _ => Report::new(Status::PersonNeeded, "no answer; nothing was changed"),
    }
}

fn exec(program: &str, error: &std::io::Error) -> Report {
    let program = escape(program);
    match error.kind() {
        std::io::ErrorKind::NotFound => Report::new(Status::NotFound, format!("no program `{program}` on PATH")),
        _ => Report::new(Status::CannotRun, format!("can't run `{program}`: {error}")),
    }
}

/// Shows a failure and gives its exit code.
pub fn failure(failure: &Failure) -> ExitCode {
    let report = Report::of(failure);
    if !report.message.is_empty() {
        say(&format!("{}\n", error_line(&report.message)));
    }
    if let Some(hint) = &report.hint {
        say(&format!("vault: hint: {hint}\n"));
    }
    report.status.into()
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
    say(&format!("vault: {}", error.render().ansi()));
    Status::Usage.into()
}

const FIRST_STEPS: &str = "\
vault keeps long-term AWS keys encrypted and hands out short-lived sessions

  vault add prod             put an access key into the vault (makes the vault if there is none)
  vault login prod           passphrase + MFA code -> session in ~/.aws/credentials
  vault exec prod -- CMD     run one command with a session
  vault status               keys, sessions, and how long they last
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
        std::process::exit(INTERNAL);
    }));
}
