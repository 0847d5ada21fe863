//! A rotation that did not come to its end: why, which keys work, and how it goes on.

use super::{keys, of_process, user};
use crate::aws::{AwsError, Refusal};
use crate::cli::escape::escape;
use crate::cli::report::{Report, Status, aws, trust, vault};
use crate::cli::rotate::RotateFailure;
use crate::process::RunError;
use crate::rotate::ledger::LedgerError;
use crate::rotate::lock::LockTaken;
use crate::rotate::plan::State;
use crate::rotate::stop::Stop;
use crate::store::file::SaveError;
use crate::store::seal::UnsealError;
use crate::store::vault::{NotCommitted, ReopenError};

pub(super) fn stopped(failure: &RotateFailure, stop: &Stop) -> Report {
    let name = &failure.profile;
    match stop {
        Stop::Aws(error) => {
            let Report { message, hint, status } = aws::report(error);
            let under_way = matches!(&failure.state, Some(state) if *state != State::Idle);
            let denied = matches!(error, AwsError::Refused { refusal: Refusal::AccessDenied, .. });
            let status = if under_way && !denied { Status::Pending } else { status };
            let report = pending(failure, &message, status);
            let on = if under_way { " --resume" } else { "" };
            match (denied, hint) {
                (true, _) => report.hint(format!(
                    "the policy `vault policy show self-rotate-with-mfa --profile {name}` allows it; then `vault rotate {name}{on}`"
                )),
                (false, _) if under_way && stop.is(&Refusal::UnknownKey) => report.hint(format!(
                    "`vault rotate {name} --resume` tries again; where both keys are gone at AWS, `vault rotate {name} --give-up`"
                )),
                (false, _) if stop.is(&Refusal::UnknownKey) => {
                    report.hint(format!("{} `vault add {name} --replace` stores another", aws::KEY_REPLACED))
                }
                (false, _) if stop.is(&Refusal::SignatureMismatch) => {
                    report.hint(format!("`vault add {name} --replace` stores the right one"))
                }
                (false, Some(hint)) if !under_way => report.hint(hint),
                (false, _) => report,
            }
        }
        Stop::Ledger(error @ LedgerError::NotDurable(_)) if failure.state == Some(State::Idle) => {
            stopped_there(failure, "at its end; the key in the vault works", &ledger(error), Status::Pending)
        }
        Stop::Ledger(error) if is_put_back(error) => put_back(failure),
        Stop::Ledger(error) => after(room_for(error), pending(failure, &ledger(error), Status::Pending)),
        Stop::Lock(LockTaken::Running { pid }) => {
            let words = format!("{name}: another rotation of this user is running{}", of_process(*pid));
            Report::new(Status::State, words)
        }
        Stop::Lock(LockTaken::Lock { path }) => trust::not_a_lock(path),
        Stop::Lock(LockTaken::Io(error)) => {
            Report::new(Status::State, format!("{name}: the state folder takes no lock: {error}"))
        }
        Stop::NewKeyNotSaved { error, left: None } => Report::new(
            Status::State,
            format!("{name}: the new key could not be saved, and was deleted again: {}", ledger(error)),
        )
        .hint(format!(
            "the key in the vault works on; once a save succeeds again, `vault rotate {name}` makes another"
        )),
        Stop::NewKeyNotSaved { error, left: Some(left) } => Report::new(
            Status::State,
            format!(
                "{name}: the new key {left} could not be saved, nor deleted again: {}; the key in the vault works on",
                ledger(error)
            ),
        )
        .hint(format!("`vault rotate {name} --delete-key {left}` deletes it and makes another")),
        Stop::NotLive { key, error } => {
            let why = format!("the new key {} does not work yet ({})", key.short(), aws::words(error));
            stopped_there(failure, new_key_in_doubt(failure), &why, Status::Pending)
        }
        Stop::WrongUser { expected, found } => wrong_user(failure, expected, found),
        Stop::NotAUser { arn } => {
            Report::new(Status::State, format!("{name} is `{}`, and only IAM users' keys can be rotated", escape(arn)))
        }
        Stop::NoSuchKey { given } => Report::new(
            Status::State,
            format!("{name}: {} has no access key `{}`: {}", user(failure), escape(given), keys(failure)),
        ),
        Stop::Hook { profile, error } => {
            pending(failure, &escape(&format!("its rotate_hook {}: {error}", hook_did(error))), Status::Pending).hint(
                format!("mend it, or `vault unset {profile} rotate_hook` goes on without it; then run `vault rotate {name} --resume`"),
            )
        }
        Stop::InVault { key } => {
            Report::new(Status::State, format!("{name}: {} is the key of another profile of this vault", key.short()))
                .hint("`vault status` shows which; remove that profile first")
        }
        Stop::ListLags { key } => pending(
            failure,
            &format!("AWS's list of the user's keys does not have {} yet, which asked for it", key.short()),
            Status::Pending,
        ),
        Stop::NoSigner => pending(failure, "no key is at hand that could sign", Status::Pending),
    }
}

fn hook_did(error: &RunError) -> &'static str {
    match error {
        RunError::Quotes | RunError::Empty | RunError::Relative { .. } | RunError::Start { .. } => "can't be run",
        RunError::TimedOut { .. } | RunError::Unwanted { .. } | RunError::Failed { .. } | RunError::Output { .. } => {
            "did not end well"
        }
    }
}

/// It answers for another user than the vault knows: before anything was done, or while it is tried.
fn wrong_user(failure: &RotateFailure, expected: &str, found: &str) -> Report {
    let name = &failure.profile;
    let why = format!("AWS says that this is a key of `{}`, and the vault says `{}`", escape(found), escape(expected));
    match &failure.state {
        None | Some(State::Idle) => pending(failure, &why, Status::State)
            .hint(format!("`vault whoami {name}`; `vault add {name} --replace` stores the right key")),
        Some(_) => stopped_there(failure, new_key_in_doubt(failure), &why, Status::Pending),
    }
}

/// Where a rotation stands whose new key did not prove itself.
fn new_key_in_doubt(failure: &RotateFailure) -> &'static str {
    match &failure.state {
        Some(State::Created { .. }) => "after the new key was saved; the old key works, nothing is lost",
        _ => "after the new key was put to use; both keys are in the vault",
    }
}

/// Where a rotation stands that did not come to its end.
pub(super) fn pending(failure: &RotateFailure, why: &str, status: Status) -> Report {
    let name = &failure.profile;
    let stands = match &failure.state {
        None | Some(State::Idle) => {
            let status = if status == Status::Pending { Status::State } else { status };
            return Report::new(status, format!("{name}: {why}; nothing was changed"));
        }
        Some(State::Intended { .. }) => "before a new key was made; the old key works, nothing is lost",
        Some(State::Created { .. }) => "after the new key was saved; both keys work, nothing is lost",
        Some(State::Proven { .. }) if failure.is_taken_back => {
            "after the old key was taken back; it works, and both are in the vault"
        }
        Some(State::Retired { .. }) if failure.is_taken_back => {
            "after the newer key was switched off; the old key works, both are in the vault"
        }
        Some(State::Proven { .. }) => "after the new key was put to use; it works, and both are in the vault",
        Some(State::Retired { .. }) => "after the old key was switched off; the new key works, both are in the vault",
        Some(State::Undoing { .. }) => "while the old key was taken back; both are in the vault",
    };
    stopped_there(failure, stands, why, status)
}

fn stopped_there(failure: &RotateFailure, stands: &str, why: &str, status: Status) -> Report {
    let name = &failure.profile;
    Report::new(status, format!("rotation of `{name}` stopped {stands}: {why}"))
        .hint(format!("run `vault rotate {name} {}`", failure.goes_on_by))
}

/// What is to be done before what the report says.
fn after(first: Option<&str>, report: Report) -> Report {
    let hint = match (first, report.hint) {
        (Some(first), Some(then)) => Some(format!("{first}; then {then}")),
        (first, then) => then.or_else(|| first.map(str::to_owned)),
    };
    Report { hint, ..report }
}

/// Where the folder takes no file, to go on would only stop there again.
fn room_for(error: &LedgerError) -> Option<&'static str> {
    match error {
        LedgerError::NotSaved(why) | LedgerError::NotKept(why) => match &**why {
            NotCommitted::Save(SaveError::Io(error)) => vault::why_no_file(error),
            _ => None,
        },
        LedgerError::NotDurable(error) | LedgerError::NotTried(error) => vault::why_no_file(error),
        LedgerError::Read(_) | LedgerError::Conflict(_) => None,
    }
}

/// Another state of the vault stands in the place of what this run has saved.
fn is_put_back(error: &LedgerError) -> bool {
    match error {
        LedgerError::NotSaved(why) | LedgerError::NotKept(why) => {
            matches!(**why, NotCommitted::Diverged | NotCommitted::AnotherVault)
        }
        LedgerError::Read(error) => matches!(**error, ReopenError::Diverged | ReopenError::AnotherVault),
        LedgerError::Conflict(_) | LedgerError::NotDurable(_) | LedgerError::NotTried(_) => false,
    }
}

/// What this run knows of the keys may be in no vault that stands anywhere but beside this one.
fn put_back(failure: &RotateFailure) -> Report {
    let name = &failure.profile;
    let newer = match (&failure.state, &failure.current) {
        (Some(State::Created { new, .. }), _) => Some(new),
        (Some(State::Proven { .. } | State::Retired { .. } | State::Undoing { .. }), current) => current.as_ref(),
        _ => None,
    };
    // By its whole id: the vault that stands there may not say it.
    let lacks = newer.map(|new| format!(", which may lack {new} that this rotation made")).unwrap_or_default();
    let why = format!("rotation of `{name}` stopped: another state of the vault was put in its place{lacks}");
    // What was saved last may stand nowhere: who copies a file over the vault writes into the one that is kept too.
    Report::new(Status::Pending, why).hint(match (newer, &failure.state) {
        (Some(new), Some(State::Created { .. } | State::Proven { .. })) => format!(
            "`vault trust` decides which state counts; in one without that key, `vault rotate {name} --delete-key {new}` deletes it \
             at AWS and makes another"
        ),
        _ => format!("`vault trust` decides which state counts, then `vault rotate {name} {}`", failure.goes_on_by),
    })
}

fn ledger(error: &LedgerError) -> String {
    if is_locked(error) {
        return "the vault was locked meanwhile".to_owned();
    }
    match error {
        LedgerError::NotDurable(error) => {
            format!("a power cut now may undo the last save: {}", escape(&error.to_string()))
        }
        _ => escape(&error.to_string()),
    }
}

/// What opened the vault when the run began does not open it any more, while the file is the same vault's.
fn is_locked(error: &LedgerError) -> bool {
    match error {
        LedgerError::NotSaved(why) | LedgerError::NotKept(why) => {
            matches!(**why, NotCommitted::Changed(UnsealError::WrongIdentity))
        }
        LedgerError::Read(error) => matches!(**error, ReopenError::Unseal(UnsealError::WrongIdentity)),
        LedgerError::Conflict(_) | LedgerError::NotDurable(_) | LedgerError::NotTried(_) => false,
    }
}
